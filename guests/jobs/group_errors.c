/* setpgid and setsid: who may be put where, and who may not.
 *
 * order: any
 * prints:
 *     a child into its own group, and back
 *     one of another session: EPERM
 *     a leader of a session: EPERM
 *     after exec: EACCES
 *     nobody's child: ESRCH, no such group: EPERM, a negative one: EINVAL
 *     a leader makes no session: EPERM
 *     getsid of nobody: ESRCH
 */
#include "guest.h"

static const char *problem(long result)
{
    return result >= 0 ? "none" : result == -EPERM ? "EPERM" : result == -EACCES ? "EACCES"
         : result == -ESRCH ? "ESRCH" : result == -EINVAL ? "EINVAL" : "another";
}

static long group(long pid, long pgid)
{
    return raw_syscall(NR_setpgid, pid, pgid, 0, 0, 0, 0);
}

static void end(pid_t pid)
{
    int status;
    check(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
}

int main(int argc, char **argv)
{
    int ready[2];
    char byte = 0;
    (void)argv;
    if (argc > 1) {
        check(write(atoi(argv[1]), &byte, 1) == 1);
        for (;;)
            pause();
    }
    check(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    check(group(pid, pid) == 0 && raw_syscall(NR_getpgid, pid, 0, 0, 0, 0, 0) == pid);
    check(group(pid, getpgrp()) == 0);
    say("a child into its own group, and back\n");
    pid_t other = fork();
    if (other == 0) {
        check(setsid() == getpid() && write(ready[1], &byte, 1) == 1);
        for (;;)
            pause();
    }
    check(read(ready[0], &byte, 1) == 1);
    say("one of another session: %s\n", problem(group(other, getpgrp())));
    say("a leader of a session: %s\n", problem(group(other, other)));
    pid_t program = fork();
    if (program == 0) {
        char number[8];
        char *arguments[] = {"again", number, NULL};
        snprintf(number, sizeof number, "%d", ready[1]);
        execve("/proc/self/exe", arguments, environ);
    }
    check(read(ready[0], &byte, 1) == 1);
    say("after exec: %s\n", problem(group(program, program)));
    const char *nobody = problem(group(1, 0));
    const char *no_group = problem(group(pid, other));
    say("nobody's child: %s, no such group: %s, a negative one: %s\n", nobody, no_group,
        problem(group(pid, -1)));
    check(group(pid, pid) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        check(group(0, 0) == 0);
        _exit(raw_syscall(NR_setsid, 0, 0, 0, 0, 0, 0) == -EPERM);
    }
    int status;
    check(waitpid(leader, &status, 0) == leader);
    say("a leader makes no session: %s\n", WEXITSTATUS(status) ? "EPERM" : "another");
    say("getsid of nobody: %s\n", problem(raw_syscall(NR_getsid, 999999, 0, 0, 0, 0, 0)));
    end(pid);
    end(other);
    end(program);
    return 0;
}
