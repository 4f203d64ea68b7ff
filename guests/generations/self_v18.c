/* September 2009: three arguments, with flags.
 *
 * abi: v18
 * arches: x86_32 ppc32 ppc64
 * prints:
 *     original: the call returned 1, counter is 7, part 8
 *     copy: the call returned 0, counter is 1, part 1
 */
#include "self.h"

enum {
    NR_checkpoint_then = GUEST_COLUMN(338, -1, 323, 323),
    NR_restart_then = GUEST_COLUMN(339, -1, 324, 324),
};

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1

static long take(int fd)
{
    return raw_syscall(NR_checkpoint_then, 0, fd, CHECKPOINT_SUBTREE, 0, 0, 0);
}

static long become(int fd)
{
    return raw_syscall(NR_restart_then, getpid(), fd, RESTART_TASKSELF, 0, 0, 0);
}
