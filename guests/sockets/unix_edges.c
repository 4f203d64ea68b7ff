/* UNIX sockets at their edges: what a listener shows, whose name a message has, and what is wrong
 * first.
 *
 * order: any
 * prints:
 *     a listener: 0, with a caller: 1; its bytes: EINVAL
 *     accepting after shutdown: EAGAIN
 *     packets: 8 bytes, the first has 5
 *     nameless sender: 0, named: 5, at its end: 5
 *     room for more than the peer's name: EINVAL
 *     an address of no bytes: 3
 *     refused: ECONNREFUSED, what waited: EAGAIN
 *     no connection and no descriptor: ENOTCONN
 *     unread packets were lost: ECONNRESET, then EPIPE
 *     no address and shut: EINVAL
 *     in vain, but with a name: 8
 */
#include "sockets.h"

enum { PEERNAME = 28 };

static const char *problem(long result)
{
    return result >= 0 ? "none" : errno == EINVAL ? "EINVAL" : errno == EAGAIN ? "EAGAIN"
         : errno == ENOTCONN ? "ENOTCONN" : errno == ECONNRESET ? "ECONNRESET"
         : errno == ECONNREFUSED ? "ECONNREFUSED" : errno == EPIPE ? "EPIPE" : "another";
}

/* The length of the sender's name. */
static int name_bytes(int fd, int flags)
{
    char data[4];
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    check(recvfrom(fd, data, sizeof data, flags, (struct sockaddr *)&name, &length) > 0);
    return length;
}

static void listener(void)
{
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), bytes;
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind_unix(server, "@one") == 0 && listen(server, 5) == 0);
    struct pollfd news = {server, POLLIN | POLLOUT, 0};
    check(poll(&news, 1, 0) == 0);
    int before = news.revents;
    check(connect_unix(client, "@one") == 0 && poll(&news, 1, 0) == 1);
    cr_point();
    say("a listener: %d, with a caller: %d; its bytes: %s\n", before, news.revents,
        problem(ioctl(server, FIONREAD, &bytes)));
    int fd = accept(server, NULL, NULL);
    check(fd >= 0 && shutdown(server, SHUT_RD) == 0);
    say("accepting after shutdown: %s\n", problem(accept(server, NULL, NULL)));
    close(server);
    close(client);
    close(fd);
}

static void names(void)
{
    int pair[2], bytes;
    char text[8];
    check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    check(write(pair[0], "three", 5) == 5 && write(pair[0], "one", 3) == 3);
    check(ioctl(pair[1], FIONREAD, &bytes) == 0 && read(pair[1], text, 8) == 5);
    say("packets: %d bytes, the first has 5\n", bytes);
    close(pair[0]);
    close(pair[1]);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[0], "nine byte", 9) == 9);
    int nameless = name_bytes(pair[1], 0);
    check(bind_unix(pair[0], "@an") == 0);
    int named = name_bytes(pair[1], 0);
    close(pair[0]);
    cr_point();
    say("nameless sender: %d, named: %d, at its end: %d\n", nameless, named,
        name_bytes(pair[1], MSG_WAITALL));
    close(pair[1]);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    socklen_t length = 3;
    say("room for more than the peer's name: %s\n",
        problem(getsockopt(pair[0], SOL_SOCKET, PEERNAME, text, &length)));
    close(pair[0]);
    close(pair[1]);
}

static void order(void)
{
    int pair[2], bad = 99;
    char text[8], control[CMSG_SPACE(sizeof bad)];
    struct sockaddr_un nobody = {AF_UNIX, ""};
    check(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0);
    say("an address of no bytes: %d\n",
        (int)sendto(pair[0], "abc", 3, 0, (struct sockaddr *)&nobody, 0));
    check(write(pair[1], "waits", 5) == 5 && close(pair[1]) == 0);
    const char *refused = problem(write(pair[0], "x", 1));
    say("refused: %s, what waited: %s\n", refused, problem(read(pair[0], text, 8)));
    int alone = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    struct iovec part = {"x", 1};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    memset(control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_LEN(sizeof bad);
    struct cmsghdr *head = (struct cmsghdr *)control;
    head->cmsg_len = CMSG_LEN(sizeof bad);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(head), &bad, sizeof bad);
    say("no connection and no descriptor: %s\n", problem(sendmsg(alone, &message, 0)));
    check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    check(write(pair[0], "unread", 6) == 6 && close(pair[1]) == 0);
    const char *first = problem(send(pair[0], "x", 1, MSG_NOSIGNAL));
    say("unread packets were lost: %s, then %s\n", first,
        problem(send(pair[0], "x", 1, MSG_NOSIGNAL)));
    int shut = socket(AF_UNIX, SOCK_DGRAM, 0);
    check(shutdown(shut, SHUT_RDWR) == 0);
    say("no address and shut: %s\n",
        problem(sendto(shut, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)text, 2)));
}

int main(void)
{
    listener();
    names();
    order();
    int asks = socket(AF_UNIX, SOCK_DGRAM, 0), on = 1;
    check(setsockopt(asks, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    check(connect_unix(asks, "@nobody") == -1 && errno == ECONNREFUSED);
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    check(getsockname(asks, (struct sockaddr *)&name, &length) == 0);
    say("in vain, but with a name: %d\n", (int)length);
    return 0;
}
