/* Blocked signals stay pending over checkpoints, once each, and arrive when they are unblocked.
 *
 * libc: both
 * prints:
 *     blocked and raised: pending 1 1 0
 *     nothing came yet
 *     got 10
 *     got 12
 *     unblocked: pending 0 0 0, 2 signals came
 */
#include "guest.h"

static volatile int came;

static void handler(int signal)
{
    came++;
    say("got %d\n", signal);
    cr_point();
}

static int is_pending(int signal)
{
    sigset_t set;
    check(sigpending(&set) == 0);
    return sigismember(&set, signal);
}

int main(void)
{
    struct sigaction action;
    sigset_t set, old;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigfillset(&action.sa_mask); /* one handler at a time: then the lower number comes first */
    check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGHUP);
    check(sigprocmask(SIG_BLOCK, &set, &old) == 0 && !sigismember(&old, SIGUSR1));
    check(raise(SIGUSR2) == 0 && raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0);
    cr_point();
    say("blocked and raised: pending %d %d %d\n", is_pending(SIGUSR1), is_pending(SIGUSR2),
        is_pending(SIGHUP));
    check(came == 0);
    say("nothing came yet\n");
    cr_point();
    check(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    say("unblocked: pending %d %d %d, %d signals came\n", is_pending(SIGUSR1),
        is_pending(SIGUSR2), is_pending(SIGHUP), came);
    return 0;
}
