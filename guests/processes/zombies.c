/* Children that have ended wait as zombies until they are asked for, in any order.
 *
 * libc: both
 * order: any
 * prints:
 *     last: exit 3
 *     middle: signal 9
 *     first: exit 1
 */
#include "guest.h"

int main(void)
{
    pid_t first = fork();
    if (first == 0)
        _exit(1);
    pid_t middle = fork();
    if (middle == 0) {
        raise(SIGKILL);
        _exit(99);
    }
    pid_t last = fork();
    if (last == 0)
        _exit(3);
    struct timespec moment = {0, 1000000};
    for (int i = 0; i < 4; i++) {
        nanosleep(&moment, NULL);
        cr_point();
    }
    int status;
    check(waitpid(last, &status, 0) == last);
    say("last: exit %d\n", status >> 8);
    check(waitpid(middle, &status, 0) == middle);
    say("middle: signal %d\n", status & 0x7f);
    check(waitpid(first, &status, 0) == first);
    say("first: exit %d\n", status >> 8);
    return 0;
}
