/* Sums of doubles and floats that stay in registers across checkpoint places, to the last bit.
 *
 * libc: both
 * prints:
 *     pi 400920f52f6810da
 *     e 4005bf0a8b14576a
 *     harmonic 40205b5310674fb9
 *     single 40009bfc60000000
 */
#include "guest.h"

static void say_bits(const char *what, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    say("%s %016llx\n", what, (unsigned long long)bits);
}

int main(void)
{
    double pi = 0, e = 1, term = 1, harmonic = 0;
    float single = 0;
    volatile double one = 1; /* the compiler shall not compute it all beforehand */
    for (int i = 0; i < 2000; i++) {
        pi += (i % 2 ? -4 : 4) * one / (2 * i + 1);
        harmonic += one / (i + 1);
        single += (float)(one / (i * (double)i + 1));
        if (i && i < 20) {
            term /= i;
            e += term;
        }
        if (i % 100 == 0)
            cr_point();
    }
    say_bits("pi", pi);
    say_bits("e", e);
    say_bits("harmonic", harmonic);
    say_bits("single", single);
    return 0;
}
