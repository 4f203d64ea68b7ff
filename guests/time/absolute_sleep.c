/* clock_nanosleep until a time: the past is at once, a handler interrupts it without a rest, and
 * wrong clocks and times are refused.
 *
 * order: any
 * prints:
 *     the past: 0
 *     until then, on both clocks: 0 0
 *     interrupted: 4, nothing is stored
 *     begun again it ends in time: 0
 *     for a while, interrupted: 4, some is left
 *     wrong: 22 22 22 14
 */
#include "guest.h"

enum { REALTIME = 0, MONOTONIC = 1, ABSOLUTE = 1 };

static volatile int came;

static void on_signal(int signal)
{
    came = signal;
}

static int sleep_on(long clock, long flags, struct timespec *time, struct timespec *left)
{
    return (int)-raw_syscall(NR_clock_nanosleep, clock, flags, (long)time, (long)left, 0, 0);
}

static struct timespec later(int clock, long ms)
{
    struct timespec now;
    check(clock_gettime(clock, &now) == 0);
    now.tv_nsec += ms * 1000000;
    now.tv_sec += now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    return now;
}

static int passed(int clock, const struct timespec *then)
{
    struct timespec now;
    check(clock_gettime(clock, &now) == 0);
    return now.tv_sec > then->tv_sec
        || (now.tv_sec == then->tv_sec && now.tv_nsec >= then->tv_nsec);
}

static pid_t signal_soon(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct timespec time = {0, 5000000};
        nanosleep(&time, NULL);
        check(kill(getppid(), SIGUSR1) == 0);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    struct sigaction action;
    int status;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGUSR1, &action, NULL) == 0);
    struct timespec past = {0, 1}, left = {77, 77};
    say("the past: %d\n", sleep_on(MONOTONIC, ABSOLUTE, &past, NULL));
    struct timespec then = later(MONOTONIC, 5);
    int first = sleep_on(MONOTONIC, ABSOLUTE, &then, NULL);
    check(passed(MONOTONIC, &then));
    then = later(REALTIME, 5);
    int second = sleep_on(REALTIME, ABSOLUTE, &then, NULL);
    check(passed(REALTIME, &then));
    say("until then, on both clocks: %d %d\n", first, second);
    then = later(MONOTONIC, 40);
    pid_t pid = signal_soon();
    int result = sleep_on(MONOTONIC, ABSOLUTE, &then, &left);
    check(came == SIGUSR1 && left.tv_sec == 77 && left.tv_nsec == 77);
    say("interrupted: %d, nothing is stored\n", result);
    result = sleep_on(MONOTONIC, ABSOLUTE, &then, NULL);
    check(passed(MONOTONIC, &then) && waitpid(pid, &status, 0) == pid);
    say("begun again it ends in time: %d\n", result);
    struct timespec second_long = {1, 0};
    pid = signal_soon();
    result = sleep_on(MONOTONIC, 0, &second_long, &left);
    check(left.tv_sec == 0 && left.tv_nsec > 0 && waitpid(pid, &status, 0) == pid);
    say("for a while, interrupted: %d, some is left\n", result);
    struct timespec bad = {0, 1000000000}, negative = {-1, 0};
    int nanos = sleep_on(MONOTONIC, 0, &bad, NULL), before = sleep_on(MONOTONIC, 0, &negative, NULL);
    int clock = sleep_on(77, 0, &past, NULL);
    say("wrong: %d %d %d %d\n", nanos, before, clock,
        sleep_on(MONOTONIC, 0, (struct timespec *)16, NULL));
    return 0;
}
