/* pidfd: an open file means a process: it is readable when the process has ended, takes signals,
 * gives descriptors away, and never means another one.
 *
 * order: any
 * prints:
 *     running: not readable
 *     a signal came
 *     its descriptor: said by the child
 *     ended: readable
 *     waited for by pidfd: status 7
 *     gone: ESRCH ECHILD
 *     cloexec: 1
 *     wrong: EINVAL EINVAL ESRCH EBADF EINVAL
 */
#include "guest.h"

#ifndef POLLIN
#define POLLIN 1
struct pollfd {
    int fd;
    short events, revents;
};
#endif

enum { BY_PIDFD = 3, EXITED = 4 };
static volatile int came;

static void on_signal(int signal)
{
    came = signal;
}

static int readable(int fd, int timeout)
{
    struct pollfd wanted = {fd, POLLIN, 0};
    raw_syscall(NR_poll, (long)&wanted, 1, timeout, 0, 0, 0);
    return wanted.revents & POLLIN;
}

static const char *problem(long result)
{
    return result >= 0 ? "none" : result == -EINVAL ? "EINVAL" : result == -ESRCH ? "ESRCH"
         : result == -EBADF ? "EBADF" : result == -ECHILD ? "ECHILD" : "another";
}

int main(void)
{
    struct sigaction action;
    int words[2], status[32];
    char text[32];
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGUSR1, &action, NULL) == 0 && pipe(words) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int ends[2];
        check(pipe(ends) == 0 && write(ends[1], "said by the child", 18) == 18);
        char number = (char)ends[0];
        check(write(words[1], &number, 1) == 1);
        while (!came) {
            struct timespec time = {0, 1000000};
            nanosleep(&time, NULL);
        }
        _exit(7);
    }
    char number;
    check(read(words[0], &number, 1) == 1);
    int fd = (int)raw_syscall(NR_pidfd_open, pid, 0, 0, 0, 0, 0);
    check(fd >= 0);
    say("running: %s\n", readable(fd, 0) ? "readable" : "not readable");
    int theirs = (int)raw_syscall(NR_pidfd_getfd, fd, number, 0, 0, 0, 0);
    check(raw_syscall(NR_pidfd_send_signal, fd, 0, 0, 0, 0, 0) == 0);
    check(raw_syscall(NR_pidfd_send_signal, fd, SIGUSR1, 0, 0, 0, 0) == 0);
    say("a signal came\n");
    check(theirs >= 0 && read(theirs, text, sizeof text) == 18);
    say("its descriptor: %s\n", text);
    say("ended: %s\n", readable(fd, -1) ? "readable" : "not readable");
    memset(status, 0, sizeof status);
    check(raw_syscall(NR_waitid, BY_PIDFD, fd, (long)status, EXITED, 0, 0) == 0);
    say("waited for by pidfd: status %d\n", status[sizeof(long) == 8 ? 6 : 5]);
    const char *gone = problem(raw_syscall(NR_pidfd_send_signal, fd, SIGUSR1, 0, 0, 0, 0));
    say("gone: %s %s\n", gone,
        problem(raw_syscall(NR_waitid, BY_PIDFD, fd, (long)status, EXITED, 0, 0)));
    say("cloexec: %d\n", fcntl(fd, F_GETFD));
    const char *zero = problem(raw_syscall(NR_pidfd_open, 0, 0, 0, 0, 0, 0));
    const char *flags = problem(raw_syscall(NR_pidfd_open, getpid(), 1, 0, 0, 0, 0));
    const char *nobody = problem(raw_syscall(NR_pidfd_open, pid, 0, 0, 0, 0, 0));
    const char *other = problem(raw_syscall(NR_pidfd_send_signal, words[0], 0, 0, 0, 0, 0));
    fd = (int)raw_syscall(NR_pidfd_open, getpid(), 0, 0, 0, 0, 0);
    say("wrong: %s %s %s %s %s\n", zero, flags, nobody, other,
        problem(raw_syscall(NR_pidfd_send_signal, fd, 99, 0, 0, 0, 0)));
    return 0;
}
