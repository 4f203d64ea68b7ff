/* Before v21 a tree whose tasks live in two network namespaces could not be saved at all.
 *
 * abi: v20
 * prints:
 *     in one network: 1
 *     in two: EPERM
 *     NETNS, which came with v21: EINVAL
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define CHECKPOINT_NETNS 2
#define CLONE_NEWNET 0x40000000
#define GROUP "/sys/fs/cgroup/freezer/0"

enum { NR_checkpoint_then = GUEST_COLUMN(339, 301, 324, 324) };

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);
    check(fd >= 0);
    check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* A frozen parent and its child, in its network or in a new one; what a checkpoint of it returns. */
static long saved(int alone, long flags)
{
    int ready[2], status;
    char byte;
    check(pipe(ready) == 0);
    pid_t root = fork();
    if (root == 0) {
        put(GROUP "/tasks", "0");
        if (fork() == 0) {
            if (alone)
                check(raw_syscall(NR_unshare, CLONE_NEWNET, 0, 0, 0, 0, 0) == 0);
            check(write(ready[1], "r", 1) == 1);
        }
        for (;;)
            sched_yield();
    }
    close(ready[1]);
    check(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    put(GROUP "/freezer.state", "FROZEN");
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600);
    long result = raw_syscall(NR_checkpoint_then, root, image, flags, -1, 0, 0);
    close(image);
    char pids[40] = "";
    int fd = open(GROUP "/tasks", O_RDONLY);
    check(fd >= 0 && read(fd, pids, sizeof pids - 1) > 0);
    close(fd);
    for (char *line = pids; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        check(kill(atoi(line), SIGKILL) == 0);
    put(GROUP "/freezer.state", "THAWED");
    check(waitpid(root, &status, 0) == root);
    return result;
}

int main(void)
{
    check(mkdir(GROUP, 0755) == 0);
    say("in one network: %ld\n", saved(0, CHECKPOINT_SUBTREE));
    check(saved(1, CHECKPOINT_SUBTREE) == -EPERM);
    say("in two: EPERM\n");
    check(saved(1, CHECKPOINT_SUBTREE | CHECKPOINT_NETNS) == -EINVAL);
    say("NETNS, which came with v21: EINVAL\n");
    return 0;
}
