/* A real-time interval timer wakes a waiting loop with SIGALRM, five times.
 *
 * libc: both
 * prints:
 *     tick 1
 *     tick 2
 *     tick 3
 *     tick 4
 *     tick 5
 *     the timer is off
 */
#include "guest.h"

static volatile int ticks;

static void tick(int signal)
{
    check(signal == SIGALRM);
    ticks++;
}

int main(void)
{
    struct sigaction action;
    struct itimerval timer, old;
    sigset_t block, open;
    memset(&action, 0, sizeof action);
    memset(&timer, 0, sizeof timer);
    action.sa_handler = tick;
    check(sigaction(SIGALRM, &action, NULL) == 0);
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    check(sigprocmask(SIG_BLOCK, &block, &open) == 0);
    timer.it_interval.tv_usec = timer.it_value.tv_usec = 10000;
    check(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    for (int said = 0; said < 5;) {
        check(sigsuspend(&open) == -1 && errno == EINTR);
        if (ticks > said)
            say("tick %d\n", ++said);
        cr_point();
    }
    memset(&timer, 0, sizeof timer);
    check(setitimer(ITIMER_REAL, &timer, &old) == 0);
    check(old.it_interval.tv_sec == 0 && old.it_interval.tv_usec == 10000);
    check(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_usec == 0);
    say("the timer is off\n");
    return 0;
}
