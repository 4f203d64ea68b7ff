/* POSIX timers: signals with a value, overruns of what nobody took, and the end of a timer.
 *
 * prints:
 *     off at first
 *     signal 12 code -2 value 5
 *     three missed while blocked: 3
 *     stopped, with an interval of 100000000 before
 *     without a signal it only counts down
 *     deleted, and gone: 22
 *     no such clock: 22, no such signal: 22, at nowhere: 14
 */
#include "guest.h"

struct spec {
    struct timespec interval, value;
};
struct event {
    union sigval value;
    int signo, notify, tid;
    char rest[64];
};

static volatile int signal_seen, code_seen, value_seen;

static void told(int signal, siginfo_t *info, void *context)
{
    (void)context;
    signal_seen = signal;
    code_seen = info->si_code;
    value_seen = ((int *)&info->si_value)[0];
}

static long set_time(int timer, long interval_ms, long value_ms, struct spec *old)
{
    struct spec spec = {{0, interval_ms * 1000000}, {0, value_ms * 1000000}};
    return raw_syscall(NR_timer_settime, timer, 0, (long)&spec, (long)old, 0, 0);
}

int main(void)
{
    struct event event;
    struct sigaction action;
    struct spec spec;
    sigset_t block, open;
    int timer = -1, silent = -1;
    memset(&event, 0, sizeof event);
    memset(&action, 0, sizeof action);
    event.value.sival_int = 5;
    event.signo = SIGUSR2;
    action.sa_sigaction = told;
    action.sa_flags = SA_SIGINFO;
    check(sigaction(SIGUSR2, &action, NULL) == 0);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR2);
    check(sigprocmask(SIG_BLOCK, &block, &open) == 0);
    check(raw_syscall(NR_timer_create, 1, (long)&event, (long)&timer, 0, 0, 0) == 0);
    check(raw_syscall(NR_timer_gettime, timer, (long)&spec, 0, 0, 0, 0) == 0);
    check(spec.value.tv_sec == 0 && spec.value.tv_nsec == 0);
    say("off at first\n");
    check(set_time(timer, 0, 20, NULL) == 0);
    check(sigsuspend(&open) == -1 && errno == EINTR);
    say("signal %d code %d value %d\n", signal_seen, code_seen, value_seen);
    check(set_time(timer, 100, 100, NULL) == 0);
    struct timespec nap = {0, 450000000};
    check(nanosleep(&nap, NULL) == 0);
    signal_seen = 0;
    check(sigsuspend(&open) == -1 && signal_seen == SIGUSR2);
    say("three missed while blocked: %ld\n", raw_syscall(NR_timer_getoverrun, timer, 0, 0, 0, 0, 0));
    check(set_time(timer, 0, 0, &spec) == 0);
    check(spec.value.tv_nsec > 0 && spec.value.tv_nsec <= 100000000);
    say("stopped, with an interval of %ld before\n", spec.interval.tv_nsec);
    event.notify = 1;
    check(raw_syscall(NR_timer_create, 0, (long)&event, (long)&silent, 0, 0, 0) == 0);
    check(set_time(silent, 0, 10, NULL) == 0);
    nap.tv_nsec = 30000000;
    check(nanosleep(&nap, NULL) == 0);
    check(raw_syscall(NR_timer_gettime, silent, (long)&spec, 0, 0, 0, 0) == 0);
    check(spec.value.tv_sec == 0 && spec.value.tv_nsec == 0);
    say("without a signal it only counts down\n");
    check(raw_syscall(NR_timer_delete, timer, 0, 0, 0, 0, 0) == 0);
    say("deleted, and gone: %ld\n", -raw_syscall(NR_timer_delete, timer, 0, 0, 0, 0, 0));
    long clock = raw_syscall(NR_timer_create, 99, (long)&event, (long)&timer, 0, 0, 0);
    event.notify = 0;
    event.signo = 99;
    long bad = raw_syscall(NR_timer_create, 1, (long)&event, (long)&timer, 0, 0, 0);
    event.signo = 10;
    say("no such clock: %ld, no such signal: %ld, at nowhere: %ld\n", -clock, -bad,
        -raw_syscall(NR_timer_create, 1, (long)&event, 1, 0, 0, 0));
    return 0;
}
