/* sigtimedwait takes signals that are not blocked, too; but one that would end the process does so,
 * unless it would leave a core.
 *
 * libc: musl
 * prints:
 *     blocked: 14 is taken
 *     not blocked, with a handler: 10 is taken, and the handler did not run
 *     not blocked, leaves a core: 3 is taken
 *     not blocked: ended by 14
 */
#include "guest.h"

static volatile int handled;

static void on_signal(int signal)
{
    handled = signal;
}

/* A child waits for the signal, and its parent sends it; how it ended. */
static int wait_for(int signal, int block, int handle)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct timespec long_time = {5, 0};
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, signal);
        if (block)
            sigprocmask(SIG_BLOCK, &set, NULL);
        if (handle)
            sigaction(signal, &(struct sigaction){.sa_handler = on_signal}, NULL);
        _exit(sigtimedwait(&set, NULL, &long_time) + (handled ? 100 : 0));
    }
    int status;
    struct timespec a_while = {0, 30000000};
    nanosleep(&a_while, NULL);
    cr_point();
    check(kill(pid, signal) == 0 && waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void)
{
    say("blocked: %d is taken\n", wait_for(SIGALRM, 1, 0));
    say("not blocked, with a handler: %d is taken, and the handler did not run\n",
        wait_for(SIGUSR1, 0, 1));
    say("not blocked, leaves a core: %d is taken\n", wait_for(SIGQUIT, 0, 0));
    say("not blocked: ended by %d\n", -wait_for(SIGALRM, 0, 0));
    return 0;
}
