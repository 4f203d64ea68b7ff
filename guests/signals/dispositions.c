/* Ignored, default and one-shot signals; the table of handlers and its masks read back.
 *
 * libc: both
 * prints:
 *     ignored
 *     default of SIGCHLD: nothing
 *     once
 *     the handler is gone: 1
 *     mask and flags are kept: 1 0 1
 */
#include "guest.h"

static void once(int signal)
{
    check(signal == SIGUSR1);
    say("once\n");
}

int main(void)
{
    struct sigaction action, old;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    check(sigaction(SIGUSR2, &action, &old) == 0 && old.sa_handler == SIG_DFL);
    cr_point();
    check(raise(SIGUSR2) == 0);
    say("ignored\n");
    check(raise(SIGCHLD) == 0);
    say("default of SIGCHLD: nothing\n");
    action.sa_handler = once;
    action.sa_flags = SA_RESETHAND;
    check(sigaction(SIGUSR1, &action, NULL) == 0);
    cr_point();
    check(raise(SIGUSR1) == 0);
    check(sigaction(SIGUSR1, NULL, &old) == 0);
    say("the handler is gone: %d\n", old.sa_handler == SIG_DFL);
    action.sa_flags = SA_RESTART;
    sigaddset(&action.sa_mask, SIGTERM);
    check(sigaction(SIGHUP, &action, NULL) == 0);
    cr_point();
    check(sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == once);
    say("mask and flags are kept: %d %d %d\n", sigismember(&old.sa_mask, SIGTERM),
        sigismember(&old.sa_mask, SIGINT), (old.sa_flags & SA_RESTART) != 0);
    check(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
    return 0;
}
