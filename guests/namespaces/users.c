/* User namespaces as linux-cr knew them (2.6.37): the maker's rights stay, the ids begin again at 0,
 * and so on below. A kernel of today maps ids instead, so no real one can tell.
 *
 * prints:
 *     first: user 7, group 8, 2 groups
 *     inside: user 0, group 0, 0 groups
 *     below, and another user: user 9, group 0, 0 groups
 *     outside: user 7, group 8, 2 groups
 *     unshare: 22, threads: 22
 *     without CAP_SETUID: 1, without any: 1
 */
#include "mounts.h"

enum { SETUID = 7 };

static void who(const char *where)
{
    unsigned int groups[8];
    long n = raw_syscall(NR_getgroups, 8, (long)groups, 0, 0, 0, 0);
    say("%s user %d, group %d, %d groups\n", where, (int)getuid(), (int)getgid(), (int)n);
}

static void drop(int capability)
{
    struct {
        unsigned int version;
        int pid;
    } header = {0x20080522, 0};
    struct {
        unsigned int effective, permitted, inheritable;
    } data[2];
    check(raw_syscall(NR_capget, (long)&header, (long)data, 0, 0, 0, 0) == 0);
    data[0].effective &= ~(1u << capability);
    check(raw_syscall(NR_capset, (long)&header, (long)data, 0, 0, 0, 0) == 0);
}

static void below(void)
{
    cr_point();
    check(raw_syscall(NR_setresuid, 9, 9, 9, 0, 0, 0) == 0);
    cr_point();
    who("below, and another user:");
    _exit(0);
}

static void inside(void)
{
    who("inside:");
    cr_point();
    long pid = clone_of(NEWUSER);
    if (pid == 0)
        below();
    await(pid);
    _exit(0);
}

int main(void)
{
    unsigned short short_groups[2] = {4, 24};
    unsigned int groups[2] = {4, 24};
    void *list = NR_getgroups32 >= 0 ? (void *)short_groups : (void *)groups;
    check(raw_syscall(NR_setgroups, 2, (long)list, 0, 0, 0, 0) == 0);
    check(raw_syscall(NR_setresgid, 8, 8, 8, 0, 0, 0) == 0);
    check(raw_syscall(NR_setresuid, 7, 0, 0, 0, 0, 0) == 0);
    who("first:");
    long pid = clone_of(NEWUSER);
    if (pid == 0)
        inside();
    await(pid);
    cr_point();
    who("outside:");
    int shared = 0x100 | 0x800 | 0x10000;
    say("unshare: %d,", (int)-unshare_of(NEWUSER));
    say(" threads: %d\n", (int)-raw_syscall(NR_clone, shared | NEWUSER, 0, 0, 0, 0, 0));
    drop(SETUID);
    say("without CAP_SETUID: %d,", (int)-clone_of(NEWUSER));
    check(raw_syscall(NR_setresuid, 7, 7, 7, 0, 0, 0) == 0);
    say(" without any: %d\n", (int)-clone_of(NEWUSER));
    return 0;
}
