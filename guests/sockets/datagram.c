/* UNIX datagrams: names, senders, truncation, connected receivers, those that are gone.
 *
 * libc: both
 * prints:
 *     from @talker: hello
 *     from nobody: 3 of 11 bytes, the rest is lost
 *     an empty one
 *     to whom? ENOTCONN; to nobody: ECONNREFUSED; to a stream: EPROTOTYPE
 *     connected: to the listener
 *     the listener talks only to its friend: EPERM
 *     a closed sender is still named: @talker
 *     the listener is gone: ECONNREFUSED, then ENOTCONN
 *     a name by itself: 6 bytes, the first is 0
 */
#include "sockets.h"

static char text[32];
static struct sockaddr_un from;
static socklen_t length;

static ssize_t receive(int fd, int flags, size_t size)
{
    memset(text, 0, sizeof text);
    memset(&from, 0, sizeof from);
    length = sizeof from;
    return recvfrom(fd, text, size, flags, (struct sockaddr *)&from, &length);
}

int main(void)
{
    struct sockaddr_un name;
    socklen_t bytes = unix_address(&name, "@listener");
    struct sockaddr *to = (struct sockaddr *)&name;
    int listener = socket(AF_UNIX, SOCK_DGRAM, 0), talker = socket(AF_UNIX, SOCK_DGRAM, 0);
    int friend = socket(AF_UNIX, SOCK_DGRAM, 0);
    check(bind_unix(listener, "@listener") == 0 && bind_unix(talker, "@talker") == 0);
    check(bind_unix(talker, "@other") == -1 && errno == EINVAL);
    check(bind_unix(friend, "@talker") == -1 && errno == EADDRINUSE);
    check(sendto(talker, "hello", 5, 0, to, bytes) == 5);
    cr_point();
    check(receive(listener, 0, sizeof text) == 5 && length == 2 + 7 && from.sun_path[0] == 0);
    say("from @%s: %s\n", from.sun_path + 1, text);
    check(sendto(friend, "hello world", 11, 0, to, bytes) == 11);
    cr_point();
    check(receive(listener, MSG_PEEK | MSG_TRUNC, 3) == 11);
    check(receive(listener, 0, 3) == 3 && length == 0 && strcmp(text, "hel") == 0);
    check(receive(listener, MSG_DONTWAIT, 3) == -1 && errno == EAGAIN);
    say("from nobody: 3 of 11 bytes, the rest is lost\n");
    check(sendto(talker, "", 0, 0, to, bytes) == 0 && strcmp(poll_letters(listener), "io") == 0);
    check(receive(listener, 0, 3) == 0 && length == 2 + 7);
    say("an empty one\n");
    check(send(talker, "x", 1, 0) == -1 && errno == ENOTCONN);
    bytes = unix_address(&name, "@nobody");
    check(sendto(talker, "x", 1, 0, to, bytes) == -1 && errno == ECONNREFUSED);
    int stream = socket(AF_UNIX, SOCK_STREAM, 0), named = socket(AF_UNIX, SOCK_DGRAM, 0);
    check(connect_unix(stream, "@listener") == -1 && errno == ECONNREFUSED);
    check(bind_unix(named, "name") == 0);
    cr_point();
    check(connect_unix(stream, "name") == -1 && errno == EPROTOTYPE && unlink("name") == 0);
    say("to whom? ENOTCONN; to nobody: ECONNREFUSED; to a stream: EPROTOTYPE\n");
    check(connect_unix(talker, "@listener") == 0 && send(talker, "to the listener", 15, 0) == 15);
    cr_point();
    check(receive(listener, 0, sizeof text) == 15);
    say("connected: %s\n", text);
    check(bind_unix(friend, "@friend") == 0 && connect_unix(listener, "@friend") == 0);
    cr_point();
    check(send(talker, "x", 1, 0) == -1 && errno == EPERM);
    say("the listener talks only to its friend: EPERM\n");
    name.sun_family = AF_UNSPEC;
    check(connect(listener, to, 2) == 0 && send(talker, "bye", 3, 0) == 3 && close(talker) == 0);
    cr_point();
    check(receive(listener, 0, sizeof text) == 3);
    say("a closed sender is still named: @%s\n", from.sun_path + 1);
    check(connect_unix(friend, "@listener") == 0 && close(listener) == 0);
    cr_point();
    check(send(friend, "x", 1, 0) == -1 && errno == ECONNREFUSED);
    check(send(friend, "x", 1, 0) == -1 && errno == ENOTCONN);
    say("the listener is gone: ECONNREFUSED, then ENOTCONN\n");
    int unnamed = socket(AF_UNIX, SOCK_DGRAM, 0);
    name.sun_family = AF_UNIX;
    check(bind(unnamed, to, 2) == 0);
    length = sizeof from;
    cr_point();
    check(getsockname(unnamed, (struct sockaddr *)&from, &length) == 0 && length == 8);
    say("a name by itself: %d bytes, the first is %d\n", (int)length - 2, from.sun_path[0]);
    return 0;
}
