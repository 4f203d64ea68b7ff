/* vfork: the parent waits until the child has its own memory or is gone; until then they share all
 * of it.
 *
 * libc: musl
 * arches: x86_32 x86_64
 * prints:
 *     the child first, then the parent: 1 2
 *     the child has written here: 42
 *     until it runs another program: 6
 *     a signal waits as well
 */
#include "guest.h"

static volatile int order[2], place, written, came;

static void on_signal(int signal)
{
    came = signal;
}

/* Not inlined: the child must not touch what its parent keeps on the stack. */
__attribute__((noinline)) static long share(int (*child)(void))
{
    pid_t pid = vfork();
    if (pid == 0)
        _exit(child());
    return pid;
}

static int write_here(void)
{
    order[place++] = 1;
    written = 42;
    return 0;
}

static int run_another(void)
{
    char *arguments[] = {"again", "6", NULL};
    execve("/proc/self/exe", arguments, environ);
    return 99;
}

static int signal_parent(void)
{
    struct timespec time = {0, 2000000};
    kill(getppid(), SIGUSR1);
    nanosleep(&time, NULL);
    return came == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status;
    if (argc > 1)
        return atoi(argv[1]);
    long pid = share(write_here);
    order[place++] = 2;
    check(waitpid((pid_t)pid, &status, 0) == pid && status == 0);
    say("the child first, then the parent: %d %d\n", order[0], order[1]);
    say("the child has written here: %d\n", written);
    pid = share(run_another);
    check(waitpid((pid_t)pid, &status, 0) == pid);
    say("until it runs another program: %d\n", WEXITSTATUS(status));
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    check(sigaction(SIGUSR1, &action, NULL) == 0);
    pid = share(signal_parent);
    check(came == SIGUSR1);
    check(waitpid((pid_t)pid, &status, 0) == pid && status == 0);
    say("a signal waits as well\n");
    return 0;
}
