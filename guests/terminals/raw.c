/* A raw terminal gives bytes as they come: how many and how long is up to VMIN and VTIME.
 *
 * prints:
 *     half a line becomes bytes: [half]
 *     one is enough: [a\r\003]
 *     poll wants all: 0
 *     four: [\023bcd]
 *     no more than asked for: [xy]
 *     nothing, at once: []
 *     nothing, after a while: []
 *     something within the time: [late]
 *     the clock starts with the first: [ab]
 *     canonical again: [line\n]
 *     nothing was echoed: [half]
 */
#include "tty.h"

static int elapsed(const struct timespec *since)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int)((now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000);
}

static void later(int ms, const char *text)
{
    struct timespec pause_ = {0, ms * 1000000L};
    if (fork() == 0) {
        nanosleep(&pause_, NULL);
        type(text);
        _exit(0);
    }
}

static void timed(const char *what, size_t most, int at_least, int at_most)
{
    struct timespec begin;
    int ms;
    check(clock_gettime(CLOCK_MONOTONIC, &begin) == 0);
    got(what, most);
    ms = elapsed(&begin);
    if (ms < at_least || ms > at_most)
        say("  but after %d ms\n", ms);
}

static void mode(int minimum, int decis)
{
    character(VMIN, minimum);
    character(VTIME, decis);
}

int main(void)
{
    int status;
    open_pty();
    type("half");
    check(ready(master, POLLIN, 5000)); /* it is there: its echo is */
    local(ICANON | ECHO | ISIG, 0);
    input(IXON | ICRNL, 0);
    got("half a line becomes bytes", 100);
    type("a\r\003\023b");
    check(ready(slave, POLLIN, 1000));
    later(50, "cd");
    got("one is enough", 3);
    mode(4, 0);
    say("poll wants all: %d\n", ready(slave, POLLIN, 20));
    timed("four", 100, 10, 5000);
    check(waitpid(-1, &status, 0) > 0);
    cr_point();
    mode(4, 0);
    type("xy");
    got("no more than asked for", 2);
    mode(0, 0);
    got("nothing, at once", 10);
    mode(0, 2);
    timed("nothing, after a while", 10, 190, 5000);
    mode(0, 20);
    later(50, "late");
    timed("something within the time", 10, 40, 1900);
    check(waitpid(-1, &status, 0) > 0);
    mode(3, 1);
    later(250, "ab");
    timed("the clock starts with the first", 10, 340, 5000);
    check(waitpid(-1, &status, 0) > 0);
    local(0, ICANON);
    mode(4, 0);
    character(VEOF, 4);
    type("line\n");
    got("canonical again", 100);
    shown("nothing was echoed");
    return 0;
}
