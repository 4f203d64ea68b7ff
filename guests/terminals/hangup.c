/* The master goes away: reads of the slave end, writes fail, the session's leader is told.
 *
 * prints:
 *     read ends: -1
 *     leader was told: 1 1
 *     again: 0
 *     write: 5
 *     ioctl: 5
 *     poll: 29
 *     no controlling terminal: 6
 *     child: 3
 */
#include "tty.h"

static volatile int hups, conts;
static int report[2];

static void handler(int signal)
{
    if (signal == SIGHUP)
        hups++;
    else
        conts++;
}

static void child(void)
{
    struct sigaction action;
    struct winsize w;
    char byte;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    check(sigaction(SIGHUP, &action, NULL) == 0 && sigaction(SIGCONT, &action, NULL) == 0);
    lead_session();
    close(master);
    check(write(report[1], "r", 1) == 1);
    ssize_t n = read(slave, &byte, 1);
    say("read ends: %d\n", (int)n);
    say("leader was told: %d %d\n", hups, conts);
    say("again: %d\n", (int)read(slave, &byte, 1));
    say("write: %d\n", write(slave, "x", 1) == -1 ? errno : 0);
    say("ioctl: %d\n", ioctl(slave, TIOCGWINSZ, &w) == -1 ? errno : 0);
    say("poll: %d\n", ready(slave, POLLIN | POLLOUT, 0));
    say("no controlling terminal: %d\n", open("/dev/tty", O_RDWR) == -1 ? errno : 0);
    _exit(3);
}

int main(void)
{
    char byte;
    check(pipe(report) == 0);
    open_pty();
    pid_t pid = fork();
    if (pid == 0)
        child();
    close(slave);
    check(read(report[0], &byte, 1) == 1);
    cr_point();
    struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
    close(master);
    say("child: %d\n", WEXITSTATUS(end_of(pid)));
    return 0;
}
