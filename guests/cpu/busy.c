/* Long stretches of pure computing: only a freeze in the middle of code can interrupt them, and
 * then every register, flag and carry is live.
 *
 * libc: both
 * prints:
 *     stretch 1: 4a1eb41b9829e8f4
 *     stretch 2: 24bdbb05a0f8f427
 *     stretch 3: d38675fd3891be08
 *     stretch 4: 87d5a82d77cacb06
 */
#include "guest.h"

static uint64_t stretch(uint64_t x, int rounds)
{
    uint64_t low = x, high = ~x;
    for (int i = 1; i <= rounds; i++) {
        uint64_t sum = low + (x ^ (uint64_t)i);
        high += sum < low; /* a carry from one word into the next */
        low = sum;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        if (i % 64 == 0)
            high ^= low / (x | 1) + high % (uint64_t)(i + 3);
    }
    return low ^ high;
}

int main(void)
{
    uint64_t x = 88172645463325252ULL;
    for (int i = 1; i <= 4; i++) {
        x = stretch(x, 8000);
        say("stretch %d: %016llx\n", i, (unsigned long long)x);
        cr_point();
    }
    return 0;
}
