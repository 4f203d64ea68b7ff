/* A pair of connected streams: bytes in both directions, half-closed, closed with bytes unread.
 *
 * libc: both
 * prints:
 *     poll of a new end: o
 *     there: hello, back: world
 *     three writes, one read: onetwothree
 *     peeked ab, read abcd, 2 bytes were waiting
 *     nothing yet: EAGAIN
 *     half closed: i o h r, rest then end of file
 *     written to the half that is open: back
 *     EPIPE, and no signal with MSG_NOSIGNAL
 *     EPIPE, and SIGPIPE came
 *     closed with bytes unread: ECONNRESET, then end of file
 */
#include "sockets.h"

static volatile int broken;

static void on_broken(int signal)
{
    check(signal == SIGPIPE);
    broken++;
}

int main(void)
{
    char text[32];
    int ends[2], waiting = 0;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_broken;
    check(sigaction(SIGPIPE, &action, NULL) == 0);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    say("poll of a new end: %s\n", poll_letters(ends[0]));
    check(write(ends[0], "hello", 5) == 5 && write(ends[1], "world", 5) == 5);
    cr_point();
    memset(text, 0, sizeof text);
    check(read(ends[1], text, sizeof text) == 5 && read(ends[0], text + 6, 20) == 5);
    say("there: %s, back: %s\n", text, text + 6);
    check(send(ends[0], "one", 3, 0) == 3 && send(ends[0], "two", 3, 0) == 3);
    check(write(ends[0], "three", 5) == 5);
    memset(text, 0, sizeof text);
    check(recv(ends[1], text, sizeof text, 0) == 11);
    say("three writes, one read: %s\n", text);
    check(write(ends[0], "abcd", 4) == 4);
    memset(text, 0, sizeof text);
    check(recv(ends[1], text, 2, MSG_PEEK) == 2 && recv(ends[1], text + 6, 2, 0) == 2);
    check(ioctl(ends[1], FIONREAD, &waiting) == 0);
    cr_point();
    check(recv(ends[1], text + 8, 8, 0) == 2);
    say("peeked %s, read %s, %d bytes were waiting\n", text, text + 6, waiting);
    check(recv(ends[1], text, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    say("nothing yet: EAGAIN\n");
    check(write(ends[0], "rest", 4) == 4 && shutdown(ends[0], SHUT_WR) == 0);
    const char *letters = poll_letters(ends[1]);
    check(strcmp(letters, "ior") == 0);
    check(shutdown(ends[0], 7) == -1 && errno == EINVAL);
    check(read(ends[1], text, 8) == 4 && read(ends[1], text, 8) == 0);
    cr_point();
    check(read(ends[1], text, 8) == 0);
    say("half closed: i o h r, rest then end of file\n");
    check(write(ends[1], "back", 4) == 4);
    memset(text, 0, sizeof text);
    check(read(ends[0], text, 8) == 4);
    say("written to the half that is open: %s\n", text);
    check(send(ends[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE && broken == 0);
    say("EPIPE, and no signal with MSG_NOSIGNAL\n");
    check(write(ends[0], "x", 1) == -1 && errno == EPIPE && broken == 1);
    say("EPIPE, and SIGPIPE came\n");
    check(close(ends[0]) == 0 && close(ends[1]) == 0);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && write(ends[0], "lost", 4) == 4);
    check(close(ends[1]) == 0);
    cr_point();
    check(read(ends[0], text, 8) == -1 && errno == ECONNRESET && read(ends[0], text, 8) == 0);
    say("closed with bytes unread: ECONNRESET, then end of file\n");
    return 0;
}
