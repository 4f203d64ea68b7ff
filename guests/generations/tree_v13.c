/* A tree in January 2009: who restarts it makes its processes, and writes their numbers into the image,
 * for the old ones do not come back. The root reads the image, the other one waits for the root.
 *
 * abi: v13
 * arches: x86_32 ppc32 ppc64
 * prints:
 *     saved: 1
 *     child ends, root saw 3, in its parent's group
 *     nobody to wait for: ESRCH
 *     restarted
 *     child ends, root saw 3, in its parent's group
 */
#include "v13.h"

#define REPORT "/tmp/report"
#define READY "/tmp/ready"
#define GO "/tmp/go"
#define IMAGE "/tmp/image"

static void tree(void)
{
    int status;
    keep_nothing_open();
    pid_t child = fork();
    if (child == 0) {
        append(READY, "c");
        wait_for(GO, 1);
        append(REPORT, "child ends, ");
        _exit(3);
    }
    append(READY, "r");
    /* Any child: its number will be another one. */
    check(waitpid(-1, &status, 0) > 0);
    append(REPORT, status == 3 << 8 ? "root saw 3" : "root saw something else");
    long group = raw_syscall(NR_getpgrp, 0, 0, 0, 0, 0, 0);
    int is_parents = group == raw_syscall(NR_getpgid, getppid(), 0, 0, 0, 0, 0);
    append(REPORT, is_parents ? ", in its parent's group\n" : ", in another group\n");
    _exit(0);
}

/* What mktree did: vpid, vtgid and vppid of two processes lie behind TREE, without a frame. */
static void give_numbers(pid_t root, pid_t child)
{
    struct {
        int32_t vpid, vtgid, vppid, pad;
    } pids[2];
    int16_t frame[4];
    off_t at = 0;
    int image = open(IMAGE, O_RDWR);
    do {
        check(pread(image, frame, sizeof frame, at) == sizeof frame);
        at += sizeof frame + frame[1];
    } while (frame[0] != 101);
    check(pread(image, pids, sizeof pids, at) == sizeof pids);
    check(pids[1].vppid == pids[0].vpid && pids[0].vpid == pids[0].vtgid);
    pids[0].vpid = pids[0].vtgid = pids[1].vppid = root;
    pids[1].vpid = pids[1].vtgid = child;
    check(pwrite(image, pids, sizeof pids, at) == sizeof pids);
    close(image);
}

static void tree_again(int numbers)
{
    pid_t root = getpid(), child = fork();
    if (child == 0) {
        restart_then(root, -1, 0);
        _exit(99);
    }
    check(write(numbers, &child, sizeof child) == sizeof child);
    wait_for(READY, 1);
    restart_then(root, open(IMAGE, O_RDONLY), 0);
    _exit(99);
}

int main(void)
{
    int numbers[2], status;
    pid_t root = fork(), child;
    if (root == 0)
        tree();
    wait_for(READY, 2);
    sched_yield();
    say("saved: %ld\n", checkpoint_then(root, fresh(IMAGE), 0));
    append(GO, "!");
    check(waitpid(root, &status, 0) == root && status == 0);
    say_file(REPORT);
    check(truncate(READY, 0) == 0 && truncate(REPORT, 0) == 0);
    check(restart_then(4000, 0, 0) == -ESRCH);
    say("nobody to wait for: ESRCH\n");

    check(pipe(numbers) == 0);
    root = fork();
    if (root == 0)
        tree_again(numbers[1]);
    check(read(numbers[0], &child, sizeof child) == sizeof child);
    give_numbers(root, child);
    append(READY, "!");
    check(waitpid(root, &status, 0) == root);
    check(status == 0);
    say("restarted\n");
    say_file(REPORT);
    return 0;
}
