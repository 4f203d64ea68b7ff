/* Packets in sequence: bounds are kept, and the end is seen.
 *
 * libc: both
 * prints:
 *     one, three
 *     cut: thr
 *     not connected: ENOTCONN
 *     accepted: first
 *     after the last packet: end of file
 *     nobody reads: EPIPE
 *     closed before it was accepted: ECONNRESET
 */
#include "sockets.h"

static char text[32];

int main(void)
{
    int pair[2], truncated, count, flags;
    check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    check(write(pair[0], "one", 3) == 3 && write(pair[0], "three", 5) == 5);
    cr_point();
    memset(text, 0, sizeof text);
    check(read(pair[1], text, 16) == 3 && read(pair[1], text + 16, 16) == 5);
    say("%s, %s\n", text, text + 16);
    check(write(pair[0], "three", 5) == 5);
    memset(text, 0, sizeof text);
    check(recv_fds(pair[1], text, 3, &truncated, &count, 0, &flags) == 3 && flags == MSG_TRUNC);
    say("cut: %s\n", text);
    int server = socket(AF_UNIX, SOCK_SEQPACKET, 0), client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    check(read(client, text, 1) == -1 && errno == ENOTCONN);
    check(write(client, text, 1) == -1 && errno == ENOTCONN);
    say("not connected: ENOTCONN\n");
    check(bind_unix(server, "@server") == 0 && listen(server, 5) == 0);
    check(connect_unix(client, "@server") == 0 && write(client, "first", 5) == 5);
    cr_point();
    int fd = accept(server, NULL, NULL);
    memset(text, 0, sizeof text);
    check(fd > 0 && read(fd, text, 16) == 5);
    say("accepted: %s\n", text);
    check(write(fd, "last", 4) == 4 && close(fd) == 0);
    cr_point();
    check(read(client, text, 16) == 4 && read(client, text, 16) == 0);
    say("after the last packet: end of file\n");
    check(write(client, "x", 1) == -1 && errno == EPIPE);
    say("nobody reads: EPIPE\n");
    check(close(client) == 0);
    client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    check(connect_unix(client, "@server") == 0 && close(server) == 0);
    cr_point();
    check(read(client, text, 1) == -1 && errno == ECONNRESET);
    say("closed before it was accepted: ECONNRESET\n");
    return 0;
}
