/* The two timers of CPU time run while the program computes: each wakes it three times.
 *
 * libc: both
 * prints:
 *     SIGVTALRM three times
 *     SIGPROF three times
 */
#include "guest.h"

static volatile int ticks, expected;

static void tick(int signal)
{
    check(signal == expected);
    ticks++;
}

static void three(int which, int signal, const char *text)
{
    struct sigaction action;
    struct itimerval timer;
    memset(&action, 0, sizeof action);
    memset(&timer, 0, sizeof timer);
    action.sa_handler = tick;
    expected = signal;
    ticks = 0;
    check(sigaction(signal, &action, NULL) == 0);
    timer.it_interval.tv_usec = timer.it_value.tv_usec = 4000;
    check(setitimer(which, &timer, NULL) == 0);
    cr_point();
    for (int seen = 0; ticks < 3;)
        if (ticks > seen) {
            seen = ticks;
            cr_point();
        }
    memset(&timer, 0, sizeof timer);
    check(setitimer(which, &timer, NULL) == 0);
    say("%s\n", text);
}

int main(void)
{
    three(ITIMER_VIRTUAL, SIGVTALRM, "SIGVTALRM three times");
    three(ITIMER_PROF, SIGPROF, "SIGPROF three times");
    return 0;
}
