/* January 2009: three arguments, no flags; crid is the pid of the root, so of who restarts alone.
 *
 * abi: v13
 * arches: x86_32 ppc32 ppc64
 * prints:
 *     original: the call returned 1, counter is 7, part 8
 *     copy: the call returned 0, counter is 1, part 1
 */
#include "self.h"

enum {
    NR_checkpoint_then = GUEST_COLUMN(333, -1, 319, 319),
    NR_restart_then = GUEST_COLUMN(334, -1, 320, 320),
};

static long take(int fd)
{
    return raw_syscall(NR_checkpoint_then, getpid(), fd, 0, 0, 0, 0);
}

static long become(int fd)
{
    return raw_syscall(NR_restart_then, getpid(), fd, 0, 0, 0, 0);
}
