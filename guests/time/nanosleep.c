/* nanosleep takes at least as long as asked, on both clocks.
 *
 * libc: both
 * prints:
 *     slept 1 ms
 *     slept 5 ms
 *     slept 20 ms
 *     bad times are refused
 */
#include "guest.h"

static int64_t now(int clock)
{
    struct timespec time;
    check(clock_gettime(clock, &time) == 0);
    check(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(void)
{
    static const int sleeps[] = {1, 5, 20};
    struct timespec asked = {0, 0};
    for (int i = 0; i < 3; i++) {
        int64_t monotonic = now(CLOCK_MONOTONIC), real = now(CLOCK_REALTIME);
        asked.tv_nsec = sleeps[i] * 1000000;
        cr_point();
        check(nanosleep(&asked, NULL) == 0);
        check(now(CLOCK_MONOTONIC) - monotonic >= asked.tv_nsec);
        check(now(CLOCK_REALTIME) - real >= asked.tv_nsec);
        say("slept %d ms\n", sleeps[i]);
    }
    asked.tv_nsec = 1000000000;
    check(nanosleep(&asked, NULL) == -1 && errno == EINVAL);
    say("bad times are refused\n");
    return 0;
}
