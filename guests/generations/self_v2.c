/* August 2008: both calls are about their caller; three arguments, no flags, pid and crid are not
 * looked at.
 *
 * abi: v2
 * arches: x86_32
 * prints:
 *     original: the call returned 1, counter is 7, part 8
 *     copy: the call returned 0, counter is 1, part 1
 */
#include "self.h"

enum {
    NR_checkpoint_then = GUEST_COLUMN(333, -1, -1, -1),
    NR_restart_then = GUEST_COLUMN(334, -1, -1, -1),
};

static long take(int fd)
{
    return raw_syscall(NR_checkpoint_then, 4000, fd, 0, 0, 0, 0);
}

static long become(int fd)
{
    return raw_syscall(NR_restart_then, 1, fd, 0, 0, 0, 0);
}
