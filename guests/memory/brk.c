/* A heap by brk: it grows, shrinks, and what grows again is zero.
 *
 * prints:
 *     grown to 20 pages
 *     16 pages hold what was written
 *     shrunk to 4 pages
 *     grown again: the old pages keep their words, the new ones are zero
 */
#include "guest.h"

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    char *start = sbrk(0);
    start += -(uintptr_t)start & (page - 1);
    check(brk(start) == 0);
    for (int i = 0; i < 20; i++) {
        check(sbrk((intptr_t)page) == start + i * page);
        *(int *)(start + i * page) = 1000 + i;
    }
    say("grown to %d pages\n", 20);
    cr_point();
    check(sbrk(-4 * (intptr_t)page) == start + 20 * page);
    for (int i = 0; i < 16; i++)
        check(*(int *)(start + i * page) == 1000 + i);
    say("16 pages hold what was written\n");
    check(brk(start + 4 * page) == 0 && sbrk(0) == start + 4 * page);
    say("shrunk to 4 pages\n");
    cr_point();
    check(brk(start + 8 * page) == 0);
    for (int i = 0; i < 8; i++)
        check(*(int *)(start + i * page) == (i < 4 ? 1000 + i : 0));
    check(brk(start) == 0);
    say("grown again: the old pages keep their words, the new ones are zero\n");
    return 0;
}
