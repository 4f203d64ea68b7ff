/* Resource limits are kept, and the one on open files works.
 *
 * libc: both
 * prints:
 *     core: 4096 of 1048576
 *     file size: 65536
 *     the highest descriptor is 19
 *     a soft limit above the hard one is refused
 */
#include "guest.h"

int main(void)
{
    struct rlimit limit;
    int highest = -1, fd;
    limit.rlim_cur = 4096;
    limit.rlim_max = 1048576;
    check(setrlimit(RLIMIT_CORE, &limit) == 0);
    check(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = 65536;
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    check(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= 20);
    limit.rlim_cur = 20;
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    cr_point();
    check(getrlimit(RLIMIT_CORE, &limit) == 0);
    say("core: %d of %d\n", (int)limit.rlim_cur, (int)limit.rlim_max);
    check(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    say("file size: %d\n", (int)limit.rlim_cur);
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        highest = fd;
    check(errno == EMFILE);
    say("the highest descriptor is %d\n", highest);
    check(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 20);
    limit.rlim_cur = limit.rlim_max + 1;
    check(setrlimit(RLIMIT_NOFILE, &limit) == -1 && errno == EINVAL);
    say("a soft limit above the hard one is refused\n");
    return 0;
}
