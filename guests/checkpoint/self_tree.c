/* A process whose child is frozen checkpoints itself with the child. Both end; then the tree is made
 * again, and the call returns once more, with 0, and the child is there once more.
 *
 * libc: musl
 * prints:
 *     not frozen: EBUSY
 *     original: the call returned 1
 *     child: exits
 *     original: the child exited with 3
 *     root exited with 5
 *     copy: the call returned 0
 *     child: exits
 *     copy: the child exited with 3
 *     root exited with 5
 */
#include "guest.h"
#include "forest.h"

#define CHECKPOINT_SUBTREE 1
#define GROUP "/sys/fs/cgroup/freezer/0"

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);
    check(fd >= 0);
    check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void child(int ready)
{
    struct timespec moment = {0, 50000000};
    put(GROUP "/tasks", "0");
    check(write(ready, "r", 1) == 1);
    close(ready);
    while (nanosleep(&moment, &moment) != 0)
        check(errno == EINTR);
    say("child: exits\n");
    _exit(3);
}

static void root(void)
{
    int ready[2], status;
    char byte;
    check(pipe(ready) == 0);
    pid_t other = fork();
    if (other == 0) {
        close(ready[0]);
        child(ready[1]);
    }
    close(ready[1]);
    check(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    int image = open("/tmp/image", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    check(image >= 0);
    check(raw_syscall(NR_checkpoint, 0, image, CHECKPOINT_SUBTREE, -1, 0, 0) == -EBUSY);
    say("not frozen: EBUSY\n");
    check(ftruncate(image, 0) == 0 && lseek(image, 0, SEEK_SET) == 0);
    put(GROUP "/freezer.state", "FROZEN");
    long result = raw_syscall(NR_checkpoint, 0, image, CHECKPOINT_SUBTREE, 2, 0, 0);
    const char *who = result ? "original" : "copy";
    say("%s: the call returned %d\n", who, (int)result);
    if (result)
        put(GROUP "/freezer.state", "THAWED");
    check(waitpid(other, &status, 0) == other);
    say("%s: the child exited with %d\n", who, WEXITSTATUS(status));
    _exit(5);
}

int main(void)
{
    static struct image image;
    int status;
    check(mkdir(GROUP, 0755) == 0);
    pid_t first = fork();
    if (first == 0)
        root();
    check(waitpid(first, &status, 0) == first);
    say("root exited with %d\n", WEXITSTATUS(status));
    int fd = open("/tmp/image", O_RDONLY);
    check(fd >= 0);
    read_prefix(&image, fd);
    check(grow_forest(&image) == first);
    check(lseek(fd, 0, SEEK_SET) == 0);
    check(raw_syscall(NR_restart, first, fd, 0, 2, 0, 0) == 0);
    check(waitpid(first, &status, 0) == first);
    say("root exited with %d\n", WEXITSTATUS(status));
    return 0;
}
