/* As many system calls as the argument says, and nothing else: the cost of one trap.
 *
 * cr: never (a benchmark: there is nothing between its points)
 * libc: both
 * args: 1000
 * prints: 1000 calls
 */
#include "guest.h"

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 1000;
    for (int i = 0; i < n; i++)
        cr_point();
    say("%d calls\n", n);
    return 0;
}
