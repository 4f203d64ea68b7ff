/* A C library's printf of floating-point numbers, all of it in stdio's buffer to the end.
 *
 * libc: musl
 * prints:
 *     0: 0.333 3.333333e-01 0.333333 0x1.5555555555555p-2
 *     1: -45.750 -4.575000e+01 -45.75 -0x1.6ep+5
 *     2: 6279.188 6.279188e+03 6279.19 0x1.8873p+12
 *     3: -861818.484 -8.618185e+05 -861818 -0x1.a4cf4f8p+19
 *     4: 118284586.980 1.182846e+08 1.18285e+08 0x1.c3384abecp+26
 *     5: -16234559563.069 -1.623456e+10 -1.62346e+10 -0x1.e3d3dc2588ep+33
 *     [      3.14] [2.72      ] [+1000000000000000] [-00000.500]
 *     inf -inf 9.99989e-321 0.10000000000000001
 *     all of this was in the buffer until exit flushed it
 */
#include "guest.h"
#include <math.h>

int main(void)
{
    double x = 1.0 / 3.0;
    setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
    for (int i = 0; i < 6; i++) {
        printf("%d: %.3f %e %g %a\n", i, x, x, x, x);
        cr_point();
        x *= -137.25;
    }
    printf("[%10.2f] [%-10.2f] [%+.0f] [%010.3f]\n", 3.14159, 2.71828, 1e15, -0.5);
    printf("%g %g %g %.17g\n", INFINITY, -INFINITY, 1e-320, 0.1);
    cr_point();
    printf("all of this was in the buffer until exit flushed it\n");
    cr_point();
    return 0;
}
