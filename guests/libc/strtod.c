/* Text to floating point and back, double and long double, with every rounding to the last bit.
 *
 * libc: musl
 * prints:
 *     0.1 = 3fb999999999999a
 *     1e23 = 44b52d02c7e14af6
 *     9007199254740993 = 4340000000000000
 *     2.2250738585072011e-308 = 000fffffffffffff
 *     4.9e-324 = 0000000000000001
 *     1.7976931348623157e308 = 7fefffffffffffff
 *     123456789.987654321e-5 = 40934a45878b949f
 *     -0x1.8p3 = c028000000000000
 *     sqrt 1.414213562373, log 2.302585092994, sin 0.841470984808
 */
#include "guest.h"
#include <math.h>

static const char *const texts[] = {
    "0.1",
    "1e23",
    "9007199254740993",
    "2.2250738585072011e-308",
    "4.9e-324",
    "1.7976931348623157e308",
    "123456789.987654321e-5",
    "-0x1.8p3",
};

int main(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *end, back[64];
        uint64_t bits;
        double value = strtod(texts[i], &end);
        check(*end == 0);
        memcpy(&bits, &value, 8);
        cr_point();
        snprintf(back, sizeof back, "%.17g", value);
        check(strtod(back, NULL) == value);
        long double wide = strtold(texts[i], &end);
        cr_point();
        check(*end == 0 && fabsl(wide - value) <= fabsl(wide) * 0x1p-52L + 0x1p-1074L);
        say("%s = %016llx\n", texts[i], (unsigned long long)bits);
    }
    long double root = sqrtl(2.0L), error = fabsl(root * root - 2.0L);
    cr_point();
    check(error < 1e-15L);
    printf("sqrt %.12Lf, log %.12f, sin %.12f\n", root, log(10.0), sin(1.0));
    return 0;
}
