/* User and group ids: effective ones go and come back through the saved ones, until they cannot.
 *
 * prints:
 *     root: 0 0 0
 *     for a while: 0 1000 0
 *     back: 0 0 0
 *     files as 1001 after 0, then as 0 after 1001
 *     groups: 7 8 9
 *     for good: 1000 1000 1000
 *     root again: refused with 1
 *     another group: refused with 1
 *     real and effective: 1000 1000 1000
 *     setfsuid cannot fail, and does nothing: 1000
 */
#include "guest.h"

#define PICK(name) (NR_##name##32 >= 0 ? NR_##name##32 : NR_##name)

static long call3(long nr, long a, long b, long c)
{
    return raw_syscall(nr, a, b, c, 0, 0, 0);
}

static void show(const char *when)
{
    unsigned int r = 99, e = 99, s = 99;
    check(call3(PICK(getresuid), (long)&r, (long)&e, (long)&s) == 0);
    say("%s: %u %u %u\n", when, r, e, s);
}

int main(void)
{
    unsigned int r, e, s;
    show("root");
    check(call3(PICK(setresuid), -1, 1000, -1) == 0);
    show("for a while");
    check(call3(PICK(setresuid), -1, 0, -1) == 0);
    show("back");
    long before = call3(PICK(setfsuid), 1001, 0, 0);
    long then = call3(PICK(setfsuid), 0, 0, 0);
    say("files as 1001 after %ld, then as 0 after %ld\n", before, then);
    check(call3(PICK(setresgid), 7, 8, 9) == 0);
    check(call3(PICK(getresgid), (long)&r, (long)&e, (long)&s) == 0);
    say("groups: %u %u %u\n", r, e, s);
    check(call3(PICK(setreuid), 1000, 1000, 0) == 0);
    show("for good");
    say("root again: refused with %ld\n", -call3(PICK(setresuid), -1, 0, -1));
    say("another group: refused with %ld\n", -call3(PICK(setregid), 4, -1, 0));
    check(call3(PICK(setreuid), -1, 1000, 0) == 0);
    show("real and effective");
    call3(PICK(setfsuid), 5, 0, 0);
    say("setfsuid cannot fail, and does nothing: %ld\n", call3(PICK(setfsuid), -1, 0, 0));
    check(call3(PICK(getresuid), 1, (long)&e, (long)&s) == -EFAULT);
    return 0;
}
