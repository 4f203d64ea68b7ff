/* membarrier: what is there, and the expedited kind only after it was asked for; a child inherits
 * that, a new program does not.
 *
 * prints:
 *     global, expedited, registered: all there
 *     not registered: EPERM
 *     registered: 0, in a child 0
 *     after exec: EPERM
 *     wrong: EINVAL EINVAL
 */
#include "guest.h"

static long barrier(int command, int flags)
{
    return raw_syscall(NR_membarrier, command, flags, 0, 0, 0, 0);
}

static const char *problem(long result)
{
    return result == -EINVAL ? "EINVAL" : result == -EPERM ? "EPERM" : result ? "another" : "0";
}

int main(int argc, char **argv)
{
    int status;
    (void)argv;
    if (argc > 1) {
        say("after exec: %s\n", problem(barrier(8, 0)));
        say("wrong: %s %s\n", problem(barrier(1 << 20, 0)), problem(barrier(1, 7)));
        return 0;
    }
    check((barrier(0, 0) & 31) == 31 && barrier(1, 0) == 0 && barrier(2, 0) == 0);
    say("global, expedited, registered: all there\n");
    say("not registered: %s\n", problem(barrier(8, 0)));
    check(barrier(16, 0) == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(barrier(8, 0) != 0);
    check(waitpid(pid, &status, 0) == pid);
    say("registered: %s, in a child %d\n", problem(barrier(8, 0)), WEXITSTATUS(status));
    char *arguments[] = {"again", "x", NULL};
    execve("/proc/self/exe", arguments, environ);
    return 1;
}
