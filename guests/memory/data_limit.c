/* RLIMIT_DATA: the heap grows no further, and stays as it was. (qemu's user mode has no such limit.)
 *
 * prints:
 *     64 KiB more: yes
 *     256 KiB more: no
 *     it can still be used, and shrink: yes
 *     256 KiB more without a limit: yes
 */
#include "guest.h"

static char *brk_to(char *end)
{
    return (char *)raw_syscall(NR_brk, (long)end, 0, 0, 0, 0, 0);
}

static const char *answer(int yes)
{
    return yes ? "yes" : "no";
}

int main(void)
{
    struct rlimit limit, before;
    char *start = brk_to(0), *end = start + 65536;
    check(getrlimit(RLIMIT_DATA, &before) == 0);
    limit = before;
    limit.rlim_cur = 128 << 10;
    check(setrlimit(RLIMIT_DATA, &limit) == 0);
    say("64 KiB more: %s\n", answer(brk_to(end) == end));
    cr_point();
    say("256 KiB more: %s\n", answer(brk_to(end + (256 << 10)) == end + (256 << 10)));
    end[-1] = 7;
    say("it can still be used, and shrink: %s\n",
        answer(end[-1] == 7 && brk_to(end - 4096) == end - 4096));
    check(setrlimit(RLIMIT_DATA, &before) == 0);
    end += 256 << 10;
    say("256 KiB more without a limit: %s\n", answer(brk_to(end) == end));
    return 0;
}
