/* Signals for who waits in vfork are kept until the child has gone: then all of them are taken
 * before anything else runs. A thread may wait in vfork as well, and the others go on.
 *
 * libc: musl
 * arches: x86_32 x86_64
 * prints:
 *     the child ended with 1, handled 15, nothing pending 1
 *     the others go on
 *     the thread's child ended with 6
 */
#include "guest.h"
#include <pthread.h>

static volatile int came, pending = -1;

static void on_signal(int signal)
{
    sigset_t set;
    check(sigpending(&set) == 0);
    pending = sigismember(&set, SIGCONT);
    came = signal;
}

static void nap(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

static void *wait_in_vfork(void *argument)
{
    char *arguments[] = {"again", "6", NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        nap(2);
        execve("/proc/self/exe", arguments, environ);
        _exit(99);
    }
    *(pid_t *)argument = pid;
    return NULL;
}

int main(int argc, char **argv)
{
    int status;
    struct sigaction action;
    pthread_t thread;
    if (argc > 1)
        return atoi(argv[1]);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGTERM, &action, NULL) == 0);
    pid_t parent = getpid(), sender = fork();
    if (sender == 0) {
        nap(1);
        check(kill(parent, SIGCONT) == 0 && kill(parent, SIGTERM) == 0);
        _exit(0);
    }
    pid_t pid = vfork();
    if (pid == 0) {
        nap(3);
        _exit(1);
    }
    check(waitpid(pid, &status, 0) == pid && waitpid(sender, NULL, 0) == sender);
    say("the child ended with %d, handled %d, nothing pending %d\n", WEXITSTATUS(status), came,
        pending == 0);
    check(pthread_create(&thread, NULL, wait_in_vfork, &pid) == 0);
    nap(1);
    say("the others go on\n");
    check(pthread_join(thread, NULL) == 0);
    check(waitpid(pid, &status, 0) == pid);
    say("the thread's child ended with %d\n", WEXITSTATUS(status));
    return 0;
}
