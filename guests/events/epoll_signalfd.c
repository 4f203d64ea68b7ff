/* An epoll set that watches a signalfd: it has news when one of the signals is pending, until it is
 * read; edges only once.
 *
 * prints:
 *     nothing yet: 0
 *     a signal: 1 7/1
 *     still there: 1 7/1
 *     read: 10
 *     taken: 0
 *     another signal: 0
 *     both watched, an edge: 1 8/1
 *     told already: 0
 *     by a child while we wait: 1 7/1
 *     read: 10
 */
#include "epoll.h"

static int read_one(int fd)
{
    uint32_t record[32];
    check(read(fd, record, sizeof record) == 128);
    return (int)record[0];
}

int main(void)
{
    sigset_t set;
    int status;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    int fd = (int)raw_syscall(NR_signalfd4, -1, (long)&set, 8, O_NONBLOCK, 0, 0);
    sigaddset(&set, SIGUSR2);
    check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    int watching = set_new();
    check(control(watching, ADD, fd, IN, 7) == 0);
    news(watching, "nothing yet", 4, 0);
    check(kill(getpid(), SIGUSR1) == 0);
    news(watching, "a signal", 4, 0);
    news(watching, "still there", 4, 0);
    say("read: %d\n", read_one(fd));
    news(watching, "taken", 4, 0);
    check(kill(getpid(), SIGUSR2) == 0);
    news(watching, "another signal", 4, 0);
    int both = (int)raw_syscall(NR_signalfd4, -1, (long)&set, 8, O_NONBLOCK, 0, 0);
    check(control(watching, ADD, both, IN | ET, 8) == 0);
    news(watching, "both watched, an edge", 4, 0);
    news(watching, "told already", 4, 0);
    check(control(watching, DEL, both, 0, 0) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct timespec time = {0, 5000000};
        nanosleep(&time, NULL);
        check(kill(getppid(), SIGUSR1) == 0);
        _exit(0);
    }
    news(watching, "by a child while we wait", 4, -1);
    say("read: %d\n", read_one(fd));
    check(waitpid(pid, &status, 0) == pid && status == 0);
    return 0;
}
