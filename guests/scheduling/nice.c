/* Nice values: raised, inherited, not lowered by a plain user.
 *
 * prints:
 *     at first 20
 *     nicer by 5: 15
 *     the child has 15, and sets 10
 *     the parent still has 15
 *     no more than 19: 1
 *     a user may not go back: 13
 *     and not touch others: 1
 *     there is no such kind: 22
 *     there is nobody: 3
 */
#include "guest.h"

static long get(long which, long who)
{
    return raw_syscall(NR_getpriority, which, who, 0, 0, 0, 0);
}

static long set(long which, long who, long nice)
{
    return raw_syscall(NR_setpriority, which, who, nice, 0, 0, 0);
}

int main(void)
{
    int status;
    say("at first %ld\n", get(0, 0));
    check(set(0, 0, 5) == 0);
    say("nicer by 5: %ld\n", get(0, 0));
    pid_t child = fork();
    if (child == 0) {
        long first = get(0, 0);
        check(set(0, 0, 10) == 0);
        say("the child has %ld, and sets %ld\n", first, get(0, 0));
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    say("the parent still has %ld\n", get(0, getpid()));
    check(set(0, 0, 1000) == 0);
    say("no more than 19: %ld\n", get(0, 0));
    pid_t parent = getpid();
    child = fork();
    if (child == 0) {
        check(raw_syscall(NR_setuid, 1000, 0, 0, 0, 0, 0) == 0);
        say("a user may not go back: %ld\n", -set(0, 0, 0));
        say("and not touch others: %ld\n", -set(0, parent, 19));
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    say("there is no such kind: %ld\n", -get(7, 0));
    say("there is nobody: %ld\n", -get(0, 0x3fffffff));
    return 0;
}
