/* Counts to its argument, with a place for a checkpoint at every number.
 *
 * libc: both
 * args: 5
 * prints:
 *     1
 *     2
 *     3
 *     4
 *     5
 *     sum 15
 */
#include "guest.h"

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 10;
    int sum = 0;
    for (int i = 1; i <= n; i++) {
        cr_point();
        say("%d\n", i);
        sum += i;
    }
    say("sum %d\n", sum);
    return 0;
}
