/* What the two calls refuse, and that a refused image changes nothing.
 *
 * libc: both
 * prints:
 *     flags: EINVAL, descriptor: EBADF, nobody: ESRCH
 *     unknown restart flags: EINVAL, empty image: EPIPE
 *     garbage: EINVAL, and the log says why
 *     cut: EPIPE
 *     still here, counter is 3
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1

static char buffer[70000];

static long take(long pid, long fd, long flags, long log)
{
    return raw_syscall(NR_checkpoint, pid, fd, flags, log, 0, 0);
}

static long become(long fd, long flags, long log)
{
    return raw_syscall(NR_restart, getpid(), fd, flags, log, 0, 0);
}

static int fresh(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0);
    return fd;
}

int main(void)
{
    volatile int counter = 3;
    int image = fresh("/tmp/image");
    check(take(0, image, 64, -1) == -EINVAL);
    check(take(0, 99, CHECKPOINT_SUBTREE, -1) == -EBADF);
    check(take(0, image, CHECKPOINT_SUBTREE, 99) == -EBADF);
    check(take(4000, image, CHECKPOINT_SUBTREE, -1) == -ESRCH);
    say("flags: EINVAL, descriptor: EBADF, nobody: ESRCH\n");
    check(become(image, 64, -1) == -EINVAL);
    check(become(fresh("/tmp/empty"), RESTART_TASKSELF, -1) == -EPIPE);
    say("unknown restart flags: EINVAL, empty image: EPIPE\n");
    int garbage = fresh("/tmp/garbage");
    int log = fresh("/tmp/log");
    memset(buffer, 0x55, 4096);
    check(write(garbage, buffer, 4096) == 4096 && lseek(garbage, 0, SEEK_SET) == 0);
    check(become(garbage, RESTART_TASKSELF, log) == -EINVAL);
    check(lseek(log, 0, SEEK_END) > 10);
    say("garbage: EINVAL, and the log says why\n");
    long result = take(0, image, CHECKPOINT_SUBTREE, -1);
    check(result > 0);
    check(lseek(image, 0, SEEK_SET) == 0);
    long size = read(image, buffer, sizeof buffer);
    check(size > 1000);
    int cut = fresh("/tmp/cut");
    check(write(cut, buffer, size - 9) == size - 9 && lseek(cut, 0, SEEK_SET) == 0);
    check(become(cut, RESTART_TASKSELF, -1) == -EPIPE);
    say("cut: EPIPE\n");
    say("still here, counter is %d\n", counter);
    return 0;
}
