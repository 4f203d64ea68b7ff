/* A child is frozen by the freezer cgroup and checkpointed from outside. It goes on and ends; another
 * process becomes the saved one, and goes on where that was.
 *
 * libc: both
 * prints:
 *     not frozen: EBUSY
 *     state: FROZEN
 *     checkpointed: 1
 *     child: counted to 3
 *     original exited with 3
 *     child: counted to 3
 *     copy exited with 3
 */
#include "guest.h"

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

static void decimal(char *text, int number)
{
    char digits[12];
    int count = 0;
    do {
        digits[count++] = '0' + number % 10;
        number /= 10;
    } while (number);
    while (count)
        *text++ = digits[--count];
    *text = 0;
}

int main(void)
{
    int ready[2], go[2];
    char byte;
    check(pipe(ready) == 0 && pipe(go) == 0);
    check(mkdir("/tmp/place", 0700) == 0);
    pid_t child = fork();
    if (child == 0) {
        /* It keeps nothing of its parent's open but the console. */
        int file = open("/tmp/place/flag", O_RDWR | O_CREAT, 0600);
        check(file >= 0);
        close(ready[0]);
        close(go[0]);
        close(go[1]);
        check(write(ready[1], "r", 1) == 1);
        close(ready[1]);
        struct timespec moment = {0, 50000000};
        int i;
        for (i = 0; i < 3; i++)
            nanosleep(&moment, NULL);
        say("child: counted to %d\n", i);
        _exit(i);
    }
    close(ready[1]);
    check(read(ready[0], &byte, 1) == 1 && read(ready[0], &byte, 1) == 0);
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(image >= 0);
    check(raw_syscall(NR_checkpoint, child, image, CHECKPOINT_SUBTREE, -1, 0, 0) == -EBUSY);
    say("not frozen: EBUSY\n");
    check(lseek(image, 0, SEEK_SET) == 0);
    check(mkdir(GROUP, 0755) == 0);
    char pid[12];
    decimal(pid, child);
    put(GROUP "/tasks", pid);
    put(GROUP "/freezer.state", "FROZEN");
    char state[16] = "";
    int fd = open(GROUP "/freezer.state", O_RDONLY);
    check(fd >= 0 && read(fd, state, 15) > 0);
    close(fd);
    say("state: %s", state);
    long result = raw_syscall(NR_checkpoint, child, image, CHECKPOINT_SUBTREE, -1, 0, 0);
    say("checkpointed: %d\n", (int)result);
    /* Frozen means frozen: time passes, the child does not count. */
    struct timespec second = {1, 0};
    nanosleep(&second, NULL);
    put(GROUP "/freezer.state", "THAWED");
    int status;
    check(waitpid(child, &status, 0) == child);
    say("original exited with %d\n", status >> 8);
    check(lseek(image, 0, SEEK_SET) == 0);
    pid_t copy = fork();
    if (copy == 0) {
        raw_syscall(NR_restart, getpid(), image, RESTART_TASKSELF, -1, 0, 0);
        _exit(99);
    }
    check(waitpid(copy, &status, 0) == copy);
    say("copy exited with %d\n", status >> 8);
    return 0;
}
