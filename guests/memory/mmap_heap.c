/* Anonymous mappings: made, split by a hole, joined again, replaced by MAP_FIXED, given back.
 *
 * libc: both
 * prints:
 *     8 areas
 *     holes
 *     holes filled with zeroes, neighbours untouched
 *     sum 242
 *     all given back
 */
#include "guest.h"

enum { AREAS = 8, PAGES = 6 };
static char *areas[AREAS];

static char *map(void *at, size_t size, int flags)
{
    char *area = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    check(area != MAP_FAILED);
    return area;
}

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    int sum = 0;
    for (int i = 0; i < AREAS; i++) {
        areas[i] = map(NULL, PAGES * page, 0);
        for (int j = 0; j < PAGES; j++) {
            check(areas[i][j * page] == 0 && areas[i][(j + 1) * page - 1] == 0);
            areas[i][j * page] = (char)(i + j);
        }
    }
    say("%d areas\n", AREAS);
    cr_point();
    for (int i = 0; i < AREAS; i += 2)
        check(munmap(areas[i] + 2 * page, 2 * page) == 0);
    say("holes\n");
    cr_point();
    for (int i = 0; i < AREAS; i += 2)
        check(map(areas[i] + 2 * page, 2 * page, MAP_FIXED) == areas[i] + 2 * page);
    check(map(areas[1] + page, page, MAP_FIXED) == areas[1] + page);
    for (int i = 0; i < AREAS; i++)
        for (int j = 0; j < PAGES; j++) {
            int replaced = (i % 2 == 0 && (j == 2 || j == 3)) || (i == 1 && j == 1);
            check(areas[i][j * page] == (replaced ? 0 : i + j));
            sum += areas[i][j * page];
        }
    say("holes filled with zeroes, neighbours untouched\n");
    say("sum %d\n", sum);
    cr_point();
    for (int i = 0; i < AREAS; i++)
        check(munmap(areas[i], PAGES * page) == 0);
    check(munmap(areas[0] + 1, page) == -1 && errno == EINVAL);
    say("all given back\n");
    return 0;
}
