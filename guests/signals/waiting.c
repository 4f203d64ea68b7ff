/* sigsuspend and sigtimedwait: waiting for signals under another mask, or taking them one by one,
 * the lowest first, with what was sent along, for a while.
 *
 * order: any
 * prints:
 *     suspended: handled 10, interrupted 4, the mask is back
 *     pending meanwhile: 12 is not handled
 *     taken: 12, then 34 with 7, then 34 with 8
 *     in time: 11, at once: 11
 *     by a child: 17 code 1
 *     another signal interrupts: 4
 *     wrong: 22 14 22
 */
#include "guest.h"

static volatile int handled;

static void on_signal(int signal)
{
    handled = signal;
}

static long take(const sigset_t *set, int *info, long nanoseconds)
{
    struct timespec time = {0, nanoseconds};
    return raw_syscall(NR_rt_sigtimedwait, (long)set, (long)info,
                       nanoseconds < 0 ? 0 : (long)&time, 8, 0, 0);
}

static pid_t kill_later(int signal)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct timespec time = {0, 5000000};
        nanosleep(&time, NULL);
        if (signal)
            check(kill(getppid(), signal) == 0);
        _exit(3);
    }
    return pid;
}

int main(void)
{
    struct sigaction action;
    sigset_t most, none, set, now;
    int info[32], status;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
    sigemptyset(&most);
    sigaddset(&most, SIGUSR1);
    sigaddset(&most, SIGUSR2);
    sigaddset(&most, SIGCHLD);
    sigaddset(&most, 34);
    check(sigprocmask(SIG_SETMASK, &most, NULL) == 0);
    sigemptyset(&none);
    sigaddset(&none, SIGUSR2);
    pid_t pid = kill_later(SIGUSR1);
    check(kill(getpid(), SIGUSR2) == 0);
    long result = raw_syscall(NR_rt_sigsuspend, (long)&none, 8, 0, 0, 0, 0);
    check(sigprocmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR1) == 1);
    say("suspended: handled %d, interrupted %d, the mask is back\n", handled, (int)-result);
    check(waitpid(pid, &status, 0) == pid);
    say("pending meanwhile: 12 is %s\n", handled == 12 ? "handled" : "not handled");
    union sigval value;
    memset(&value, 0, sizeof value);
    value.sival_int = 7;
    check(sigqueue(getpid(), 34, value) == 0);
    value.sival_int = 8;
    check(sigqueue(getpid(), 34, value) == 0);
    sigemptyset(&set);
    sigaddset(&set, 34);
    sigaddset(&set, SIGUSR2);
    int first = (int)take(&set, NULL, -1), place = sizeof(long) == 8 ? 6 : 5;
    int second = (int)take(&set, info, -1), with = info[place];
    int third = (int)take(&set, info, -1);
    say("taken: %d, then %d with %d, then %d with %d\n", first, second, with, third, info[place]);
    int in_time = (int)-take(&set, NULL, 3000000);
    say("in time: %d, at once: %d\n", in_time, (int)-take(&set, NULL, 0));
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    take(&set, NULL, 0);
    pid = kill_later(0);
    first = (int)take(&set, info, -1);
    say("by a child: %d code %d\n", first, info[2]);
    check(waitpid(pid, &status, 0) == pid);
    sigemptyset(&none);
    sigaddset(&none, SIGUSR1);
    check(sigprocmask(SIG_UNBLOCK, &none, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, 34);
    pid = kill_later(SIGUSR1);
    say("another signal interrupts: %d\n", (int)-take(&set, NULL, -1));
    check(waitpid(pid, &status, 0) == pid);
    struct timespec bad = {0, 1000000000};
    int time = (int)-raw_syscall(NR_rt_sigtimedwait, (long)&set, 0, (long)&bad, 8, 0, 0);
    int fault = (int)-raw_syscall(NR_rt_sigtimedwait, 8, 0, 0, 8, 0, 0);
    say("wrong: %d %d %d\n", time, fault,
        (int)-raw_syscall(NR_rt_sigtimedwait, (long)&set, 0, 0, 4, 0, 0));
    return 0;
}
