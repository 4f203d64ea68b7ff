/* The first thread of a process ends alone, the others go on: the process still gets its signals,
 * timers, and news of its children, and how it ends is told when the last thread has.
 *
 * libc: musl
 * order: any
 * prints:
 *     not ended yet
 *     signal 10, alarm 14, child 17
 *     the whole process: exit status 3
 *     thread by thread: exit status 7
 *     killed: 9
 */
#include "guest.h"
#include <pthread.h>

static volatile int came[3];

static void on_signal(int signal)
{
    came[signal == SIGUSR1 ? 0 : signal == SIGALRM ? 1 : 2] = signal;
}

static void nap(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    while (nanosleep(&time, &time) != 0)
        check(errno == EINTR);
}

static void *live_on(void *argument)
{
    const char *how = argument;
    struct itimerval soon = {{0, 0}, {0, 3000}};
    if (how[0] == 'k')
        for (;;)
            pause();
    nap(2);
    if (how[0] == 't')
        raw_syscall(NR_exit, 7, 0, 0, 0, 0, 0);
    while (!came[0])
        pause();
    check(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    while (!came[1] || !came[2])
        nap(1);
    check(waitpid(child, NULL, 0) == child);
    say("signal %d, alarm %d, child %d\n", came[0], came[1], came[2]);
    exit(3);
}

static pid_t start(const char *how)
{
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        check(pthread_create(&thread, NULL, live_on, (void *)how) == 0);
        raw_syscall(NR_exit, 7, 0, 0, 0, 0, 0);
    }
    return pid;
}

int main(void)
{
    int status;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    check(sigaction(SIGCHLD, &action, NULL) == 0);
    pid_t pid = start("signals");
    nap(4);
    check(waitpid(pid, &status, WNOHANG) == 0);
    say("not ended yet\n");
    check(kill(pid, SIGUSR1) == 0);
    while (waitpid(pid, &status, 0) != pid)
        check(errno == EINTR);
    check(WIFEXITED(status));
    say("the whole process: exit status %d\n", WEXITSTATUS(status));
    pid = start("thread");
    while (waitpid(pid, &status, 0) != pid)
        check(errno == EINTR);
    check(WIFEXITED(status));
    say("thread by thread: exit status %d\n", WEXITSTATUS(status));
    pid = start("killed");
    nap(2);
    check(kill(pid, SIGKILL) == 0);
    while (waitpid(pid, &status, 0) != pid)
        check(errno == EINTR);
    say("killed: %d\n", WTERMSIG(status));
    return 0;
}
