/* All 64 VSX registers, alive across a system call: the low halves are in no other register set.
 *
 * arches: ppc64
 * needs: vsx
 * prints:
 *     round 1
 *     round 2
 *     round 3
 *     sum cb213ac5
 */
#include "guest.h"
#include "powerpc_all.h"

static unsigned char before[64][16] __attribute__((aligned(16)));
static unsigned char after[64][16] __attribute__((aligned(16)));

static void across_a_syscall(void)
{
    register void *from __asm__("r14") = before;
    register void *to __asm__("r15") = after;
    __asm__ volatile(EACH_OF_32("lxvd2x \\reg, 0, %0\n\taddi %0, %0, 16")
                     EACH_OF_32("lxvd2x 32+\\reg, 0, %0\n\taddi %0, %0, 16")
                     TRAP_GETPPID
                     EACH_OF_32("stxvd2x \\reg, 0, %1\n\taddi %1, %1, 16")
                     EACH_OF_32("stxvd2x 32+\\reg, 0, %1\n\taddi %1, %1, 16")
                     : "+r"(from), "+r"(to)
                     :
                     : VOLATILE_IN_SC, ALL_FPRS, ALL_VRS);
}

int main(void)
{
    uint32_t sum = 2166136261u;
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 64; i++)
            for (int j = 0; j < 16; j++)
                before[i][j] = (unsigned char)(round * 53 + i * 16 + j + (i >> 4));
        memset(after, 0, sizeof after);
        across_a_syscall();
        check(memcmp(before, after, sizeof before) == 0);
        sum = fold(sum, after, sizeof after);
        say("round %d\n", round);
    }
    say("sum %x\n", sum);
    return 0;
}
