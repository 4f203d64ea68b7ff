/* What can be asked of a socket and set, and what is refused.
 *
 * libc: both
 * prints:
 *     type 1, listening 0
 *     send buffer 16384, receive buffer 32768
 *     a receive that gave up: EAGAIN
 *     a low-water mark: 4 bytes came together
 *     linger 1 5
 *     no such option: ENOPROTOOPT, EOPNOTSUPP
 *     no socket: ENOTSOCK, EBADF; no family: EAFNOSUPPORT
 *     a copy shares the socket: x
 *     a socket has no position: ESPIPE
 */
#include "sockets.h"

static int option(int fd, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    check(getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 && length == sizeof value);
    return value;
}

int main(void)
{
    int pair[2], size = 8192;
    char text[8];
    struct linger linger = {1, 5};
    struct timeval short_time = {0, 20000};
    socklen_t length = sizeof linger;
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    check(fcntl(pair[0], F_GETFD) == FD_CLOEXEC);
    check(fcntl(pair[0], F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(pair[1], F_SETFL, 0) == 0);
    say("type %d, listening %d\n", option(pair[0], SO_TYPE), option(pair[0], SO_ACCEPTCONN));
    check(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    size = 16384;
    check(setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    cr_point();
    say("send buffer %d, receive buffer %d\n", option(pair[0], SO_SNDBUF),
        option(pair[0], SO_RCVBUF));
    check(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time) == 0);
    cr_point();
    check(recv(pair[1], text, 1, 0) == -1 && errno == EAGAIN);
    say("a receive that gave up: EAGAIN\n");
    short_time.tv_usec = 0;
    size = 4;
    check(setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time) == 0);
    check(setsockopt(pair[1], SOL_SOCKET, SO_RCVLOWAT, &size, sizeof size) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        check(write(pair[0], "ab", 2) == 2);
        sched_yield();
        check(write(pair[0], "cd", 2) == 2);
        _exit(0);
    }
    check(recv(pair[1], text, 8, 0) == 4 && waitpid(pid, NULL, 0) == pid);
    say("a low-water mark: 4 bytes came together\n");
    check(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    memset(&linger, 0, sizeof linger);
    cr_point();
    check(getsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, &length) == 0);
    say("linger %d %d\n", linger.l_onoff, linger.l_linger);
    length = sizeof size;
    check(getsockopt(pair[0], SOL_SOCKET, 999, &size, &length) == -1 && errno == 92);
    check(setsockopt(pair[0], IPPROTO_TCP, 1, &size, sizeof size) == -1 && errno == EOPNOTSUPP);
    say("no such option: ENOPROTOOPT, EOPNOTSUPP\n");
    check(listen(STDOUT_FILENO, 1) == -1 && errno == ENOTSOCK);
    check(listen(99, 1) == -1 && errno == EBADF);
    check(socket(39, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
    check(socket(AF_UNIX, 9, 0) == -1 && errno == ESOCKTNOSUPPORT);
    say("no socket: ENOTSOCK, EBADF; no family: EAFNOSUPPORT\n");
    int copy = dup(pair[0]);
    check(close(pair[0]) == 0 && write(copy, "x", 1) == 1);
    size = 1;
    check(setsockopt(pair[1], SOL_SOCKET, SO_RCVLOWAT, &size, sizeof size) == 0);
    cr_point();
    memset(text, 0, sizeof text);
    check(read(pair[1], text, 8) == 1);
    say("a copy shares the socket: %s\n", text);
    check(lseek(copy, 0, SEEK_SET) == -1 && errno == ESPIPE);
    say("a socket has no position: ESPIPE\n");
    return 0;
}
