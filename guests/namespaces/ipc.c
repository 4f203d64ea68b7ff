/* IPC and UTS namespaces: keys and identifiers of a child with a namespace of its own, by clone and
 * by unshare, and what unshare does with descriptors, directories and names.
 *
 * order: any
 * prints:
 *     clone: the key is free there
 *     unshare: the key is free there
 *     and here it is what it was: 77
 *     own descriptors, own directory
 *     wrong: 22 22
 */
#include "guest.h"
#include "sysv.h"

enum {
    NEWUTS = 0x4000000, NEWIPC = 0x8000000, FS = 0x200, FILES = 0x400, SYSVSEM = 0x40000,
    THREAD = 0x10000, KEY = 0x7531,
};

static int semaphore(int set, int command, int value)
{
    union semun argument = {0};
    argument.val = value;
    return semctl(set, 0, command, argument);
}

static long unshare_of(long flags) { return raw_syscall(NR_unshare, flags, 0, 0, 0, 0, 0); }

static long clone_of(long flags) { return raw_syscall(NR_clone, flags | SIGCHLD, 0, 0, 0, 0, 0); }

static void await(long pid)
{
    int status;
    check(waitpid((pid_t)pid, &status, 0) == pid && status == 0);
}

static void inside(const char *how)
{
    check(semget(KEY, 1, 0) == -1 && errno == ENOENT);
    int set = semget(KEY, 2, 0600 | 01000);
    check(set >= 0 && semaphore(set, 16, 5) == 0);
    cr_point();
    check(semaphore(set, 12, 0) == 5);
    say("%s: the key is free there\n", how);
    _exit(0);
}

static void parts(void)
{
    long pid = clone_of(FILES | FS);
    if (pid == 0) {
        check(mkdir("below", 0755) == 0 && unshare_of(FS) == 0 && chdir("below") == 0);
        check(unshare_of(FILES) == 0 && dup2(1, 9) == 9);
        _exit(0);
    }
    check(pid > 0);
    await(pid);
    check(access("below", F_OK) == 0);
    check(fcntl(9, F_GETFD, 0) == -1 && errno == EBADF);
    say("own descriptors, own directory\n");
}

int main(void)
{
    int set = semget(KEY, 1, 0600 | 01000);
    check(set >= 0 && semaphore(set, 16, 77) == 0);
    long pid = clone_of(NEWIPC | NEWUTS);
    if (pid == 0)
        inside("clone");
    check(pid > 0);
    await(pid);
    pid = fork();
    if (pid == 0) {
        check(unshare_of(NEWIPC | NEWUTS) == 0);
        inside("unshare");
    }
    await(pid);
    say("and here it is what it was: %d\n", semaphore(set, 12, 0));
    check(semaphore(set, 0, 0) == 0);
    parts();
    long unknown = -unshare_of(2), both = -clone_of(NEWIPC | SYSVSEM);
    say("wrong: %d %d\n", (int)unknown, (int)both);
    return 0;
}
