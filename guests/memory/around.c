/* Ranges of memory that come round: a length that is nothing when it is made whole pages.
 *
 * libc: musl
 * arches: x86_64 ppc64
 * prints:
 *     locked 0, not locked 0, synchronised 0
 *     protected 12, whatever the protection 12, with one that is none 22
 *     locked from the last page on 22
 *     where to tell of pages is looked at first 14
 */
#include "guest.h"

static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

int main(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(page != MAP_FAILED);
    say("locked %d, not locked %d, synchronised %d\n", error_of(mlock(page, -1ul)),
        error_of(munlock(page, -1ul)), error_of(msync(page, -1ul, 0)));
    cr_point();
    say("protected %d, whatever the protection %ld, with one that is none %ld\n",
        (int)-raw_syscall(NR_mprotect, (long)page, -1l, 1, 0, 0, 0),
        -raw_syscall(NR_mprotect, (long)page, -1l, 0x2000, 0, 0, 0),
        -raw_syscall(NR_mprotect, (long)page, 4096, 0x2000, 0, 0, 0));
    say("locked from the last page on %d\n", error_of(mlock((void *)-1l, 8)));
    say("where to tell of pages is looked at first %d\n",
        error_of(mincore(NULL, 8192, (unsigned char *)-1l)));
    return 0;
}
