/* Capabilities: asked for, given up, kept over setuid, and not to be had back.
 *
 * prints:
 *     an unknown version: 22, and the kernel's own is 20080522
 *     kill and setuid: 1 1
 *     without kill: 0 1, permitted 1
 *     kill again: 1
 *     given up: 0
 *     kill again: refused with 1
 *     others: refused with 1
 *     keepcaps 0 1, and 22 for 2
 *     a user with setuid permitted 1, effective 0
 *     effective again: 1
 *     the bounding set has kill: 1, there is no 99: 22
 */
#include "guest.h"

enum { KILL = 1 << 5, SETUID = 1 << 7, PR_GET_KEEPCAPS = 7, PR_SET_KEEPCAPS = 8 };
static struct {
    unsigned int version;
    int pid;
} header = {0x20080522, 0};
static struct {
    unsigned int effective, permitted, inheritable;
} sets[2];

static long get(void)
{
    return raw_syscall(NR_capget, (long)&header, (long)sets, 0, 0, 0, 0);
}

static long set(void)
{
    return raw_syscall(NR_capset, (long)&header, (long)sets, 0, 0, 0, 0);
}

static long ask(long option, long value)
{
    return raw_syscall(NR_prctl, option, value, 0, 0, 0, 0);
}

int main(void)
{
    header.version = 1;
    long refused = get();
    say("an unknown version: %ld, and the kernel's own is %x\n", -refused, header.version);
    check(get() == 0);
    say("kill and setuid: %d %d\n", !!(sets[0].effective & KILL), !!(sets[0].effective & SETUID));
    sets[0].effective &= ~KILL;
    check(set() == 0 && get() == 0);
    say("without kill: %d %d, permitted %d\n", !!(sets[0].effective & KILL),
        !!(sets[0].effective & SETUID), !!(sets[0].permitted & KILL));
    sets[0].effective |= KILL;
    check(set() == 0 && get() == 0);
    say("kill again: %d\n", !!(sets[0].effective & KILL));
    sets[0].effective &= ~KILL;
    sets[0].permitted &= ~KILL;
    sets[0].inheritable &= ~KILL;
    check(set() == 0 && get() == 0);
    say("given up: %d\n", !!(sets[0].permitted & KILL));
    sets[0].permitted |= KILL;
    say("kill again: refused with %ld\n", -set());
    check(get() == 0);
    header.pid = getppid() ? getppid() : 12345;
    say("others: refused with %ld\n", -set());
    header.pid = 0;
    long first = ask(PR_GET_KEEPCAPS, 0);
    check(ask(PR_SET_KEEPCAPS, 1) == 0);
    long second = ask(PR_GET_KEEPCAPS, 0);
    say("keepcaps %ld %ld, and %ld for 2\n", first, second, -ask(PR_SET_KEEPCAPS, 2));
    check(raw_syscall(NR_setuid, 1000, 0, 0, 0, 0, 0) == 0 && get() == 0);
    say("a user with setuid permitted %d, effective %d\n", !!(sets[0].permitted & SETUID),
        !!(sets[0].effective & SETUID));
    sets[0].effective |= SETUID;
    check(set() == 0 && get() == 0);
    say("effective again: %d\n", !!(sets[0].effective & SETUID));
    say("the bounding set has kill: %ld, there is no 99: %ld\n", ask(23, 5), -ask(23, 99));
    return 0;
}
