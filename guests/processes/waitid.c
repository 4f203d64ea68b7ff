/* waitid: what is told of children that end, stop and go on, by whom they are asked for, and that
 * WNOWAIT leaves them as they are.
 *
 * order: any
 * prints:
 *     nothing yet: 0
 *     stopped: code 5 status 19, again code 5, then nothing
 *     continued: code 6 status 18
 *     dead, and nothing else to tell: 10
 *     left there: code 1 status 9, taken: code 1 status 9
 *     by its group: code 2 status 15
 *     no child: 10
 *     wrong: 22 22 22
 */
#include "guest.h"

enum { ALL = 0, PID = 1, PGID = 2, NOHANG = 1, STOPPED = 2, EXITED = 4, CONTINUED = 8,
       NOWAIT = 0x1000000 };

static int code, status;

static int ask(int kind, int number, int options)
{
    int info[32];
    memset(info, 0, sizeof info);
    long result = raw_syscall(NR_waitid, kind, number, (long)info, options, 0, 0);
    code = info[2];
    status = info[sizeof(long) == 8 ? 6 : 5];
    return result < 0 ? (int)-result : info[sizeof(long) == 8 ? 4 : 3];
}

static pid_t sleeper(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

int main(void)
{
    pid_t pid = sleeper();
    say("nothing yet: %d\n", ask(PID, pid, EXITED | NOHANG));
    check(kill(pid, SIGSTOP) == 0 && ask(PID, pid, STOPPED | NOWAIT) == pid);
    int first = code;
    int signo = status;
    check(ask(ALL, 0, STOPPED) == pid);
    check(ask(PID, pid, STOPPED | NOHANG) == 0);
    say("stopped: code %d status %d, again code %d, then nothing\n", first, signo, first);
    check(kill(pid, SIGCONT) == 0 && ask(PID, pid, CONTINUED) == pid);
    say("continued: code %d status %d\n", code, status);
    pid_t short_lived = fork();
    if (short_lived == 0)
        _exit(9);
    check(ask(PID, short_lived, EXITED | NOWAIT) == short_lived);
    first = code;
    signo = status;
    say("dead, and nothing else to tell: %d\n", ask(PID, short_lived, STOPPED | CONTINUED | NOHANG));
    check(ask(PID, short_lived, EXITED) == short_lived);
    say("left there: code %d status %d, taken: code %d status %d\n", first, signo, code, status);
    check(setpgid(pid, pid) == 0 && kill(-pid, SIGTERM) == 0);
    check(ask(PGID, pid, EXITED) == pid);
    say("by its group: code %d status %d\n", code, status);
    say("no child: %d\n", ask(ALL, 0, EXITED));
    int nothing = ask(ALL, 0, 0), kind = ask(9, 1, EXITED);
    say("wrong: %d %d %d\n", nothing, kind, ask(ALL, 0, EXITED | 0x40));
    return 0;
}
