/* Sessions and their terminal: who gets it, by which doors, who may set the foreground group.
 *
 * prints:
 *     none yet: 6 25 25
 *     opened, ours: 1
 *     foreground: 1
 *     /dev/tty: 1
 *     written there: [hi]
 *     child sees the terminal: 0
 *     lead no session: 1
 *     new session, no terminal: 6
 *     somebody's terminal: 1
 *     groups: 22 3
 *     another group: 0
 *     it is in front: 1
 *     back: 0
 *     given up: 0
 *     none: 6
 *     taken again: 0
 *     leader: 5
 *     no session: 25
 */
#include "tty.h"

static int refused(int result) { return result == -1 ? errno : 0; }

static void leader(void)
{
    pid_t group = 0;
    int tty, status;
    check(setsid() == getpid());
    say("none yet: %d %d %d\n", refused(open("/dev/tty", O_RDWR)),
        refused(ioctl(slave, TIOCGPGRP, &group)), refused(ioctl(slave, TIOCNOTTY, 0)));
    tty = open_slave(0);
    check(tty >= 0);
    check(ioctl(slave, TIOCGSID, &group) == 0);
    say("opened, ours: %d\n", group == getpid());
    say("foreground: %d\n", foreground() == getpgrp());
    close(tty);
    tty = open("/dev/tty", O_RDWR);
    say("/dev/tty: %d\n", tty >= 0 && write(tty, "hi", 2) == 2);
    shown("written there");
    cr_point();
    pid_t child = fork();
    if (child == 0) {
        say("child sees the terminal: %d\n", refused(ioctl(slave, TIOCGPGRP, &group)));
        say("lead no session: %d\n", refused(ioctl(slave, TIOCSCTTY, 0)));
        check(setsid() == getpid());
        say("new session, no terminal: %d\n", refused(open("/dev/tty", O_RDWR)));
        say("somebody's terminal: %d\n", refused(ioctl(slave, TIOCSCTTY, 0)));
        _exit(0);
    }
    check(end_of(child) == 0);
    say("groups: %d %d\n", refused(make_foreground(-5)), refused(make_foreground(1 << 21)));
    child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    check(setpgid(child, child) == 0);
    say("another group: %d\n", refused(make_foreground(child)));
    say("it is in front: %d\n", foreground() == child);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    check(sigaction(SIGTTOU, &action, NULL) == 0 && sigaction(SIGHUP, &action, NULL) == 0);
    say("back: %d\n", refused(make_foreground(getpid())));
    say("given up: %d\n", refused(ioctl(slave, TIOCNOTTY, 0)));
    say("none: %d\n", refused(open("/dev/tty", O_RDWR)));
    say("taken again: %d\n", refused(ioctl(slave, TIOCSCTTY, 0)));
    _exit(5);
}

int main(void)
{
    pid_t group;
    open_pty();
    pid_t pid = fork();
    if (pid == 0)
        leader();
    say("leader: %d\n", WEXITSTATUS(end_of(pid)));
    say("no session: %d\n", refused(ioctl(master, TIOCGSID, &group)));
    return 0;
}
