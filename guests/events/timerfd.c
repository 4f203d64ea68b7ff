/* timerfd: once and at intervals, polled, read late, stopped.
 *
 * prints:
 *     off: 0 0
 *     not yet: 11
 *     after 20 ms: 1
 *     three intervals later: 3
 *     polled: 1, read 1
 *     the interval is 10000000, less than that is left
 *     at a time long past: 1
 *     stopped: 11
 *     cancelled when the clock is set: 0, other flags: 22
 *     clock 77: 22, no timer: 22, too many nanoseconds: 22
 */
#include "epoll.h"

struct spec {
    struct timespec interval, value;
};

static int set_time(int fd, int flags, long interval_ms, long value_ms)
{
    struct spec spec = {{0, interval_ms * 1000000}, {0, value_ms * 1000000}};
    return (int)raw_syscall(NR_timerfd_settime, fd, flags, (long)&spec, 0, 0, 0);
}

static int take(int fd)
{
    uint64_t ticks = 0;
    return read(fd, &ticks, 8) == 8 ? (int)ticks : errno;
}

int main(void)
{
    struct spec spec;
    int fd = (int)raw_syscall(NR_timerfd_create, 1, O_NONBLOCK, 0, 0, 0, 0), set = set_new();
    struct event event;
    check(fd >= 0);
    check(raw_syscall(NR_timerfd_gettime, fd, (long)&spec, 0, 0, 0, 0) == 0);
    say("off: %ld %ld\n", spec.value.tv_sec, spec.value.tv_nsec);
    check(set_time(fd, 0, 0, 20) == 0);
    say("not yet: %d\n", take(fd));
    check(fcntl(fd, F_SETFL, 0) == 0);
    say("after 20 ms: %d\n", take(fd));
    check(set_time(fd, 0, 100, 100) == 0);
    struct timespec pause_time = {0, 350000000};
    check(nanosleep(&pause_time, NULL) == 0);
    say("three intervals later: %d\n", take(fd));
    check(set_time(fd, 0, 10, 10) == 0 && control(set, ADD, fd, IN, 5) == 0);
    int n = (int)raw_syscall(NR_epoll_wait, set, (long)&event, 1, -1, 0, 0);
    say("polled: %d, read %d\n", n, take(fd) > 0);
    check(raw_syscall(NR_timerfd_gettime, fd, (long)&spec, 0, 0, 0, 0) == 0);
    check(spec.value.tv_sec == 0 && spec.value.tv_nsec > 0 && spec.value.tv_nsec <= 10000000);
    say("the interval is %ld, less than that is left\n", spec.interval.tv_nsec);
    check(set_time(fd, 1, 0, 1) == 0);
    say("at a time long past: %d\n", take(fd));
    check(set_time(fd, 0, 0, 0) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    say("stopped: %d\n", take(fd));
    say("cancelled when the clock is set: %d, other flags: %d\n", -set_time(fd, 3, 0, 0),
        -set_time(fd, 4, 0, 0));
    say("clock 77: %ld, no timer: %d, too many nanoseconds: %d\n",
        -raw_syscall(NR_timerfd_create, 77, 0, 0, 0, 0, 0), -set_time(set, 0, 0, 1),
        -set_time(fd, 0, 0, 1000));
    return 0;
}
