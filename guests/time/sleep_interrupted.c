/* A signal ends a long nanosleep with EINTR, and the rest of the time is told; so is that of alarm.
 *
 * libc: both
 * prints:
 *     rings
 *     interrupted, more than 98 of 100 seconds are left
 *     an alarm was set: nearly 50 seconds were left
 */
#include "guest.h"

static void ring(int signal)
{
    check(signal == SIGALRM);
    say("rings\n");
    cr_point();
}

int main(void)
{
    struct sigaction action;
    struct itimerval timer;
    struct timespec asked = {100, 0}, left = {0, 0};
    memset(&action, 0, sizeof action);
    memset(&timer, 0, sizeof timer);
    action.sa_handler = ring;
    action.sa_flags = SA_RESTART; /* nanosleep does not care */
    check(sigaction(SIGALRM, &action, NULL) == 0);
    timer.it_value.tv_usec = 30000;
    check(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    check(nanosleep(&asked, &left) == -1 && errno == EINTR);
    check(left.tv_sec >= 98 && left.tv_sec < 100);
    say("interrupted, more than 98 of 100 seconds are left\n");
    check(alarm(50) == 0);
    cr_point();
    unsigned int rest = alarm(0);
    check(rest >= 49 && rest <= 50);
    say("an alarm was set: nearly 50 seconds were left\n");
    return 0;
}
