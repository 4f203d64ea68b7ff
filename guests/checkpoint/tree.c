/* A family is frozen, checkpointed and killed; then it is made again, task by task with the same
 * numbers, and restarted from inside: a thread, a zombie, a session, a process group whose leader is
 * gone, and a process whose first thread is.
 *
 * libc: musl
 * prints:
 *     family complete
 *     checkpointed
 *     killed
 *     restarted
 *     thread: counted to 5
 *     group survived its leader: 1
 *     zombie: 7
 *     first thread gone: 6
 *     session: own 1, group 1
 *     member: 3
 *     root exited with 9
 */
#include "guest.h"
#include <pthread.h>
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

static void rest(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0)
        check(errno == EINTR);
}

static void *count(void *argument)
{
    for (int i = 0; i < 5; i++) {
        rest(200);
        *(int *)argument += 1;
    }
    return argument;
}

/* Its leader, the first child of the root, ends at once. */
static void group_member(int pgid)
{
    rest(1200);
    say("group survived its leader: %d\n", getpgrp() == pgid);
    _exit(0);
}

static void *outlive(void *argument)
{
    rest(1300);
    exit(6);
    return argument;
}

static void lose_first_thread(void)
{
    pthread_t thread;
    check(pthread_create(&thread, NULL, outlive, NULL) == 0);
    raw_syscall(NR_exit, 1, 0, 0, 0, 0, 0);
}

static void session(int ready)
{
    check(setsid() == getpid());
    pid_t member = fork();
    if (member == 0) {
        rest(1600);
        _exit(3);
    }
    check(write(ready, "s", 1) == 1);
    close(ready);
    int status;
    rest(1400);
    say("session: own %d, group %d\n", getsid(0) == getpid(), getpgrp() == getpid());
    check(waitpid(member, &status, 0) == member);
    say("member: %d\n", WEXITSTATUS(status));
    _exit(0);
}

static void family(int ready)
{
    int counted = 0, status;
    pthread_t thread;
    char byte;
    int leads[2];
    put(GROUP "/tasks", "0"); /* its children come along */
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(7);
    check(pipe(leads) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        check(read(leads[0], &byte, 1) == 1);
        _exit(0);
    }
    check(setpgid(leader, leader) == 0);
    pid_t member = fork();
    if (member == 0) {
        close(leads[0]);
        close(leads[1]);
        close(ready);
        group_member(leader);
    }
    check(setpgid(member, leader) == 0);
    check(write(leads[1], "x", 1) == 1);
    check(waitpid(leader, &status, 0) == leader);
    close(leads[0]);
    close(leads[1]);
    pid_t headless = fork();
    if (headless == 0) {
        close(ready);
        lose_first_thread();
    }
    rest(1);
    pid_t other = fork();
    if (other == 0)
        session(ready);
    check(pthread_create(&thread, NULL, count, &counted) == 0);
    check(write(ready, "f", 1) == 1);
    close(ready);
    check(pthread_join(thread, NULL) == 0);
    say("thread: counted to %d\n", counted);
    check(waitpid(member, &status, 0) == member);
    check(waitpid(zombie, &status, 0) == zombie);
    say("zombie: %d\n", WEXITSTATUS(status));
    check(waitpid(headless, &status, 0) == headless);
    say("first thread gone: %d\n", WEXITSTATUS(status));
    check(waitpid(other, &status, 0) == other);
    _exit(9);
}

int main(void)
{
    static struct image image;
    int ready[2], status;
    char bytes[2];
    check(pipe(ready) == 0);
    check(mkdir(GROUP, 0755) == 0);
    pid_t root = fork();
    if (root == 0) {
        close(ready[0]);
        family(ready[1]);
    }
    close(ready[1]);
    check(read(ready[0], bytes, 1) == 1 && read(ready[0], bytes, 1) == 1);
    say("family complete\n");
    put(GROUP "/freezer.state", "FROZEN");
    int fd = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0);
    check(raw_syscall(NR_checkpoint, root, fd, CHECKPOINT_SUBTREE, 2, 0, 0) > 0);
    say("checkpointed\n");
    for (int pid = root; pid < root + 12; pid++)
        if (pid != getpid())
            kill(pid, SIGKILL);
    put(GROUP "/freezer.state", "THAWED");
    check(waitpid(root, &status, 0) == root);
    rest(10);
    while (waitpid(-1, &status, WNOHANG) > 0)
        ;
    say("killed\n");
    check(lseek(fd, 0, SEEK_SET) == 0);
    read_prefix(&image, fd);
    check(grow_forest(&image) == root);
    check(lseek(fd, 0, SEEK_SET) == 0);
    check(raw_syscall(NR_restart, root, fd, 0, 2, 0, 0) == 0);
    say("restarted\n");
    check(waitpid(root, &status, 0) == root);
    say("root exited with %d\n", WEXITSTATUS(status));
    return 0;
}
