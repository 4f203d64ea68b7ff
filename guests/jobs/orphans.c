/* A stopped group that loses its last parent gets SIGHUP and SIGCONT; in an orphaned group the
 * keys of a terminal stop nobody, and reading in the background is an error.
 *
 * prints:
 *     stopped: 137f
 *     continued, hang-ups 1
 *     not stopped
 *     background read: 5
 *     leader: 0
 */
#include "tty.h"

static int report[2];
static volatile int hups;

static void handler(int signal)
{
    (void)signal;
    hups++;
}

static void grandchild(void)
{
    struct sigaction action;
    char byte;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    check(sigaction(SIGHUP, &action, NULL) == 0);
    check(setpgid(0, 0) == 0);
    kill(getpid(), SIGSTOP);
    say("continued, hang-ups %d\n", hups);
    kill(getpid(), SIGTSTP);
    say("not stopped\n");
    say("background read: %d\n", read(slave, &byte, 1) == -1 ? errno : 0);
    check(write(report[1], "e", 1) == 1);
    _exit(0);
}

static void leader(void)
{
    int status;
    lead_session();
    pid_t middle = fork();
    if (middle == 0) {
        pid_t pid = fork();
        if (pid == 0)
            grandchild();
        check(waitpid(pid, &status, WUNTRACED) == pid);
        say("stopped: %x\n", status);
        _exit(0);
    }
    check(end_of(middle) == 0);
    cr_point();
    char byte;
    check(read(report[0], &byte, 1) == 1);
    _exit(0);
}

int main(void)
{
    check(pipe(report) == 0);
    open_pty();
    pid_t pid = fork();
    if (pid == 0)
        leader();
    say("leader: %d\n", end_of(pid));
    return 0;
}
