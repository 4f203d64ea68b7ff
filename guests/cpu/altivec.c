/* All 32 AltiVec registers, VSCR and VRSAVE, alive across a system call.
 *
 * arches: ppc32 ppc64
 * needs: altivec
 * prints:
 *     round 1
 *     round 2
 *     round 3
 *     sum e26025c5
 */
#include "guest.h"
#include "powerpc_all.h"

static unsigned char before[32][16] __attribute__((aligned(16)));
static unsigned char after[32][16] __attribute__((aligned(16)));
static unsigned int vscr[2][4] __attribute__((aligned(16))) = {{0, 0, 0, 0x00010001}};

static unsigned long across_a_syscall(unsigned long vrsave)
{
    register void *from __asm__("r14") = before;
    register void *to __asm__("r15") = after;
    register void *status __asm__("r16") = vscr;
    register unsigned long save __asm__("r17") = vrsave;
    register unsigned long sixteen __asm__("r18") = 16;
    __asm__ volatile("mtspr 256, %3\n\t"
                     "lvx 0, 0, %2\n\t"
                     "mtvscr 0\n\t"
                     EACH_OF_32("lvx \\reg, 0, %0\n\taddi %0, %0, 16")
                     TRAP_GETPPID
                     EACH_OF_32("stvx \\reg, 0, %1\n\taddi %1, %1, 16")
                     "mfvscr 0\n\t"
                     "stvx 0, %4, %2\n\t"
                     "mfspr %3, 256"
                     : "+r"(from), "+r"(to), "+r"(status), "+r"(save), "+r"(sixteen)
                     :
                     : VOLATILE_IN_SC, ALL_VRS);
    return save;
}

int main(void)
{
    uint32_t sum = 2166136261u;
    for (int round = 1; round <= 3; round++) {
        unsigned long vrsave = 0xfffffff0ul + (unsigned long)round;
        for (int i = 0; i < 32; i++)
            for (int j = 0; j < 16; j++)
                before[i][j] = (unsigned char)(round * 59 + i * 16 + j);
        memset(after, 0, sizeof after);
        check(across_a_syscall(vrsave) == vrsave);
        check(memcmp(before, after, sizeof before) == 0);
        check(vscr[1][3] == vscr[0][3]);
        sum = fold(sum, after, sizeof after);
        say("round %d\n", round);
    }
    say("sum %x\n", sum);
    return 0;
}
