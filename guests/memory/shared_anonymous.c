/* Shared anonymous memory; a second view of it by mremap with an old size of zero is the same
 * memory. (qemu's user mode refuses that mremap with ENOMEM; Linux does not.)
 *
 * libc: both
 * prints:
 *     zero at first
 *     two views, one memory
 *     the second view lives on alone: 40
 */
#include "guest.h"

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    int *area = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(area != MAP_FAILED);
    size_t step = page / sizeof(int);
    for (int i = 0; i < 4; i++)
        check(area[i * step] == 0);
    say("zero at first\n");
    for (int i = 0; i < 4; i++)
        area[i * step] = i * 5;
    cr_point();
    int *view = mremap(area, 0, 4 * page, MREMAP_MAYMOVE);
    check(view != MAP_FAILED && view != area);
    cr_point();
    for (int i = 0; i < 4; i++)
        check(view[i * step] == i * 5);
    view[step] = 15;
    check(area[step] == 15);
    say("two views, one memory\n");
    cr_point();
    check(munmap(area, 4 * page) == 0);
    cr_point();
    int sum = view[0] + view[step] + view[2 * step] + view[3 * step];
    say("the second view lives on alone: %d\n", sum);
    return 0;
}
