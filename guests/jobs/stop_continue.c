/* Stopping and continuing a child, and what its parent hears.
 *
 * libc: both
 * prints:
 *     nothing yet: 0 0
 *     stopped: 1 137f
 *     only once: 0 0
 *     a signal waits: 0 0
 *     died of it: 10
 *     stopped: 1 137f
 *     continued: 1 ffff
 *     only once: 0 0
 *     stopped: 1 137f
 *     killed while stopped: 1 9
 *     SIGCHLD came: 1
 */
#include "guest.h"

#ifndef WCONTINUED
#define WCONTINUED 8
#endif

static volatile int chld;

static void handler(int signal)
{
    (void)signal;
    chld++;
}

static void told(const char *what, pid_t pid, int options)
{
    int status = -1;
    pid_t who = waitpid(pid, &status, options);
    say("%s: %d %x\n", what, who == pid, who == pid ? status : 0);
}

int main(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    check(sigaction(SIGCHLD, &action, NULL) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct timespec long_time = {1000, 0};
        nanosleep(&long_time, NULL);
        _exit(1);
    }
    told("nothing yet", pid, WNOHANG | WUNTRACED | WCONTINUED);
    check(kill(pid, SIGSTOP) == 0);
    told("stopped", pid, WUNTRACED);
    told("only once", pid, WNOHANG | WUNTRACED);
    cr_point();
    check(kill(pid, SIGUSR1) == 0);
    told("a signal waits", pid, WNOHANG | WUNTRACED);
    check(kill(pid, SIGCONT) == 0);
    int status;
    check(waitpid(pid, &status, WUNTRACED) == pid);
    say("died of it: %d\n", status & 0x7f);
    pid = fork();
    if (pid == 0) {
        for (;;)
            pause();
    }
    check(kill(pid, SIGSTOP) == 0);
    told("stopped", pid, WUNTRACED);
    check(kill(pid, SIGCONT) == 0);
    told("continued", pid, WCONTINUED);
    told("only once", pid, WCONTINUED | WNOHANG);
    cr_point();
    check(kill(pid, SIGSTOP) == 0);
    told("stopped", pid, WUNTRACED);
    check(kill(pid, SIGKILL) == 0);
    told("killed while stopped", pid, 0);
    say("SIGCHLD came: %d\n", chld > 4);
    return 0;
}
