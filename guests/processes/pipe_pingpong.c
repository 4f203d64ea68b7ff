/* Two processes pass a number to and fro through two pipes, each adding to it.
 *
 * libc: both
 * args: 20
 * order: any
 * prints:
 *     20 rounds, the number is 60
 */
#include "guest.h"

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 20;
    int there[2], back[2];
    check(pipe(there) == 0 && pipe(back) == 0);
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
        int number;
        close(there[1]);
        close(back[0]);
        while (read(there[0], &number, sizeof number) == sizeof number) {
            number += 2;
            check(write(back[1], &number, sizeof number) == sizeof number);
        }
        _exit(0);
    }
    close(there[0]);
    close(back[1]);
    int number = 0;
    for (int i = 0; i < rounds; i++) {
        number += 1;
        check(write(there[1], &number, sizeof number) == sizeof number);
        check(read(back[0], &number, sizeof number) == sizeof number);
    }
    close(there[1]);
    int status;
    check(waitpid(pid, &status, 0) == pid && status == 0);
    say("%d rounds, the number is %d\n", rounds, number);
    return 0;
}
