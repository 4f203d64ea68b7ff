/* epoll_pwait lets a signal through while it waits: the handler has run when the call is over, and
 * under the mask of the call, however late that is.
 *
 * order: any
 * prints:
 *     error 4, handled 10, then blocked again 1 pending 0
 *     error 4, handled 10, then blocked again 1 pending 1
 */
#include "guest.h"
#include "epoll.h"

static volatile int came;

static void on_signal(int signal)
{
    came = signal;
}

static void wait_for_it(int set, sigset_t *mask, pid_t pid)
{
    struct event event;
    sigset_t now;
    int status;
    came = 0;
    long result = raw_syscall(NR_epoll_pwait, set, (long)&event, 1, -1, (long)mask, 8);
    int handled = came;
    check(waitpid(pid, &status, 0) == pid && status == 0);
    check(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
    int blocked = sigismember(&now, SIGUSR1);
    check(sigpending(&now) == 0);
    say("error %d, handled %d, then blocked again %d pending %d\n", (int)-result, handled, blocked,
        sigismember(&now, SIGUSR2));
}

static pid_t send_later(int first, int second)
{
    struct timespec time = {0, 2000000};
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    nanosleep(&time, NULL);
    if (second)
        kill(parent, second);
    kill(parent, first);
    _exit(0);
}

int main(void)
{
    sigset_t mask;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGUSR2);
    check(sigprocmask(SIG_BLOCK, &mask, NULL) == 0);
    sigdelset(&mask, SIGUSR1);
    int set = set_new();
    check(set >= 0);
    wait_for_it(set, &mask, send_later(SIGUSR1, 0));
    wait_for_it(set, &mask, send_later(SIGUSR1, SIGUSR2));
    return 0;
}
