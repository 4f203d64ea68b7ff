/* A tree of processes: children that exit, that are killed, and that have children themselves.
 *
 * libc: both
 * order: any
 * prints:
 *     child 0 exited with 0
 *     child 1 exited with 11
 *     child 2 exited with 22
 *     grandchild said 5, 10 in all
 *     killed by 15
 *     no more children: ECHILD
 */
#include "guest.h"

static int exit_of(pid_t pid)
{
    int status = 0;
    check(waitpid(pid, &status, 0) == pid);
    check((status & 0x7f) == 0);
    return status >> 8 & 0xff;
}

int main(void)
{
    volatile int mine = 5;
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();
        check(pid >= 0);
        if (pid == 0) {
            mine = 100 + i;
            cr_point();
            _exit(11 * i);
        }
        say("child %d exited with %d\n", i, exit_of(pid));
    }
    pid_t middle = fork();
    if (middle == 0) {
        pid_t inner = fork();
        if (inner == 0)
            _exit(mine);
        int said = exit_of(inner);
        say("grandchild said %d, %d in all\n", said, said + mine);
        _exit(0);
    }
    check(exit_of(middle) == 0);
    pid_t sleeper = fork();
    if (sleeper == 0) {
        for (;;)
            pause();
    }
    cr_point();
    check(kill(sleeper, SIGTERM) == 0);
    int status;
    check(waitpid(sleeper, &status, 0) == sleeper);
    say("killed by %d\n", status & 0x7f);
    check(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
    say("no more children: ECHILD\n");
    return 0;
}
