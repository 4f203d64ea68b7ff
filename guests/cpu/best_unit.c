/* Adds up bytes with AltiVec where the kernel says that there is one, else one by one: same sums.
 *
 * libc: both
 * args: 4
 * prints:
 *     round 1: sum 31
 *     round 2: sum 78
 *     round 3: sum 141
 *     round 4: sum 220
 *     all sums are right
 */
#include "guest.h"

static unsigned char total[16] __attribute__((aligned(16)));
static unsigned char added[16] __attribute__((aligned(16)));

static void add_one_by_one(void)
{
    for (int i = 0; i < 16; i++)
        total[i] = (unsigned char)(total[i] + added[i]);
}

#ifdef __powerpc__
#define HWCAP_ALTIVEC 0x10000000ul
#ifdef __ALTIVEC__
#define VECTORS , "v0", "v1"
#else
#define VECTORS
#endif

/* As words: the program is compiled for a CPU that may have no such instructions. */
static void add_with_altivec(void)
{
    register void *sum __asm__("r9") = total;
    register void *more __asm__("r10") = added;
    __asm__ volatile(".long 0x7c0048ce\n\t" /* lvx 0, 0, 9 */
                     ".long 0x7c2050ce\n\t" /* lvx 1, 0, 10 */
                     ".long 0x10000800\n\t" /* vaddubm 0, 0, 1 */
                     ".long 0x7c0049ce"     /* stvx 0, 0, 9 */
                     :
                     : "r"(sum), "r"(more)
                     : "memory" VECTORS);
}

static int have_altivec(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_ALTIVEC) != 0;
}
#else
#define add_with_altivec add_one_by_one
static int have_altivec(void)
{
    return 0;
}
#endif

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10;
    void (*add)(void) = have_altivec() ? add_with_altivec : add_one_by_one;
    unsigned long expected = 0;
    check(rounds <= 10);
    for (int round = 1; round <= rounds; round++) {
        unsigned long sum = 0;
        for (int i = 0; i < 16; i++) {
            added[i] = (unsigned char)(i % 3 + round);
            expected += added[i];
        }
        add();
        for (int i = 0; i < 16; i++)
            sum += total[i];
        cr_point();
        check(sum == expected);
        say("round %d: sum %lu\n", round, sum);
    }
    say("all sums are right\n");
    return 0;
}
