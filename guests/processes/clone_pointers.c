/* Pointers that clone is given: where a number cannot be stored the child is made all the same; a
 * TLS that cannot be is refused, and no child is left behind.
 *
 * libc: both
 * prints:
 *     numbers that cannot be stored: a child, and its status 7
 *     a TLS that cannot be: right
 *     no child is left
 */
#include "guest.h"

enum { PARENT_SETTID = 0x100000, CHILD_CLEARTID = 0x200000, CHILD_SETTID = 0x1000000 };
enum { SETTLS = 0x80000 };

/* Address 16 is nobody's. */
static long clone_of(long flags, unsigned long tls)
{
    flags |= SIGCHLD;
#ifdef __x86_64__
    return raw_syscall(NR_clone, flags, 0, 16, 16, (long)tls, 0);
#else
    return raw_syscall(NR_clone, flags, 0, 16, (long)tls, 16, 0);
#endif
}

/* 0, or the errno. */
static int refused(unsigned long tls)
{
    long pid = clone_of(SETTLS, tls);
    if (pid == 0)
        raw_syscall(NR_exit, 0, 0, 0, 0, 0, 0);
    if (pid < 0)
        return (int)-pid;
    check(waitpid((pid_t)pid, NULL, 0) == pid);
    return 0;
}

static int is_right(void)
{
#if defined __x86_64__ /* the base of FS is an address of user space */
    return refused(0x7ffffffff000) == EPERM && refused(0x123456789abcdef0) == EPERM &&
           refused(0xffff800000000000) == EPERM && refused(0x7fffffffe000) == 0;
#elif defined __i386__ /* it is read */
    return refused(16) == EFAULT;
#else /* any number is taken */
    return refused(16) == 0;
#endif
}

int main(void)
{
    int status;
    long pid = clone_of(PARENT_SETTID | CHILD_SETTID | CHILD_CLEARTID, 0);
    if (pid == 0)
        _exit(7);
    check(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid);
    say("numbers that cannot be stored: a child, and its status %d\n", status >> 8);
    cr_point();
    say("a TLS that cannot be: %s\n", is_right() ? "right" : "wrong");
    cr_point();
    check(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
    say("no child is left\n");
    return 0;
}
