/* clone_with_pids, September 2009: what became eclone had the arguments of clone, and a set of pids.
 *
 * abi: v18
 * arches: x86_32 ppc32 ppc64
 * prints:
 *     the child is 77
 *     taken: EBUSY, a negative one: EINVAL, more than there are levels: EINVAL
 *     no set, an empty set, a 0: the kernel's choice
 *     a user: EPERM
 */
#include "guest.h"

enum { NR_clone_with_pids = GUEST_COLUMN(337, -1, 325, 325) };

struct target_pid_set {
    int num_pids;
    pid_t *target_pids;
};

static pid_t child_of(int count, pid_t wanted, int has_set)
{
    pid_t pids[2] = {wanted, 0};
    struct target_pid_set set = {count, pids};
    long pid = raw_syscall(NR_clone_with_pids, SIGCHLD, 0, 0, 0, 0, has_set ? (long)&set : 0);
    if (pid == 0)
        _exit(getpid() == wanted ? 5 : 6);
    return pid;
}

static int code_of(pid_t pid)
{
    int status;
    check(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status >> 8;
}

int main(void)
{
    pid_t child = child_of(1, 77, 1);
    check(child == 77 && code_of(child) == 5);
    say("the child is %d\n", child);
    check(child_of(1, getpid(), 1) == -EBUSY);
    check(child_of(1, -3, 1) == -EINVAL && child_of(2, 78, 1) == -EINVAL);
    say("taken: EBUSY, a negative one: EINVAL, more than there are levels: EINVAL\n");
    check(code_of(child_of(1, 0, 0)) == 6 && code_of(child_of(0, 78, 1)) == 6);
    check(code_of(child_of(1, 0, 1)) == 6);
    say("no set, an empty set, a 0: the kernel's choice\n");
    check(raw_syscall(NR_setuid, 1000, 0, 0, 0, 0, 0) == 0 && child_of(1, 79, 1) == -EPERM);
    say("a user: EPERM\n");
    return 0;
}
