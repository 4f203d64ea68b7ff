/* Files of 2 GiB and more: a 32-bit program that does not say O_LARGEFILE cannot write so far, nor
 * open such a file.
 *
 * arches: x86_32 ppc32
 * prints:
 *     over the edge: 1
 *     behind it: 27, of nothing: 0, pwrite: 27
 *     with O_LARGEFILE: 1 1
 *     opened without: 75, to cut: 75
 *     cut to 2 GiB less 1, opened without: 0
 */
#include "guest.h"

static int result(long value)
{
    return value < 0 ? (int)-value : 0;
}

static long opened(int flags)
{
    return raw_syscall(NR_open, (long)"file", flags, 0600, 0, 0, 0);
}

static void go_to(int fd, unsigned long at)
{
    long long where;
    check(raw_syscall(NR__llseek, fd, 0, (long)at, (long)&where, SEEK_SET, 0) == 0);
}

int main(void)
{
    int small = (int)opened(O_RDWR | O_CREAT), large = (int)opened(O_RDWR | O_LARGEFILE);
    check(small >= 0 && large >= 0);
    go_to(small, 0x7ffffffe);
    int one = (int)raw_syscall(NR_write, small, (long)"abc", 3, 0, 0, 0);
    say("over the edge: %d\n", one);
    cr_point();
    one = result(raw_syscall(NR_write, small, (long)"b", 1, 0, 0, 0));
    int none = (int)raw_syscall(NR_write, small, (long)"b", 0, 0, 0, 0);
#ifdef __powerpc__
    long there = raw_syscall(NR_pwrite64, small, (long)"b", 1, 0, 0, 0x7fffffffL);
#else
    long there = raw_syscall(NR_pwrite64, small, (long)"b", 1, 0x7fffffffL, 0, 0);
#endif
    say("behind it: %d, of nothing: %d, pwrite: %d\n", one, none, result(there));
    go_to(large, 0x7fffffff);
    one = (int)raw_syscall(NR_write, large, (long)"b", 1, 0, 0, 0);
    cr_point();
    int again = (int)opened(O_RDONLY | O_LARGEFILE);
    check(again >= 0);
    say("with O_LARGEFILE: %d %d\n", one, again > large);
    one = result(opened(O_RDONLY));
    say("opened without: %d, to cut: %d\n", one, result(opened(O_WRONLY | O_TRUNC)));
    check(raw_syscall(NR_ftruncate, large, 0x7fffffff, 0, 0, 0, 0) == 0);
    say("cut to 2 GiB less 1, opened without: %d\n", result(opened(O_RDONLY)));
    return 0;
}
