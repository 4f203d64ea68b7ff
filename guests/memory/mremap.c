/* mremap: grow in place or move, move to a chosen place, shrink.
 *
 * libc: both
 * prints:
 *     in its place it cannot grow
 *     moved and grown
 *     moved to a chosen place
 *     shrunk
 */
#include "guest.h"

static void fill(char *area, size_t page, int pages)
{
    for (int i = 0; i < pages; i++)
        area[i * page + 7] = (char)(40 + i);
}

static int holds(const char *area, size_t page, int pages)
{
    for (int i = 0; i < pages; i++)
        if (area[i * page + 7] != 40 + i)
            return 0;
    return 1;
}

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    char *area = mmap(NULL, 16 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(area != MAP_FAILED);
    check(mprotect(area + 4 * page, 12 * page, PROT_NONE) == 0);
    fill(area, page, 4);
    cr_point();
    check(mremap(area, 4 * page, 8 * page, 0) == MAP_FAILED && errno == ENOMEM);
    say("in its place it cannot grow\n");
    char *moved = mremap(area, 4 * page, 8 * page, MREMAP_MAYMOVE);
    check(moved != MAP_FAILED && moved != area);
    check(holds(moved, page, 4) && moved[4 * page] == 0 && moved[8 * page - 1] == 0);
    fill(moved, page, 8);
    say("moved and grown\n");
    cr_point();
    char *chosen = area + 6 * page;
    check(mremap(moved, 8 * page, 8 * page, MREMAP_MAYMOVE | MREMAP_FIXED, chosen) == chosen);
    check(holds(chosen, page, 8));
    say("moved to a chosen place\n");
    cr_point();
    check(mremap(chosen, 8 * page, 3 * page, 0) == chosen);
    check(holds(chosen, page, 3));
    check(mremap(chosen, 3 * page, 4 * page, 0) == chosen); /* there is room now */
    check(holds(chosen, page, 3) && chosen[3 * page + 7] == 0);
    say("shrunk\n");
    return 0;
}
