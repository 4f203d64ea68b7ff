/* What a plain user may not ask of the machine, and what everybody may.
 *
 * prints:
 *     set the clock: 1
 *     adjust the clock: 1
 *     hang up: 1
 *     swap: 1 1
 *     reboot: 1
 *     the clock's tick: 10000
 *     no such log action: 22 or 1
 */
#include "guest.h"

static long words[64];

static long call(long nr, long a, long b, long c)
{
    return raw_syscall(nr, a, b, c, 0, 0, 0);
}

int main(void)
{
    check(call(NR_setuid, 1000, 0, 0) == 0);
    struct timeval now = {1000000000, 0};
    say("set the clock: %ld\n", -call(NR_settimeofday, (long)&now, 0, 0));
    *(unsigned int *)words = 1;
    say("adjust the clock: %ld\n", -call(NR_adjtimex, (long)words, 0, 0));
    say("hang up: %ld\n", -call(NR_vhangup, 0, 0, 0));
    say("swap: %ld %ld\n", -call(NR_swapon, (long)"/", 0, 0), -call(NR_swapoff, (long)"/", 0, 0));
    say("reboot: %ld\n", -call(NR_reboot, 0xfee1dead, 672274793, 0));
    memset(words, 0, sizeof words);
    check(call(NR_adjtimex, (long)words, 0, 0) >= 0);
    say("the clock's tick: %ld\n", words[11]);
    check(call(NR_sysinfo, (long)words, 0, 0) == 0);
    long answer = call(NR_syslog, 77, 0, 0);
    check(answer == -EINVAL || answer == -EPERM);
    say("no such log action: 22 or 1\n");
    check(call(NR_sysinfo, 1, 0, 0) == -EFAULT);
    return 0;
}
