/* Writes to read-only pages: the SIGSEGV handler makes each page writable, and the write goes on.
 *
 * libc: both
 * prints:
 *     fault in page 0
 *     fault in page 1
 *     fault in page 2
 *     fault in page 3
 *     4 faults, 4 pages written
 *     fault in page 2
 *     5 faults
 */
#include "guest.h"

static char *area;
static size_t page;
static volatile int faults;

static void fix(int signal, siginfo_t *info, void *context)
{
    (void)context;
    size_t at = (size_t)((char *)info->si_addr - area);
    check(signal == SIGSEGV && at < 4 * page);
    say("fault in page %d\n", (int)(at / page));
    faults++;
    cr_point();
    check(mprotect(area + at / page * page, page, PROT_READ | PROT_WRITE) == 0);
}

int main(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = fix;
    action.sa_flags = SA_SIGINFO;
    check(sigaction(SIGSEGV, &action, NULL) == 0);
    page = getauxval(AT_PAGESZ);
    area = mmap(NULL, 4 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(area != MAP_FAILED);
    for (int i = 0; i < 4; i++)
        ((volatile int *)(area + i * page))[i] += i + 1;
    for (int i = 0; i < 4; i++)
        check(((volatile int *)(area + i * page))[i] == i + 1);
    say("%d faults, 4 pages written\n", faults);
    check(mprotect(area, 4 * page, PROT_NONE) == 0);
    check(mprotect(area, 2 * page, PROT_READ) == 0);
    check(((volatile int *)area)[0] == 1);
    check(((volatile int *)(area + 2 * page))[2] == 3); /* a read may fault as well */
    say("%d faults\n", faults);
    return 0;
}
