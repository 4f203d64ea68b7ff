/* Calls for a range with a hole in it: what lies before the hole is done.
 *
 * libc: musl
 * prints:
 *     protect: 12, before the hole not written any more, behind it still
 *     lock: 12, before the hole locked, behind it not
 *     forget: 12, before the hole and behind it forgotten
 *     a hole at the beginning: 12, and nothing is changed
 */
#include "guest.h"

enum { PAGE = 4096 };

static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

static char *pages_with_a_hole(void)
{
    char *pages = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(pages != MAP_FAILED && munmap(pages + 2 * PAGE, PAGE) == 0);
    memset(pages, 'a', 2 * PAGE);
    memset(pages + 3 * PAGE, 'b', 2 * PAGE);
    return pages;
}

static int zero;

/* The kernel writes there, or says that it cannot. */
static int written(char *place)
{
    return pread(zero, place, 1, 0) == 1;
}

/* Locked pages are not forgotten. */
static int locked(char *page)
{
    return madvise(page, PAGE, MADV_DONTNEED) == -1 && errno == EINVAL;
}

int main(void)
{
    zero = open("/dev/zero", O_RDONLY);
    char *pages = pages_with_a_hole();
    int error = error_of(mprotect(pages, 5 * PAGE, PROT_READ));
    cr_point();
    check(!written(pages) && !written(pages + PAGE) && written(pages + 3 * PAGE));
    say("protect: %d, before the hole not written any more, behind it still\n", error);
    pages = pages_with_a_hole();
    error = error_of(mlock(pages + PAGE, 3 * PAGE));
    cr_point();
    check(!locked(pages) && locked(pages + PAGE) && !locked(pages + 3 * PAGE));
    say("lock: %d, before the hole locked, behind it not\n", error);
    pages = pages_with_a_hole();
    error = error_of(madvise(pages, 5 * PAGE, MADV_DONTNEED));
    cr_point();
    check(pages[PAGE] == 0 && pages[3 * PAGE] == 0);
    say("forget: %d, before the hole and behind it forgotten\n", error);
    error = error_of(mprotect(pages + 2 * PAGE, 2 * PAGE, PROT_NONE));
    check(written(pages + 3 * PAGE));
    say("a hole at the beginning: %d, and nothing is changed\n", error);
    return 0;
}
