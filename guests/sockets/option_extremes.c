/* Options of a socket at the ends of their ranges are kept, or cut as Linux cuts them.
 *
 * prints:
 *     to linger for less than nothing is for ever
 *     flags of 256 and -1: 1 1
 *     a low-water mark of 0: 1; of -7: 2147483647
 *     a timeout below 0: for ever
 *     a timeout of 10000 years: as it was set
 *     a timeout of 10 million years: as it was set
 *     which a receive can wait for
 */
#include "sockets.h"

static int option(int fd, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    check(getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 && length == sizeof value);
    return value;
}

static void set(int fd, int name, int value)
{
    check(setsockopt(fd, SOL_SOCKET, name, &value, sizeof value) == 0);
}

static struct linger linger_of(int fd)
{
    struct linger linger = {9, 9};
    socklen_t length = sizeof linger;
    check(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length) == 0);
    return linger;
}

static void show_timeout(int fd, const char *what, long seconds)
{
    struct timeval time = {seconds, 0};
    socklen_t length = sizeof time;
    check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
    cr_point();
    check(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &length) == 0);
    say("a timeout %s: %s\n", what,
        time.tv_sec == seconds ? "as it was set"
        : time.tv_sec == 0     ? "for ever"
                               : "cut");
}

int main(void)
{
    int pair[2];
    struct linger linger = {7, -5};
    char text[1];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    check(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    cr_point();
    struct linger kept = linger_of(pair[0]);
    check(kept.l_onoff == 1 && kept.l_linger != -5);
    linger.l_onoff = 0;
    linger.l_linger = 3;
    check(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    cr_point();
    check(linger_of(pair[0]).l_onoff == 0 && linger_of(pair[0]).l_linger == kept.l_linger);
    say("to linger for less than nothing is for ever\n");
    set(pair[0], SO_KEEPALIVE, 256);
    set(pair[0], SO_BROADCAST, -1);
    set(pair[0], SO_RCVLOWAT, 0);
    cr_point();
    say("flags of 256 and -1: %d %d\n", option(pair[0], SO_KEEPALIVE),
        option(pair[0], SO_BROADCAST));
    say("a low-water mark of 0: %d", option(pair[0], SO_RCVLOWAT));
    set(pair[0], SO_RCVLOWAT, -7);
    cr_point();
    say("; of -7: %d\n", option(pair[0], SO_RCVLOWAT));
    set(pair[0], SO_RCVLOWAT, 1);
    show_timeout(pair[0], "below 0", -5);
    check(recv(pair[0], text, 1, 0) == -1 && errno == EAGAIN);
    show_timeout(pair[0], "of 10000 years", sizeof(long) == 8 ? 315360000000 : 2147483647);
    show_timeout(pair[0], "of 10 million years",
                 sizeof(long) == 8 ? 315360000000000 : 2147483647);
    pid_t pid = fork();
    if (pid == 0) {
        sched_yield();
        check(write(pair[1], "x", 1) == 1);
        _exit(0);
    }
    check(recv(pair[0], text, 1, 0) == 1 && waitpid(pid, NULL, 0) == pid);
    say("which a receive can wait for\n");
    if (sizeof(long) == 8) {
        struct timeval most = {0x7fffffffffffffff, 999999}, told = {1, 1};
        socklen_t length = sizeof told;
        check(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) == 0);
        cr_point();
        check(getsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &told, &length) == 0);
        check(told.tv_sec == 0 && told.tv_usec == 0);
    }
    return 0;
}
