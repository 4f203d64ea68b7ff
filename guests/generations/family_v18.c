/* September 2009: a frozen family is saved and killed, made again with the old numbers by
 * clone_with_pids, and restarted by its coordinator; all with three arguments.
 *
 * abi: v18
 * arches: x86_32 ppc32 ppc64
 * prints:
 *     not frozen: EBUSY
 *     saved: 1
 *     killed
 *     who is not there: ESRCH
 *     child 72 ends
 *     root 71 saw 3
 *     root exited with 5
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define GROUP "/sys/fs/cgroup/freezer/0"
#define GO "/tmp/go"
enum {
    NR_clone_with_pids = GUEST_COLUMN(337, -1, 325, 325),
    NR_checkpoint_then = GUEST_COLUMN(338, -1, 323, 323),
    NR_restart_then = GUEST_COLUMN(339, -1, 324, 324),
    ROOT = 71,
    CHILD = 72,
};

static long checkpoint_then(long pid, long fd, long flags)
{
    return raw_syscall(NR_checkpoint_then, pid, fd, flags, 99, 0, 0);
}

static long restart_then(long pid, long fd, long flags)
{
    return raw_syscall(NR_restart_then, pid, fd, flags, 99, 0, 0);
}

static pid_t fork_as(pid_t number)
{
    struct {
        int num_pids;
        pid_t *pids;
    } set = {1, &number};
    pid_t pid = raw_syscall(NR_clone_with_pids, SIGCHLD, 0, 0, 0, 0, (long)&set);
    check(pid == 0 || pid == number);
    return pid;
}

static void put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);
    check(fd >= 0);
    check(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void wait_for_go(void)
{
    struct timespec moment = {0, 1000000};
    struct stat at;
    while (stat(GO, &at) < 0)
        nanosleep(&moment, NULL);
}

static void family(int ready)
{
    int status;
    if (fork_as(CHILD) == 0) {
        check(write(ready, "c", 1) == 1);
        close(ready);
        wait_for_go();
        say("child %d ends\n", getpid());
        _exit(3);
    }
    check(write(ready, "r", 1) == 1);
    close(ready);
    check(waitpid(CHILD, &status, 0) == CHILD);
    say("root %d saw %d\n", getpid(), status >> 8);
    _exit(5);
}

static void family_again(void)
{
    fork_as(CHILD);
    restart_then(0, 0, 0);
    _exit(99);
}

int main(void)
{
    int ready[2], status;
    char byte;
    check(mkdir(GROUP, 0755) == 0);
    check(pipe(ready) == 0);
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(image >= 0);
    if (fork_as(ROOT) == 0) {
        close(image);
        close(ready[0]);
        family(ready[1]);
    }
    close(ready[1]);
    check(read(ready[0], &byte, 1) == 1 && read(ready[0], &byte, 1) == 1);
    check(read(ready[0], &byte, 1) == 0);
    check(checkpoint_then(ROOT, image, CHECKPOINT_SUBTREE) == -EBUSY);
    say("not frozen: EBUSY\n");
    check(ftruncate(image, 0) == 0 && lseek(image, 0, SEEK_SET) == 0);
    put(GROUP "/tasks", "71");
    put(GROUP "/tasks", "72");
    put(GROUP "/freezer.state", "FROZEN");
    say("saved: %ld\n", checkpoint_then(ROOT, image, CHECKPOINT_SUBTREE));
    check(kill(CHILD, SIGKILL) == 0 && kill(ROOT, SIGKILL) == 0);
    put(GROUP "/freezer.state", "THAWED");
    check(waitpid(ROOT, &status, 0) == ROOT);
    while (kill(CHILD, 0) == 0)
        sched_yield();
    say("killed\n");
    check(lseek(image, 0, SEEK_SET) == 0);
    check(restart_then(ROOT, image, 0) == -ESRCH);
    say("who is not there: ESRCH\n");
    close(open(GO, O_WRONLY | O_CREAT, 0600));
    if (fork_as(ROOT) == 0)
        family_again();
    while (kill(CHILD, 0) != 0)
        sched_yield();
    check(restart_then(ROOT, image, 0) == 0);
    check(waitpid(ROOT, &status, 0) == ROOT);
    say("root exited with %d\n", status >> 8);
    return 0;
}
