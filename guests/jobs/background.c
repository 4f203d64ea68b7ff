/* A job in the background touches its terminal: SIGTTIN, SIGTTOU, or EIO.
 *
 * prints:
 *     status 157f
 *     job read: [for the jo]
 *     ended 0
 *     job wrote 4
 *     without TOSTOP: 1
 *     job that ignores SIGTTOU: 1
 *     job that ignores SIGTTIN: 5
 *     seen: [for the job\r\njob\r\nx]
 */
#include "tty.h"

static int refused(long result) { return result == -1 ? errno : 0; }

static void ignore(int signal)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    check(sigaction(signal, &action, NULL) == 0);
}

static pid_t job(int what)
{
    char bytes[10];
    pid_t pid = fork();
    if (pid == 0) {
        check(setpgid(0, 0) == 0);
        if (what == 0)
            say_bytes("job read", bytes, read(slave, bytes, sizeof bytes));
        if (what == 1)
            say("job wrote %d\n", (int)write(slave, "job\n", 4));
        if (what == 2) {
            ignore(SIGTTIN);
            say("job that ignores SIGTTIN: %d\n", refused(read(slave, bytes, 1)));
        }
        if (what == 3) {
            struct termios t;
            check(ioctl(slave, TCGETS, &t) == 0);
            say("job sets: %d\n", refused(ioctl(slave, TCSETS, &t)));
        }
        if (what == 4) {
            ignore(SIGTTOU);
            say("job that ignores SIGTTOU: %d\n", (int)write(slave, "x", 1));
        }
        _exit(what);
    }
    return pid;
}

static void stopped(pid_t pid)
{
    int status;
    check(waitpid(pid, &status, WUNTRACED) == pid);
    say("status %x\n", status);
}

static void front(pid_t pid)
{
    check(make_foreground(pid) == 0 && kill(-pid, SIGCONT) == 0);
    say("ended %d\n", WEXITSTATUS(end_of(pid)));
    check(make_foreground(getpid()) == 0);
}

static void shell(void)
{
    lead_session();
    ignore(SIGTTOU);
    struct sigaction plain;
    memset(&plain, 0, sizeof plain);
    pid_t pid = fork();
    if (pid == 0) {
        check(sigaction(SIGTTOU, &plain, NULL) == 0);
        _exit(0);
    }
    check(end_of(pid) == 0);
    pid = job(0);
    stopped(pid);
    cr_point();
    type("for the job\n");
    front(pid);
    pid = job(1);
    say("without TOSTOP: %d\n", WEXITSTATUS(end_of(pid)));
    local(0, TOSTOP);
    pid = job(4);
    check(WEXITSTATUS(end_of(pid)) == 4);
    pid = job(2);
    check(WEXITSTATUS(end_of(pid)) == 2);
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
