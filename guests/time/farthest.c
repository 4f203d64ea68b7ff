/* Waits and timers that are set for the longest time there is: nobody comes back from them, and
 * what is left of a timer is told.
 *
 * order: any
 * prints:
 *     nobody has come back
 *     the timers go on: 1 1 1
 *     their intervals are kept: 1 1 1
 */
#include <limits.h>

#include "sockets.h"

enum { REALTIME = 0, ABSOLUTE = 1, WAIT = 0, LOCK_PI = 6, WAIT_BITSET = 9 };

struct two_words { /* struct timespec or timeval */
    long seconds, rest;
};

static const struct two_words longest = {LONG_MAX, 999999999};
static const struct two_words longest_us = {LONG_MAX, 999999};
static int word;

static void sleep_for(void)
{
    raw_syscall(NR_nanosleep, (long)&longest, 0, 0, 0, 0, 0);
}

static void sleep_until(void)
{
    raw_syscall(NR_clock_nanosleep, REALTIME, ABSOLUTE, (long)&longest, 0, 0, 0);
}

static void wait_in_poll(void)
{
    struct two_words time = longest; /* what is left is stored there */
    raw_syscall(NR_ppoll, 0, 0, (long)&time, 0, 8, 0);
}

static void wait_in_select(void)
{
    struct two_words time = longest;
    raw_syscall(NR_pselect6, 0, 0, 0, 0, (long)&time, 0);
}

static void wait_in_futex(void)
{
    raw_syscall(NR_futex, (long)&word, WAIT, 0, (long)&longest, 0, 0);
}

static void wait_in_futex_until(void)
{
    raw_syscall(NR_futex, (long)&word, WAIT_BITSET, 0, (long)&longest, 0, 1);
}

static void wait_for_signal(void)
{
    unsigned long mask[8 / sizeof(long)] = {1u << (SIGUSR2 - 1)};
    raw_syscall(NR_rt_sigtimedwait, (long)mask, 0, (long)&longest, 8, 0, 0);
}

static void receive_within(long seconds)
{
    struct two_words time = {seconds, 999999};
    int sockets[2];
    char byte;
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    check(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
    recv(sockets[0], &byte, 1, 0);
}

static void wait_for_byte(void)
{
    receive_within(LONG_MAX);
}

static void wait_a_million_years(void)
{
    receive_within(sizeof(long) == 8 ? 31536000000000 : INT_MAX - 1);
}

static void (*const waits[])(void) = {
    sleep_for,           sleep_until,     wait_in_poll,  wait_in_select,  wait_in_futex,
    wait_in_futex_until, wait_for_signal, wait_for_byte, wait_a_million_years,
};
enum { WAITS = sizeof waits / sizeof *waits };

static void let_all_wait(void)
{
    pid_t pids[WAITS];
    struct timespec moment = {0, 20000000};
    int status;
    for (int i = 0; i < WAITS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            waits[i]();
            say("wait %d has come back\n", i);
            _exit(1);
        }
    }
    check(nanosleep(&moment, NULL) == 0);
    cr_point();
    for (int i = 0; i < WAITS; i++) {
        check(kill(pids[i], SIGKILL) == 0 && waitpid(pids[i], &status, 0) == pids[i]);
        check(WIFSIGNALED(status));
    }
    say("nobody has come back\n");
}

static int is_long(long seconds)
{
    return seconds > 1000000000;
}

static void set_timers(void)
{
    struct two_words real[2] = {longest_us, longest_us}, spec[2] = {longest, longest};
    int timer, fd = (int)raw_syscall(NR_timerfd_create, REALTIME, 0, 0, 0, 0, 0);
    check(raw_syscall(NR_setitimer, ITIMER_REAL, (long)real, 0, 0, 0, 0) == 0);
    check(raw_syscall(NR_setitimer, ITIMER_VIRTUAL, (long)real, 0, 0, 0, 0) == 0);
    check(raw_syscall(NR_timer_create, REALTIME, 0, (long)&timer, 0, 0, 0) == 0);
    check(raw_syscall(NR_timer_settime, timer, 0, (long)spec, 0, 0, 0) == 0);
    check(raw_syscall(NR_timerfd_settime, fd, 0, (long)spec, 0, 0, 0) == 0);
    cr_point();
    long left[3], interval[3];
    check(raw_syscall(NR_getitimer, ITIMER_REAL, (long)real, 0, 0, 0, 0) == 0);
    left[0] = real[1].seconds, interval[0] = real[0].seconds;
    check(raw_syscall(NR_timer_gettime, timer, (long)spec, 0, 0, 0, 0) == 0);
    left[1] = spec[1].seconds, interval[1] = spec[0].seconds;
    check(raw_syscall(NR_timerfd_gettime, fd, (long)spec, 0, 0, 0, 0) == 0);
    left[2] = spec[1].seconds, interval[2] = spec[0].seconds;
    say("the timers go on: %d %d %d\n", is_long(left[0]), is_long(left[1]), is_long(left[2]));
    say("their intervals are kept: %d %d %d\n", is_long(interval[0]), is_long(interval[1]),
        is_long(interval[2]));
}

int main(void)
{
    let_all_wait();
    set_timers();
    return 0;
}
