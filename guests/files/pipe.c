/* A pipe that one process writes and reads: what is in it, its two ends, its two kinds of end.
 *
 * libc: both
 * prints:
 *     in the pipe over a checkpoint: hello pipe
 *     half read: hello, then:  pipe
 *     empty and not blocking: EAGAIN
 *     full at 65536 bytes
 *     written by a copy of the end
 *     no writer: end of file
 *     no reader: EPIPE, and SIGPIPE came
 */
#include "guest.h"

static volatile int broken;
static char bytes[4096];

static void on_broken(int signal)
{
    check(signal == SIGPIPE);
    broken++;
}

static void fill_up(int from, int to)
{
    int total = 0;
    ssize_t n;
    memset(bytes, 'f', sizeof bytes);
    while ((n = write(to, bytes, sizeof bytes)) > 0)
        total += (int)n;
    check(n == -1 && errno == EAGAIN);
    say("full at %d bytes\n", total);
    cr_point();
    while ((n = read(from, bytes, sizeof bytes)) > 0)
        total -= (int)n;
    check(n == -1 && errno == EAGAIN && total == 0);
}

int main(void)
{
    struct sigaction action;
    char text[32];
    int ends[2];
    memset(text, 0, sizeof text);
    check(pipe(ends) == 0 && write(ends[1], "hello pipe", 10) == 10);
    cr_point();
    check(read(ends[0], text, sizeof text) == 10);
    say("in the pipe over a checkpoint: %s\n", text);
    check(write(ends[1], text, 10) == 10 && read(ends[0], text, 5) == 5);
    cr_point();
    memset(text, 0, sizeof text);
    check(read(ends[0], text, sizeof text) == 5);
    say("half read: hello, then: %s\n", text);
    check(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    cr_point();
    check(read(ends[0], text, 1) == -1 && errno == EAGAIN);
    say("empty and not blocking: EAGAIN\n");
    fill_up(ends[0], ends[1]);
    int copy = dup(ends[1]);
    check(close(ends[1]) == 0 && write(copy, "x", 1) == 1 && read(ends[0], text, 2) == 1);
    say("written by a copy of the end\n");
    check(close(copy) == 0);
    cr_point();
    check(read(ends[0], text, 1) == 0);
    say("no writer: end of file\n");
    check(close(ends[0]) == 0 && pipe(ends) == 0 && close(ends[0]) == 0);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_broken;
    check(sigaction(SIGPIPE, &action, NULL) == 0);
    cr_point();
    check(write(ends[1], "x", 1) == -1 && errno == EPIPE && broken == 1);
    say("no reader: EPIPE, and SIGPIPE came\n");
    return 0;
}
