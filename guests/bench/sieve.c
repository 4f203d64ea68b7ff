/* The sieve of Eratosthenes over 4 MB of memory, as often as the argument says.
 *
 * cr: at-points
 * libc: both
 * args: 1
 * prints:
 *     round 1: 295947 primes, the last is 4194301
 */
#include "guest.h"

enum { SIZE = 4 * 1024 * 1024 };
static unsigned char composite[SIZE];

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    for (int round = 1; round <= rounds; round++) {
        int count = 0, last = 0;
        memset(composite, 0, SIZE);
        for (int i = 2; i < SIZE; i++) {
            if (composite[i])
                continue;
            count++;
            last = i;
            if (i < 2048)
                for (int j = i * i; j < SIZE; j += i)
                    composite[j] = 1;
        }
        cr_point();
        say("round %d: %d primes, the last is %d\n", round, count, last);
    }
    return 0;
}
