/* Recursion that makes the stack grow past 1 MB, with checkpoint places deep down and on
 * the way back.
 *
 * libc: both
 * prints:
 *     down at 300
 *     down at 600
 *     down at 900
 *     down at 1200
 *     back at 1200
 *     back at 800
 *     back at 400
 *     sum cefd5400
 */
#include "guest.h"

enum { DEPTH = 1200, FRAME_WORDS = 256 };

static __attribute__((noinline)) uint32_t descend(int depth, uint32_t seed)
{
    volatile uint32_t frame[FRAME_WORDS];
    for (int i = 0; i < FRAME_WORDS; i += 16)
        frame[i] = seed + (uint32_t)(i * depth);
    if (depth % 300 == 0) {
        cr_point();
        say("down at %d\n", depth);
    }
    uint32_t below = depth < DEPTH ? descend(depth + 1, seed * 1664525u + 1013904223u) : 0;
    if (depth % 400 == 0) {
        cr_point();
        say("back at %d\n", depth);
    }
    for (int i = 0; i < FRAME_WORDS; i += 16) {
        check(frame[i] == seed + (uint32_t)(i * depth));
        below = below * 31 + frame[i];
    }
    return below;
}

int main(void)
{
    uint32_t sum = descend(1, 12345);
    say("sum %x\n", (unsigned)sum);
    return 0;
}
