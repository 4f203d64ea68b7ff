/* UDP over the loopback: who it is from, what is cut, who is not there.
 *
 * libc: both
 * prints:
 *     from the sender's port: hello
 *     5 of 11 bytes
 *     connected: only its own peer's
 *     nobody there: ECONNREFUSED, once
 *     to whom? EDESTADDRREQ
 *     in IPv6: six
 */
#include "sockets.h"

static int named(struct sockaddr_in *name)
{
    socklen_t length = sizeof *name;
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    *name = inet_address(INADDR_LOOPBACK, 0);
    check(fd > 0 && bind(fd, (struct sockaddr *)name, sizeof *name) == 0);
    check(getsockname(fd, (struct sockaddr *)name, &length) == 0 && name->sin_port != 0);
    return fd;
}

int main(void)
{
    struct sockaddr_in one, other, third, from;
    socklen_t length = sizeof from;
    char text[16];
    int a = named(&one), b = named(&other), c = named(&third);
    check(sendto(b, "hello", 5, 0, (struct sockaddr *)&one, sizeof one) == 5);
    cr_point();
    memset(text, 0, sizeof text);
    check(recvfrom(a, text, 16, 0, (struct sockaddr *)&from, &length) == 5);
    check(length == sizeof from && from.sin_port == other.sin_port);
    say("from the sender's port: %s\n", text);
    check(sendto(b, "hello world", 11, 0, (struct sockaddr *)&one, sizeof one) == 11);
    int waiting = 0;
    check(ioctl(a, FIONREAD, &waiting) == 0 && recv(a, text, 5, 0) == 5);
    say("5 of %d bytes\n", waiting);
    check(connect(a, (struct sockaddr *)&other, sizeof other) == 0);
    check(sendto(c, "stranger", 8, 0, (struct sockaddr *)&one, sizeof one) == 8);
    check(sendto(b, "peer", 4, 0, (struct sockaddr *)&one, sizeof one) == 4);
    cr_point();
    check(recv(a, text, 16, 0) == 4 && recv(a, text, 16, MSG_DONTWAIT) == -1);
    say("connected: only its own peer's\n");
    check(close(b) == 0 && send(a, "x", 1, 0) == 1);
    cr_point();
    check(send(a, "x", 1, 0) == -1 && errno == ECONNREFUSED);
    say("nobody there: ECONNREFUSED, once\n");
    check(send(c, "x", 1, 0) == -1 && errno == 89);
    say("to whom? EDESTADDRREQ\n");
    struct sockaddr_in6 six;
    memset(&six, 0, sizeof six);
    six.sin6_family = AF_INET6;
    six.sin6_addr.s6_addr[15] = 1;
    length = sizeof six;
    int d = socket(AF_INET6, SOCK_DGRAM, 0), e = socket(AF_INET6, SOCK_DGRAM, 0);
    check(bind(d, (struct sockaddr *)&six, sizeof six) == 0);
    check(getsockname(d, (struct sockaddr *)&six, &length) == 0 && length == sizeof six);
    check(sendto(e, "six", 3, 0, (struct sockaddr *)&six, sizeof six) == 3);
    cr_point();
    memset(text, 0, sizeof text);
    memset(&six, 0, sizeof six);
    check(recvfrom(d, text, 16, 0, (struct sockaddr *)&six, &length) == 3);
    check(six.sin6_family == AF_INET6 && six.sin6_addr.s6_addr[15] == 1 && six.sin6_port != 0);
    say("in IPv6: %s\n", text);
    return 0;
}
