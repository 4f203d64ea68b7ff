/* With TOSTOP a job in the background that writes is stopped, and writes when it is in front.
 *
 * prints:
 *     status 167f
 *     wrote 4
 *     status 137f
 *     status 167f
 *     set 0
 *     ended 9
 *     seen: [job\r\n]
 */
#include "tty.h"

static void stopped(pid_t pid)
{
    int status;
    check(waitpid(pid, &status, WUNTRACED) == pid);
    say("status %x\n", status);
}

static void shell(void)
{
    struct sigaction action;
    struct termios t;
    lead_session();
    local(0, TOSTOP);
    pid_t pid = fork();
    if (pid == 0) {
        check(setpgid(0, 0) == 0);
        say("wrote %d\n", (int)write(slave, "job\n", 4));
        check(ioctl(slave, TCGETS, &t) == 0);
        kill(getpid(), SIGSTOP);
        say("set %d\n", ioctl(slave, TCSETS, &t));
        _exit(9);
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    check(sigaction(SIGTTOU, &action, NULL) == 0);
    stopped(pid);
    cr_point();
    check(make_foreground(pid) == 0 && kill(pid, SIGCONT) == 0);
    stopped(pid);
    check(make_foreground(getpid()) == 0 && kill(pid, SIGCONT) == 0);
    stopped(pid);
    check(make_foreground(pid) == 0 && kill(pid, SIGCONT) == 0);
    say("ended %d\n", WEXITSTATUS(end_of(pid)));
    check(make_foreground(getpid()) == 0);
    _exit(0);
}

int main(void)
{
    open_pty();
    pid_t pid = fork();
    if (pid == 0)
        shell();
    check(end_of(pid) == 0);
    shown("seen");
    return 0;
}
