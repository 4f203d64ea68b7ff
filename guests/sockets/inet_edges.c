/* TCP and UDP at their edges: what a connection is after its end, and when bytes count.
 *
 * order: any
 * prints:
 *     three bytes of four: 0, then 1
 *     thrown away unread: 4, untouched
 *     sent to one who has shut both ways: 1, then ECONNRESET there and EPIPE here
 *     connecting once more: EISCONN, listening: EINVAL
 *     bound once more: none
 *     disconnected in the middle: ECONNRESET, then connected
 *     no family, any address: none, an address: EAFNOSUPPORT
 *     a datagram for nobody: EDESTADDRREQ, a port: 1
 *     a peer's port 0: ENOTCONN
 */
#include "sockets.h"

enum { NO_DESTINATION = 89 };

static struct sockaddr_in name;
static struct sockaddr *to = (struct sockaddr *)&name;
static char text[8];

static const char *problem(long result)
{
    return result >= 0 ? "none" : errno == EINVAL ? "EINVAL" : errno == EISCONN ? "EISCONN"
         : errno == ENOTCONN ? "ENOTCONN" : errno == ECONNRESET ? "ECONNRESET"
         : errno == EPIPE ? "EPIPE" : errno == EAFNOSUPPORT ? "EAFNOSUPPORT"
         : errno == NO_DESTINATION ? "EDESTADDRREQ" : "another";
}

static int client_of(int server, int *other)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, to, sizeof name) == 0);
    *other = accept(server, NULL, NULL);
    check(*other >= 0);
    return fd;
}

static int readable(int fd)
{
    struct pollfd one = {fd, POLLIN, 0};
    return poll(&one, 1, 0);
}

static void ended(int server)
{
    int other, fd = client_of(server, &other);
    check(shutdown(other, SHUT_RDWR) == 0 && read(fd, text, 8) == 0);
    long sent = write(fd, "x", 1);
    cr_point();
    const char *there = problem(sendto(other, "x", 1, MSG_NOSIGNAL, NULL, 0));
    int error = 0;
    socklen_t length = sizeof error;
    check(getsockopt(other, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    if (error == ECONNRESET)
        there = "ECONNRESET";
    say("sent to one who has shut both ways: %d, then %s there and %s here\n", (int)sent, there,
        problem(send(fd, "x", 1, MSG_NOSIGNAL)));
    const char *again = problem(connect(fd, to, sizeof name));
    say("connecting once more: %s, listening: %s\n", again, problem(listen(fd, 1)));
    struct sockaddr_in any = inet_address(INADDR_ANY, 0);
    say("bound once more: %s\n", problem(bind(fd, (struct sockaddr *)&any, sizeof any)));
    close(fd);
    close(other);
    fd = client_of(server, &other);
    struct sockaddr none = {AF_UNSPEC, ""};
    check(connect(fd, &none, sizeof none) == 0);
    cr_point();
    const char *first = problem(send(fd, "x", 1, MSG_NOSIGNAL));
    check(connect(fd, to, sizeof name) == 0);
    say("disconnected in the middle: %s, then connected\n", first);
    close(fd);
    close(other);
}

int main(void)
{
    int server = socket(AF_INET, SOCK_STREAM, 0), other, four = 4;
    socklen_t length = sizeof name;
    name = inet_address(INADDR_LOOPBACK, 0);
    check(bind(server, to, sizeof name) == 0 && listen(server, 5) == 0);
    check(getsockname(server, to, &length) == 0);
    int fd = client_of(server, &other);
    check(setsockopt(other, SOL_SOCKET, SO_RCVLOWAT, &four, sizeof four) == 0);
    check(write(fd, "abc", 3) == 3);
    int before = readable(other);
    check(write(fd, "d", 1) == 1);
    cr_point();
    say("three bytes of four: %d, then %d\n", before, readable(other));
    memset(text, 'z', sizeof text);
    long count = recv(other, text, sizeof text, MSG_TRUNC);
    say("thrown away unread: %d, %s\n", (int)count, text[0] == 'z' ? "untouched" : "touched");
    close(fd);
    close(other);
    ended(server);
    struct sockaddr_in unspecified = inet_address(INADDR_ANY, 0);
    unspecified.sin_family = AF_UNSPEC;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    const char *any = problem(bind(fd, (struct sockaddr *)&unspecified, sizeof name));
    unspecified.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    other = socket(AF_INET, SOCK_DGRAM, 0);
    say("no family, any address: %s, an address: %s\n", any,
        problem(bind(other, (struct sockaddr *)&unspecified, sizeof name)));
    const char *nobody = problem(write(other, "x", 1));
    length = sizeof unspecified;
    check(getsockname(other, (struct sockaddr *)&unspecified, &length) == 0);
    say("a datagram for nobody: %s, a port: %d\n", nobody, unspecified.sin_port != 0);
    name = inet_address(INADDR_LOOPBACK, 0);
    check(connect(fd, to, sizeof name) == 0);
    say("a peer's port 0: %s\n", problem(getpeername(fd, to, &length)));
    return 0;
}
