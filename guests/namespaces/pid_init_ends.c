/* The init of a nested pid namespace ends: nobody outlives it there, not even while
 * nobody has asked for it yet.
 *
 * order: any
 * prints:
 *     first number 1
 *     the end of file: all are gone
 *     init: exit status 5
 *     no other child
 */
#include "guest.h"

enum { NEWPID = 0x20000000 };

static void nap(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

static void be_init(void)
{
    say("first number %d\n", getpid());
    pid_t child = fork();
    if (child == 0) {
        fork();
        for (;;)
            nap(900);
    }
    nap(2);
    _exit(5);
}

int main(void)
{
    int ends[2], status;
    char byte;
    check(pipe(ends) == 0);
    long pid = raw_syscall(NR_clone, NEWPID | SIGCHLD, 0, 0, 0, 0, 0);
    check(pid >= 0);
    if (pid == 0)
        be_init();
    close(ends[1]);
    check(read(ends[0], &byte, 1) == 0);
    say("the end of file: all are gone\n");
    nap(1);
    check(waitpid((pid_t)pid, &status, 0) == pid && WIFEXITED(status));
    say("init: exit status %d\n", WEXITSTATUS(status));
    check(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
    say("no other child\n");
    return 0;
}
