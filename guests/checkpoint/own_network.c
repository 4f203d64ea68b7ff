/* A task in a network of its own is checkpointed without CHECKPOINT_NETNS: only the tasks of one image
 * must be in one network. Who is restarted is in the network of who restarts, and changes nothing
 * there.
 *
 * prints:
 *     two networks: EPERM
 *     one network: 1
 *     child: no such name
 *     child: there it is
 *     the loopback is still up
 */
#include "sockets.h"

struct request {
    char name[16];
    short flags;
    char rest[64];
};

enum { NEWNET = 0x40000000, GET_FLAGS = 0x8913, SET_FLAGS = 0x8914 };

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1
#define GROUP "/sys/fs/cgroup/freezer/0"

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);
    check(fd >= 0);
    check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* Whether the loopback device of this network is up; `up` makes it so. */
static int loopback(int up)
{
    struct request lo;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&lo, 0, sizeof lo);
    memcpy(lo.name, "lo", 2);
    check(fd >= 0 && ioctl(fd, GET_FLAGS, &lo) == 0);
    if (up) {
        lo.flags |= 1;
        check(ioctl(fd, SET_FLAGS, &lo) == 0);
    }
    close(fd);
    return lo.flags & 1;
}

static void new_network(void)
{
    check(raw_syscall(NR_unshare, NEWNET, 0, 0, 0, 0, 0) == 0);
}

/* A child in the group, in a network of its own, that waits until nobody holds the other end. */
static pid_t start(int kind, int go[2])
{
    int ready[2];
    char byte;
    check(pipe(ready) == 0 && pipe(go) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct timespec moment = {0, 50000000};
        close(ready[0]);
        close(go[1]);
        put(GROUP "/tasks", "0");
        new_network();
        if (kind == 2 && fork() == 0)
            new_network();
        close(ready[1]);
        if (kind == 2) {
            check(read(go[0], &byte, 1) == 0);
            _exit(0);
        }
        close(go[0]);
        nanosleep(&moment, NULL);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect_unix(fd, "@parent") == 0)
            say("child: there it is\n");
        else
            say("child: no such name\n");
        _exit(0);
    }
    close(ready[1]);
    close(go[0]);
    check(read(ready[0], &byte, 1) == 0);
    close(ready[0]);
    return child;
}

static long freeze_and_checkpoint(pid_t child, int image)
{
    char state[16];
    put(GROUP "/freezer.state", "FROZEN");
    do {
        int fd = open(GROUP "/freezer.state", O_RDONLY);
        check(fd >= 0 && read(fd, state, 15) > 2);
        close(fd);
    } while (state[2] != 'O'); /* FREEZING */
    long result = raw_syscall(NR_checkpoint, child, image, CHECKPOINT_SUBTREE, -1, 0, 0);
    put(GROUP "/freezer.state", "THAWED");
    return result;
}

int main(void)
{
    int status, go[2];
    new_network();
    check(loopback(1));
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(image >= 0 && mkdir(GROUP, 0755) == 0);
    pid_t child = start(2, go);
    check(freeze_and_checkpoint(child, image) == -EPERM);
    say("two networks: EPERM\n");
    close(go[1]);
    check(waitpid(child, &status, 0) == child && status == 0);
    check(lseek(image, 0, SEEK_SET) == 0);
    child = start(1, go);
    say("one network: %ld\n", freeze_and_checkpoint(child, image));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind_unix(fd, "@parent") == 0 && listen(fd, 2) == 0);
    check(waitpid(child, &status, 0) == child && status == 0);
    check(lseek(image, 0, SEEK_SET) == 0);
    pid_t copy = fork();
    if (copy == 0) {
        raw_syscall(NR_restart, getpid(), image, RESTART_TASKSELF, -1, 0, 0);
        _exit(99);
    }
    check(waitpid(copy, &status, 0) == copy && status == 0);
    check(loopback(0));
    say("the loopback is still up\n");
    return 0;
}
