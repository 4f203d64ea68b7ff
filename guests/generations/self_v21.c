/* May 2010: on another kernel, with the same numbers.
 *
 * abi: v21
 * prints:
 *     original: the call returned 1, counter is 7, part 8
 *     copy: the call returned 0, counter is 1, part 1
 */
#include "self.h"

enum {
    NR_checkpoint_then = GUEST_COLUMN(339, 301, 324, 324),
    NR_restart_then = GUEST_COLUMN(340, 302, 325, 325),
};

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1
#define NO_LOG -1

static long take(int fd)
{
    return raw_syscall(NR_checkpoint_then, 0, fd, CHECKPOINT_SUBTREE, NO_LOG, 0, 0);
}

static long become(int fd)
{
    return raw_syscall(NR_restart_then, getpid(), fd, RESTART_TASKSELF, NO_LOG, 0, 0);
}
