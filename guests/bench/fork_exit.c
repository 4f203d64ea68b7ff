/* A process of one megabyte forks as often as the argument says; each child ends at once.
 *
 * cr: never (a benchmark: there is nothing between its points)
 * libc: both
 * args: 20
 * prints: 20 children
 */
#include "guest.h"

static char memory[1 << 20];

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 20;
    memset(memory, 1, sizeof memory);
    for (int i = 0; i < n; i++) {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
            _exit(i & 127);
        check(child > 0);
        check(waitpid(child, &status, 0) == child);
        check(WIFEXITED(status) && WEXITSTATUS(status) == (i & 127));
    }
    say("%d children\n", n);
    return 0;
}
