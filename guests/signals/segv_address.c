/* SIGSEGV tells the address and the reason; the handler repairs the memory and the access goes on.
 * (qemu's user mode, on PowerPC, says SEGV_MAPERR in both cases; Linux does not.)
 *
 * libc: both
 * prints:
 *     nothing mapped, offset 12
 *     value 0
 *     no permission, offset 20
 *     value 5
 *     nothing mapped, offset 8
 *     value 9
 */
#include "guest.h"

static char *area;
static size_t page;

static void repair(int signal, siginfo_t *info, void *context)
{
    (void)context;
    char *at = info->si_addr;
    check(signal == SIGSEGV && info->si_signo == SIGSEGV && at >= area && at < area + page);
    int unmapped = info->si_code == SEGV_MAPERR;
    check(unmapped || info->si_code == SEGV_ACCERR);
    say("%s, offset %d\n", unmapped ? "nothing mapped" : "no permission", (int)(at - area));
    cr_point();
    if (unmapped)
        check(mmap(area, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                   0) == area);
    else
        check(mprotect(area, page, PROT_READ | PROT_WRITE) == 0);
}

int main(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = repair;
    action.sa_flags = SA_SIGINFO;
    check(sigaction(SIGSEGV, &action, NULL) == 0);
    page = getauxval(AT_PAGESZ);
    area = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(area != MAP_FAILED && munmap(area, page) == 0);
    volatile int *cells = (volatile int *)area;
    say("value %d\n", cells[3]);
    check(mprotect(area, page, PROT_READ) == 0);
    cells[5] = 5;
    say("value %d\n", cells[5]);
    check(munmap(area, page) == 0);
    cells[2] = 9;
    say("value %d\n", cells[2]);
    return 0;
}
