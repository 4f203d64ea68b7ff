/* An image goes through pipes whose other ends are slow: both calls wait half-way, and the frozen
 * group cannot be thawed before the image is out.
 *
 * libc: both
 * prints:
 *     half-way: CHECKPOINTING
 *     thaw: EBUSY
 *     checkpointed: 1
 *     then: FROZEN
 *     child: counted to 3
 *     original exited with 3
 *     child: counted to 3
 *     copy exited with 3
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1
#define GROUP "/sys/fs/cgroup/freezer/0"

static long put(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY);
    check(fd >= 0);
    long done = write(fd, text, strlen(text));
    int why = errno;
    close(fd);
    errno = why;
    return done;
}

static void say_state(const char *when)
{
    char state[20] = "";
    int fd = open(GROUP "/freezer.state", O_RDONLY);
    check(fd >= 0 && read(fd, state, 19) > 0);
    close(fd);
    say("%s: %s", when, state);
}

static void rest(void)
{
    struct timespec moment = {0, 1000000};
    nanosleep(&moment, NULL);
}

static void child(int ready)
{
    int i;
    check(put(GROUP "/tasks", "0") == 1);
    check(write(ready, "r", 1) == 1);
    close(ready);
    for (i = 0; i < 3; i++) {
        struct timespec moment = {0, 50000000};
        nanosleep(&moment, NULL);
    }
    say("child: counted to %d\n", i);
    _exit(i);
}

/* From one descriptor to another, at a snail's pace. */
static void carry(int from, int to, int tells)
{
    static char piece[6000];
    ssize_t got;
    rest();
    if (tells) {
        say_state("half-way");
        check(put(GROUP "/freezer.state", "THAWED") < 0);
        say("thaw: %s\n", errno == EBUSY ? "EBUSY" : "?");
    }
    while ((got = read(from, piece, sizeof piece)) > 0) {
        check(write(to, piece, got) == got);
        rest();
    }
    _exit(0);
}

int main(void)
{
    int ready[2], ends[2], status;
    char byte;
    check(pipe(ready) == 0 && pipe(ends) == 0);
    check(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    check(mkdir(GROUP, 0755) == 0);
    pid_t counting = fork();
    if (counting == 0) {
        close(ready[0]);
        close(ends[0]);
        close(ends[1]);
        child(ready[1]);
    }
    close(ready[1]);
    check(read(ready[0], &byte, 1) == 1 && read(ready[0], &byte, 1) == 0);
    close(ready[0]);
    check(put(GROUP "/freezer.state", "FROZEN") == 6);
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(image >= 0);
    pid_t carrier = fork();
    if (carrier == 0) {
        close(ends[1]);
        carry(ends[0], image, 1);
    }
    close(ends[0]);
    long result = raw_syscall(NR_checkpoint, counting, ends[1], CHECKPOINT_SUBTREE, -1, 0, 0);
    close(ends[1]);
    say("checkpointed: %d\n", (int)result);
    say_state("then");
    check(put(GROUP "/freezer.state", "THAWED") == 6);
    check(waitpid(counting, &status, 0) == counting);
    say("original exited with %d\n", status >> 8);
    check(waitpid(carrier, &status, 0) == carrier && status == 0);
    check(lseek(image, 0, SEEK_SET) == 0);
    check(pipe(ends) == 0);
    check(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
    pid_t copy = fork();
    if (copy == 0) {
        close(ends[1]);
        raw_syscall(NR_restart, getpid(), ends[0], RESTART_TASKSELF, -1, 0, 0);
        _exit(99);
    }
    close(ends[0]);
    carrier = fork();
    if (carrier == 0)
        carry(image, ends[1], 0);
    close(ends[1]);
    check(waitpid(copy, &status, 0) == copy);
    say("copy exited with %d\n", status >> 8);
    check(waitpid(carrier, &status, 0) == carrier && status == 0);
    return 0;
}
