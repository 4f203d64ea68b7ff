/* Open files travel through sockets: more than one, to another process, into their own queue.
 *
 * libc: both
 * prints:
 *     one file: the sender closed it, the text is still there
 *     both share a position
 *     three files, room for two: cut
 *     no room at all: cut, and both are closed
 *     a run of bytes ends behind files: ab, cd
 *     a socket in its own queue is closed with it
 *     a pipe in a packet that waits: hello
 */
#include "sockets.h"

static char text[32];
static int got[8], count, flags;

static ssize_t receive(int over, int room)
{
    memset(text, 0, sizeof text);
    return recv_fds(over, text, sizeof text, got, &count, room, &flags);
}

static void pass_a_file(const int *pair)
{
    int status, fd = open("file", O_CREAT | O_RDWR, 0644);
    check(write(fd, "shared text", 11) == 11 && lseek(fd, 7, SEEK_SET) == 7);
    check(send_fds(pair[0], "take", &fd, 1) == 4 && close(fd) == 0);
    cr_point();
    pid_t pid = fork();
    if (pid == 0) {
        check(receive(pair[1], 2) == 4 && count == 1 && flags == 0);
        memset(text, 0, sizeof text);
        check(read(got[0], text, 2) == 2 && strcmp(text, "te") == 0);
        say("one file: the sender closed it, the text is still there\n");
        check(send_fds(pair[1], "x", got, 1) == 1);
        _exit(0);
    }
    check(waitpid(pid, &status, 0) == pid && status == 0);
    cr_point();
    check(receive(pair[0], 1) == 1 && count == 1 && read(got[0], text, 8) == 2);
    check(close(got[0]) == 0 && unlink("file") == 0);
    say("both share a position\n");
}

static void cut(const int *pair)
{
    int ends[2];
    check(pipe(ends) == 0 && send_fds(pair[0], "two", ends, 2) == 3);
    check(close(ends[0]) == 0);
    cr_point();
    int three[3] = {ends[1], ends[1], ends[1]};
    check(receive(pair[1], 2) == 3 && count == 2 && flags == 0);
    check(close(got[0]) == 0 && close(got[1]) == 0);
    check(send_fds(pair[0], "three", three, 3) == 5);
    cr_point();
    check(receive(pair[1], 2) == 5 && count == 2 && flags == MSG_CTRUNC);
    check(close(got[0]) == 0 && close(got[1]) == 0);
    say("three files, room for two: cut\n");
    check(pipe(got) == 0 && send_fds(pair[0], "two", got, 2) == 3 && close(got[0]) == 0);
    int writer = got[1];
    check(receive(pair[1], 0) == 3 && flags == MSG_CTRUNC && count == 0);
    cr_point();
    check(write(writer, "x", 1) == -1 && errno == EPIPE && close(writer) == 0);
    say("no room at all: cut, and both are closed\n");
    check(close(ends[1]) == 0);
}

int main(void)
{
    int pair[2], more[2], ends[2];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    check(sigaction(SIGPIPE, &action, NULL) == 0);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pass_a_file(pair);
    cut(pair);
    check(send_fds(pair[0], "ab", pair, 1) == 2 && write(pair[0], "cd", 2) == 2);
    cr_point();
    check(receive(pair[1], 1) == 2 && count == 1 && close(got[0]) == 0);
    memset(text + 8, 0, 8);
    check(read(pair[1], text + 8, 8) == 2);
    say("a run of bytes ends behind files: %s, %s\n", text, text + 8);
    check(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, more) == 0);
    int both[2] = {more[1], ends[0]};
    check(send_fds(more[0], "me", both, 2) == 2 && close(ends[0]) == 0);
    cr_point();
    check(write(ends[1], "x", 1) == 1);
    check(close(more[1]) == 0 && close(more[0]) == 0);
    cr_point();
    while (write(ends[1], "x", 1) == 1) { /* it may be found a little later */
        struct timespec moment = {0, 1000000};
        nanosleep(&moment, NULL);
    }
    check(errno == EPIPE && close(ends[1]) == 0);
    say("a socket in its own queue is closed with it\n");
    check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, more) == 0 && pipe(ends) == 0);
    check(send_fds(more[0], "reader", &ends[0], 1) == 6 && send_fds(pair[0], "s", &more[1], 1) == 1);
    check(close(more[1]) == 0 && close(ends[0]) == 0 && write(ends[1], "hello", 5) == 5);
    cr_point();
    check(receive(pair[1], 1) == 1 && count == 1);
    int over = got[0];
    check(receive(over, 1) == 6 && count == 1);
    memset(text, 0, sizeof text);
    check(read(got[0], text, 8) == 5);
    say("a pipe in a packet that waits: %s\n", text);
    return 0;
}
