/* A process keeps its ids and its parent over checkpoints; nothing else may show that it was away.
 *
 * libc: both
 * prints:
 *     same ids after 5 points
 *     kill(self, 0) finds it, and nobody else has pid 1 << 30
 */
#include "guest.h"

int main(void)
{
    pid_t pid = getpid(), parent = getppid(), group = getpgrp();
    unsigned int uid = getuid(), gid = getgid();
    check(pid > 0);
    for (int i = 0; i < 5; i++) {
        cr_point();
        check(getpid() == pid && getppid() == parent && getpgrp() == group);
        check(getuid() == uid && getgid() == gid);
    }
    say("same ids after %d points\n", 5);
    check(kill(pid, 0) == 0);
    check(kill(1 << 30, 0) == -1 && errno == ESRCH);
    say("kill(self, 0) finds it, and nobody else has pid 1 << 30\n");
    return 0;
}
