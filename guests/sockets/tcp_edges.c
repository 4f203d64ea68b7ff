/* TCP at its edges: connecting without waiting, resets, ports of closed connections.
 *
 * libc: both
 * prints:
 *     not blocking: EINPROGRESS, then writable, then connected
 *     refused without waiting: SO_ERROR says ECONNREFUSED
 *     a new socket: oh
 *     accepting nothing: EAGAIN
 *     closed with bytes unread: ECONNRESET
 *     written to a closed end: taken, then EPIPE
 *     the port waits: EADDRINUSE, not with SO_REUSEADDR
 *     not connected: ENOTCONN, EPIPE
 *     the listener left: ECONNRESET
 */
#include "sockets.h"

static struct sockaddr_in name;
static struct sockaddr *to = (struct sockaddr *)&name;

static int listener(int port, int reuse)
{
    socklen_t length = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    name = inet_address(INADDR_LOOPBACK, port);
    check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse) == 0);
    if (bind(fd, to, sizeof name) != 0) {
        check(close(fd) == 0);
        errno = EADDRINUSE;
        return -1;
    }
    check(listen(fd, 3) == 0 && getsockname(fd, to, &length) == 0);
    return fd;
}

static void without_waiting(int server)
{
    int error = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t length = sizeof error;
    struct pollfd one = {fd, POLLOUT | 0x200, 0}; /* POLLWRBAND: TCP has no such thing */
    check(connect(fd, to, sizeof name) == -1 && errno == EINPROGRESS);
    cr_point();
    check(poll(&one, 1, 1000) == 1 && one.revents == POLLOUT);
    check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0);
    check(connect(fd, to, sizeof name) == 0);
    check(connect(fd, to, sizeof name) == -1 && errno == EISCONN);
    say("not blocking: EINPROGRESS, then writable, then connected\n");
    int child = accept(server, NULL, NULL);
    check(child > 0 && close(child) == 0 && close(fd) == 0);
    struct sockaddr_in nowhere = inet_address(INADDR_LOOPBACK, 9);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check(connect(fd, (struct sockaddr *)&nowhere, sizeof nowhere) == -1 && errno == EINPROGRESS);
    one.fd = fd;
    cr_point();
    check(poll(&one, 1, 1000) == 1 && one.revents == (POLLOUT | POLLERR | POLLHUP));
    check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == ECONNREFUSED);
    check(close(fd) == 0);
    say("refused without waiting: SO_ERROR says ECONNREFUSED\n");
}

static int pair(int server, int *other)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, to, sizeof name) == 0);
    *other = accept(server, NULL, NULL);
    check(*other > 0);
    return fd;
}

int main(void)
{
    struct sigaction action;
    char text[8];
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    check(sigaction(SIGPIPE, &action, NULL) == 0);
    int other, fd, server = listener(0, 0), port = ntohs(name.sin_port);
    without_waiting(server);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    say("a new socket: %s\n", poll_letters(fd));
    check(fcntl(server, F_SETFL, O_NONBLOCK) == 0);
    check(accept(server, NULL, NULL) == -1 && errno == EAGAIN && close(fd) == 0);
    check(fcntl(server, F_SETFL, 0) == 0);
    say("accepting nothing: EAGAIN\n");
    fd = pair(server, &other);
    check(write(fd, "unread", 6) == 6 && close(other) == 0);
    cr_point();
    check(strcmp(poll_letters(fd), "ioehr") == 0);
    check(read(fd, text, 8) == -1 && errno == ECONNRESET && read(fd, text, 8) == 0);
    check(close(fd) == 0);
    say("closed with bytes unread: ECONNRESET\n");
    fd = pair(server, &other);
    check(close(other) == 0);
    cr_point();
    check(read(fd, text, 8) == 0 && write(fd, "x", 1) == 1);
    cr_point();
    check(write(fd, "x", 1) == -1 && errno == EPIPE && close(fd) == 0);
    say("written to a closed end: taken, then EPIPE\n");
    fd = pair(server, &other);
    check(close(other) == 0 && read(fd, text, 8) == 0 && close(fd) == 0 && close(server) == 0);
    cr_point();
    check(listener(port, 0) == -1);
    int value = 1;
    server = listener(0, 1);
    int reused = ntohs(name.sin_port);
    fd = pair(server, &other);
    check(close(other) == 0 && read(fd, text, 8) == 0 && close(fd) == 0 && close(server) == 0);
    cr_point();
    server = listener(reused, value);
    check(server > 0);
    say("the port waits: EADDRINUSE, not with SO_REUSEADDR\n");
    fd = socket(AF_INET, SOCK_STREAM, 0);
    check(read(fd, text, 8) == -1 && errno == ENOTCONN);
    check(write(fd, text, 8) == -1 && errno == EPIPE);
    check(shutdown(fd, SHUT_WR) == -1 && errno == ENOTCONN && close(fd) == 0);
    say("not connected: ENOTCONN, EPIPE\n");
    fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, to, sizeof name) == 0);
    cr_point();
    check(close(server) == 0 && read(fd, text, 8) == -1 && errno == ECONNRESET);
    say("the listener left: ECONNRESET\n");
    return 0;
}
