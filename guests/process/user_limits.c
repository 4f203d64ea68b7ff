/* What one user may have at once, processes and queued signals, and whom a user may signal or limit.
 * (In qemu's user mode its own threads are the user's, too.)
 *
 * prints:
 *     the administrator may have more than one process
 *     a user: a child, then 11
 *     and again when the child is gone: a child
 *     three signals are queued, then 11
 *     kill of a real-time signal: 0
 *     a signal with a value: 0
 *     kill of an ordinary signal: 0
 *     signal 10: code 0, known 0
 *     signal 12: code 0, known 1
 *     signal 29: code 128, known 0
 *     signal 40: code -1, value 7
 *     signal 40: code -1, value 8
 *     signal 40: code -1, value 9
 *     signal 41: code 0, known 0
 *     to the administrator: kill 1, SIGCONT of the same session 0
 *     to everybody, and nobody may be told: 0
 *     limits of another's process: 1, of one's own 0
 */
#include "sysv.h"

enum { RLIMIT_NPROC = 6, RLIMIT_SIGPENDING = 11, QUEUED = 40, SET_BYTES = 8 };

static union {
    siginfo_t info;
    char room[128];
} came;

static void limit(int which, unsigned long most)
{
    struct rlimit both;
    check(getrlimit(which, &both) == 0);
    both.rlim_cur = most;
    check(setrlimit(which, &both) == 0);
}

/* A child that lives until a byte comes, or the end of the pipe; an errno if there is none. */
static int child_waits_for(int *ends)
{
    char byte;
    pid_t pid = fork();
    if (pid < 0)
        return errno;
    if (pid == 0) {
        close(ends[1]);
        check(read(ends[0], &byte, 1) == 1);
        _exit(0);
    }
    return 0;
}

static int queue(int signal, int number)
{
    union sigval value;
    memset(&value, 0, sizeof value);
    value.sival_int = number;
    return sigqueue(getpid(), signal, value) == 0 ? 0 : errno;
}

static void processes(int *ends)
{
    int status;
    say("a user: %s, ", child_waits_for(ends) == 0 ? "a child" : "none");
    cr_point();
    say("then %d\n", child_waits_for(ends));
    check(write(ends[1], "x", 1) == 1 && waitpid(-1, &status, 0) > 0 && status == 0);
    say("and again when the child is gone: %s\n",
        child_waits_for(ends) == 0 ? "a child" : "none");
    check(write(ends[1], "x", 1) == 1 && waitpid(-1, &status, 0) > 0 && status == 0);
}

/* A file that tells by a real-time signal what has happened: without room, SIGIO says that it has. */
static void told_by_file(void)
{
    int ends[2];
    check(pipe(ends) == 0 && fcntl(ends[0], F_SETOWN, getpid()) == 0);
    check(fcntl(ends[0], F_SETSIG, QUEUED + 2) == 0 && fcntl(ends[0], F_SETFL, O_ASYNC) == 0);
    check(write(ends[1], "x", 1) == 1);
}

static void signals(void)
{
    sigset_t all;
    struct timespec now = {0, 0};
    sigfillset(&all);
    check(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    limit(RLIMIT_SIGPENDING, 3);
    check(queue(QUEUED, 7) == 0 && queue(QUEUED, 8) == 0 && queue(QUEUED, 9) == 0);
    say("three signals are queued, then %d\n", queue(QUEUED, 10));
    cr_point();
    say("kill of a real-time signal: %d\n", kill(getpid(), QUEUED + 1));
    say("a signal with a value: %d\n", queue(SIGUSR1, 11));
    say("kill of an ordinary signal: %d\n", kill(getpid(), SIGUSR2));
    told_by_file();
    for (;;) {
        long signal = raw_syscall(NR_rt_sigtimedwait, (long)&all, (long)&came, (long)&now,
                                  SET_BYTES, 0, 0);
        if (signal < 0)
            break;
        cr_point();
        if (came.info.si_code == SI_QUEUE)
            say("signal %ld: code %d, value %d\n", signal, came.info.si_code,
                came.info.si_value.sival_int);
        else
            say("signal %ld: code %d, known %d\n", signal, came.info.si_code,
                came.info.si_pid == getpid());
    }
}

int main(void)
{
    int ends[2], status;
    pid_t administrator = getpid();
    /* Its own user: those of other runs must not count. */
    long user = 50000 + administrator % 10000;
    unsigned long long wide[2];
    check(pipe(ends) == 0);
    limit(RLIMIT_NPROC, 1);
    pid_t pid = fork();
    check(pid >= 0);
    if (pid > 0) {
        check(waitpid(pid, &status, 0) == pid);
        return WEXITSTATUS(status);
    }
    say("the administrator may have more than one process\n");
    limit(RLIMIT_NPROC, 2);
    check(raw_syscall(NR_setuid, user, 0, 0, 0, 0, 0) == 0);
    processes(ends);
    signals();
    check(kill(administrator, 0) == -1);
    say("to the administrator: kill %d, ", errno);
    say("SIGCONT of the same session %d\n", kill(administrator, SIGCONT));
    say("to everybody, and nobody may be told: %d\n", kill(-1, 0));
    say("limits of another's process: %ld, of one's own %ld\n",
        -raw_syscall(NR_prlimit64, administrator, RLIMIT_NOFILE, 0, (long)wide, 0, 0),
        -raw_syscall(NR_prlimit64, 0, RLIMIT_NOFILE, 0, (long)wide, 0, 0));
    return 0;
}
