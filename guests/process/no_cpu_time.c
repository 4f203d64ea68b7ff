/* Who asks for no CPU time at all gets a second, above the hard limit of none (2.6.37). A kernel of
 * today ends the process at its next tick, so no real one can tell.
 *
 * prints:
 *     1 of 0 seconds
 */
#include "guest.h"

int main(void)
{
    struct rlimit limit = {0, 0};
    check(setrlimit(RLIMIT_CPU, &limit) == 0);
    cr_point();
    check(getrlimit(RLIMIT_CPU, &limit) == 0);
    say("%d of %d seconds\n", (int)limit.rlim_cur, (int)limit.rlim_max);
    return 0;
}
