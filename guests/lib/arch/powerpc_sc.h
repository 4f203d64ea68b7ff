/* Both PowerPCs: `sc`; the number in r0, arguments in r3..r8. The kernel answers in r3 and sets
 * CR0.SO if r3 is an errno; r0, r4-r12, CR0, CTR and XER are volatile. */

static inline long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r0 __asm__("r0") = nr;
    register long r3 __asm__("r3") = a;
    register long r4 __asm__("r4") = b;
    register long r5 __asm__("r5") = c;
    register long r6 __asm__("r6") = d;
    register long r7 __asm__("r7") = e;
    register long r8 __asm__("r8") = f;
    __asm__ volatile("sc\n\t"
                     "bns+ 1f\n\t"
                     "neg 3, 3\n"
                     "1:"
                     : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8)
                     :
                     : "r9", "r10", "r11", "r12", "cr0", "ctr", "xer", "memory");
    return r3;
}

/* The kernel brings its own signal trampoline. */
#define GUEST_RESTORER
#define GUEST_NEEDS_RESTORER 0
