/* A child outlives its parent: its new parent is the first process, and nobody else hears of its end.
 *
 * libc: both
 * prints:
 *     parent ended with 3
 *     orphan: another parent 1
 *     nobody left: ECHILD
 */
#include "guest.h"

int main(void)
{
    int go[2], told[2], status;
    char byte;
    check(pipe(go) == 0 && pipe(told) == 0);
    pid_t parent = fork();
    if (parent == 0) {
        pid_t before = getpid();
        if (fork() == 0) {
            check(read(go[0], &byte, 1) == 1);
            say("orphan: another parent %d\n", getppid() != before);
            check(write(told[1], "t", 1) == 1);
            _exit(0);
        }
        _exit(3);
    }
    check(waitpid(parent, &status, 0) == parent);
    say("parent ended with %d\n", WEXITSTATUS(status));
    check(write(go[1], "g", 1) == 1);
    check(read(told[0], &byte, 1) == 1);
    check(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
    say("nobody left: ECHILD\n");
    return 0;
}
