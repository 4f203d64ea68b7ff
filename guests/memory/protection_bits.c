/* mprotect: PROT_SEM is allowed and changes nothing, a bit that nobody knows is EINVAL.
 *
 * prints:
 *     with PROT_SEM: written
 *     an unknown bit: EINVAL, still written
 */
#include "guest.h"

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    char *area = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(area != MAP_FAILED);
    check(mprotect(area, page, PROT_READ | PROT_WRITE | PROT_SEM) == 0);
    cr_point();
    area[0] = 'x';
    say("with PROT_SEM: %s\n", area[0] == 'x' ? "written" : "lost");
    check(mprotect(area, page, PROT_READ | 0x40) == -1 && errno == EINVAL);
    cr_point();
    area[0] = 'y';
    say("an unknown bit: EINVAL, still %s\n", area[0] == 'y' ? "written" : "lost");
    return 0;
}
