/* Two processes hand one byte back and forth through two pipes: two switches a round.
 *
 * cr: never (a benchmark: there is nothing between its points)
 * libc: both
 * args: 50
 * prints: 50 rounds
 */
#include "guest.h"

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 50;
    int there[2], back[2], status;
    char byte = 'x';
    check(pipe(there) == 0 && pipe(back) == 0);
    pid_t child = fork();
    check(child >= 0);
    for (int i = 0; i < n; i++) {
        if (child == 0) {
            check(read(there[0], &byte, 1) == 1);
            check(write(back[1], &byte, 1) == 1);
        } else {
            check(write(there[1], &byte, 1) == 1);
            check(read(back[0], &byte, 1) == 1);
        }
    }
    if (child == 0)
        _exit(0);
    check(waitpid(child, &status, 0) == child && status == 0);
    say("%d rounds\n", n);
    return 0;
}
