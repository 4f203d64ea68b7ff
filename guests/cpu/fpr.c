/* All 32 floating-point registers and the rounding mode, alive across a system call.
 *
 * arches: ppc32 ppc64
 * prints:
 *     round 1
 *     round 2
 *     round 3
 *     sum 11dc188e
 */
#include "guest.h"
#include "powerpc_all.h"

static double before[32], after[32], status[2];

static void across_a_syscall(void)
{
    register double *from __asm__("r14") = before;
    register double *to __asm__("r15") = after;
    register double *fpscr __asm__("r16") = status;
    __asm__ volatile("mtfsfi 7, 1\n\t" /* round toward zero */
                     EACH_OF_32("lfd \\reg, 8*\\reg(%0)")
                     TRAP_GETPPID
                     EACH_OF_32("stfd \\reg, 8*\\reg(%1)")
                     "mffs 0\n\t"
                     "stfd 0, 0(%2)\n\t"
                     "mtfsfi 7, 0\n\t"
                     "mffs 0\n\t"
                     "stfd 0, 8(%2)"
                     : "+r"(from), "+r"(to), "+r"(fpscr)
                     :
                     : VOLATILE_IN_SC, ALL_FPRS);
}

static unsigned int rounding(double fpscr)
{
    uint64_t bits;
    memcpy(&bits, &fpscr, sizeof bits);
    return (unsigned int)bits & 3;
}

int main(void)
{
    uint32_t sum = 2166136261u;
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 32; i++)
            before[i] = (i % 2 ? -1.0 : 1.0) / (round * 32 + i);
        memset(after, 0, sizeof after);
        across_a_syscall();
        check(memcmp(before, after, sizeof before) == 0);
        check(rounding(status[0]) == 1 && rounding(status[1]) == 0);
        sum = fold(sum, after, sizeof after);
        say("round %d\n", round);
    }
    say("sum %x\n", sum);
    return 0;
}
