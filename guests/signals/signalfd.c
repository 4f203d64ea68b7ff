/* signalfd: blocked signals are read from a file, those of a child as well.
 *
 * prints:
 *     nothing pending: 11
 *     signal 10 code 0 from myself
 *     signal 12 code -1 with 77
 *     polled
 *     signal 17 code 1 status 3 from the child
 *     other signals now: 11
 *     too small: 22, no signalfd: 22
 */
#include "guest.h"

struct record {
    uint32_t signo;
    int32_t error, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t tid, band, overrun, trapno;
    int32_t status, value;
    uint64_t pointer, user_time, system_time, addr;
    char rest[48];
};

static long open_signals(int fd, const sigset_t *set, long flags)
{
    return raw_syscall(NR_signalfd4, fd, (long)set, 8, flags, 0, 0);
}

int main(void)
{
    sigset_t set;
    struct record got[3];
    int status;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    int fd = (int)open_signals(-1, &set, O_NONBLOCK);
    check(fd >= 0 && sizeof got[0] == 128);
    check(read(fd, got, sizeof got) == -1);
    say("nothing pending: %d\n", errno);
    union sigval value;
    memset(&value, 0, sizeof value);
    value.sival_ptr = (void *)77;
    check(kill(getpid(), SIGUSR1) == 0 && sigqueue(getpid(), SIGUSR2, value) == 0);
    check(read(fd, got, sizeof got) == 256);
    check(got[0].pid == (uint32_t)getpid());
    say("signal %u code %d from myself\n", got[0].signo, got[0].code);
    say("signal %u code %d with %d\n", got[1].signo, got[1].code, (int)got[1].pointer);
    check(fcntl(fd, F_SETFL, 0) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    struct {
        int fd;
        short events, revents;
    } asked = {fd, 1, 0};
    struct timespec second = {5, 0};
    check(raw_syscall(NR_ppoll, (long)&asked, 1, (long)&second, 0, 0, 0) == 1);
    check(asked.revents == 1);
    say("polled\n");
    check(read(fd, got, sizeof got) == 128 && got[0].pid == (uint32_t)child);
    say("signal %u code %d status %d from the child\n", got[0].signo, got[0].code, got[0].status);
    check(waitpid(child, &status, 0) == child);
    sigdelset(&set, SIGUSR1);
    check(open_signals(fd, &set, 0) == fd && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    check(kill(getpid(), SIGUSR1) == 0 && read(fd, got, sizeof got) == -1);
    say("other signals now: %d\n", errno);
    check(read(fd, got, 127) == -1);
    say("too small: %d, no signalfd: %ld\n", errno, -open_signals(1, &set, 0));
    return 0;
}
