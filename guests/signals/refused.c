/* Signals that cannot be sent, and what is wrong first; SIGCONT, which a session shares; and that
 * a SIGCONT which continues nobody disturbs nobody.
 *
 * order: any
 * prints:
 *     no process, no signal: ESRCH, no group, no signal: ESRCH
 *     a process, no signal: EINVAL, a thread, no signal: EINVAL, no thread, no signal: ESRCH
 *     the kernel's own code to nobody: EPERM, to a child: EPERM, to myself: none
 *     a user's code to nobody: ESRCH, no signal: EINVAL
 *     a code of the kernel's to thread -1: EINVAL, to nobody: EPERM
 *     another user: SIGUSR1 EPERM, SIGCONT none, nobody EPERM, no signal EINVAL
 *     another session: SIGCONT EPERM
 *     not disturbed: 0
 */
#include "guest.h"

enum { NOBODY = 999999, NO_SIGNAL = 65, TO_THREAD = -6, FROM_KERNEL = 128, FROM_USER = -1 };

static const char *problem(long result)
{
    return result >= 0 ? "none" : result == -EPERM ? "EPERM" : result == -ESRCH ? "ESRCH"
         : result == -EINVAL ? "EINVAL" : "another";
}

static const char *send_to(long pid, int signal)
{
    return problem(raw_syscall(NR_kill, pid, signal, 0, 0, 0, 0));
}

static const char *thread(long tid, int signal)
{
    return problem(raw_syscall(NR_tkill, tid, signal, 0, 0, 0, 0));
}

static const char *queue(long pid, int signal, int code)
{
    int info[32];
    memset(info, 0, sizeof info);
    info[2] = code;
    return problem(raw_syscall(NR_rt_sigqueueinfo, pid, signal, (long)info, 0, 0, 0));
}

static const char *queue_thread(long tid, int signal, int code)
{
    int info[32];
    memset(info, 0, sizeof info);
    info[2] = code;
    return problem(raw_syscall(NR_rt_tgsigqueueinfo, tid, tid, signal, (long)info, 0, 0));
}

static pid_t sleeper(int ready, int new_session)
{
    pid_t pid = fork();
    char byte = 0;
    if (pid == 0) {
        check(!new_session || setsid() == getpid());
        check(write(ready, &byte, 1) == 1);
        for (;;)
            pause();
    }
    return pid;
}

static void another_user(pid_t same, pid_t other)
{
    const char *user = send_to(same, SIGUSR1), *go_on = send_to(same, SIGCONT);
    say("another user: SIGUSR1 %s, SIGCONT %s, nobody %s, no signal %s\n", user, go_on,
        send_to(same, 0), send_to(same, NO_SIGNAL));
    say("another session: SIGCONT %s\n", send_to(other, SIGCONT));
}

int main(void)
{
    int ready[2], status;
    char bytes[2];
    check(pipe(ready) == 0);
    pid_t pid = sleeper(ready[1], 0), other = sleeper(ready[1], 1);
    check(read(ready[0], bytes, 1) == 1 && read(ready[0], bytes, 1) == 1);
    say("no process, no signal: %s, no group, no signal: %s\n", send_to(NOBODY, NO_SIGNAL),
        send_to(-NOBODY, -1));
    say("a process, no signal: %s, a thread, no signal: %s, no thread, no signal: %s\n",
        send_to(pid, -1), thread(pid, NO_SIGNAL), thread(NOBODY, NO_SIGNAL));
    say("the kernel's own code to nobody: %s, to a child: %s, to myself: %s\n",
        queue(NOBODY, NO_SIGNAL, FROM_KERNEL), queue(pid, SIGUSR1, TO_THREAD),
        queue(getpid(), SIGCHLD, FROM_KERNEL));
    say("a user's code to nobody: %s, no signal: %s\n", queue(NOBODY, NO_SIGNAL, FROM_USER),
        queue(pid, NO_SIGNAL, FROM_USER));
    say("a code of the kernel's to thread -1: %s, to nobody: %s\n",
        queue_thread(-1, SIGCHLD, FROM_KERNEL), queue_thread(NOBODY, SIGCHLD, FROM_KERNEL));
    pid_t asker = fork();
    if (asker == 0) {
        check(raw_syscall(NR_setresuid, 1000, 1000, 1000, 0, 0, 0) == 0);
        another_user(pid, other);
        _exit(0);
    }
    check(waitpid(asker, &status, 0) == asker && status == 0);
    pid_t poller = fork();
    if (poller == 0) {
        int set = raw_syscall(NR_epoll_create1, 0, 0, 0, 0, 0, 0);
        struct { int words[3]; } event;
        check(write(ready[1], bytes, 1) == 1);
        _exit(raw_syscall(NR_epoll_wait, set, (long)&event, 1, 300, 0, 0) != 0);
    }
    struct timespec moment = {0, 50000000};
    check(read(ready[0], bytes, 1) == 1 && nanosleep(&moment, NULL) == 0);
    check(kill(poller, SIGCONT) == 0 && waitpid(poller, &status, 0) == poller);
    say("not disturbed: %d\n", WEXITSTATUS(status));
    check(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    check(kill(other, SIGKILL) == 0 && waitpid(other, &status, 0) == other);
    return 0;
}
