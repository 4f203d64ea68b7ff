/* poll and epoll of terminals, and a window whose size changes under a program.
 *
 * prints:
 *     poll: 4 4
 *     nothing: 0
 *     an echo, no line: 1 8/1
 *     both: 1 1
 *     line: [ab\n]
 *     echo: [\r\n]
 *     nothing: 0
 *     window 30 x 90
 */
#include "tty.h"

#include "../events/epoll.h"

static volatile int resized;

static void handler(int signal)
{
    (void)signal;
    resized++;
}

int main(void)
{
    char bytes[10];
    open_pty();
    int set = set_new();
    check(control(set, 1, slave, 1, 7) == 0 && control(set, 1, master, 1, 8) == 0);
    say("poll: %d %d\n", ready(slave, POLLIN | POLLOUT, 0), ready(master, POLLIN | POLLOUT, 0));
    news(set, "nothing", 8, 0);
    type("ab");
    check(ready(master, POLLIN, 1000));
    news(set, "an echo, no line", 8, 20);
    check(read(master, bytes, 10) == 2);
    type("\n");
    check(ready(master, POLLIN, 1000) && ready(slave, POLLIN, 1000));
    cr_point();
    say("both: %d %d\n", ready(slave, POLLIN, 0), ready(master, POLLIN, 0));
    got("line", 10);
    shown("echo");
    news(set, "nothing", 8, 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    check(sigaction(SIGWINCH, &action, NULL) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct winsize w;
        lead_session();
        check(write(slave, "r", 1) == 1);
        while (!resized)
            pause();
        check(ioctl(slave, TIOCGWINSZ, &w) == 0);
        say("window %d x %d\n", w.rows, w.columns);
        _exit(0);
    }
    struct winsize w = {30, 90, 0, 0};
    check(read(master, bytes, 1) == 1);
    struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
    check(ioctl(master, TIOCSWINSZ, &w) == 0);
    check(end_of(pid) == 0);
    return 0;
}
