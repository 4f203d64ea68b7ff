/* Who may not map the first page (CAP_SYS_RAWIO) does not get it from an image either, though it was
 * there before the rights were given up.
 *
 * prints:
 *     user 1000 without the first page: goes on
 *     user 1000 with it: EPERM
 *     root with it: goes on
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1
#define ALLOWED "/proc/sys/kernel/ckpt_unpriv_allowed"

enum { GOES_ON = 200 };

/* A child checkpoints itself as a user and becomes what it saved: what comes of it. */
static const char *restarted(int uid, int first_page)
{
    int status;
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        for (int fd = 0; fd < 3; fd++)
            close(fd); /* the console is not the user's to open */
        int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0666);
        check(image >= 0 && fchmod(image, 0666) == 0);
        if (first_page)
            check(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == NULL);
        check(raw_syscall(NR_setresuid, uid, uid, uid, 0, 0, 0) == 0);
        long result = raw_syscall(NR_checkpoint, 0, image, CHECKPOINT_SUBTREE, -1, 0, 0);
        if (result == 0)
            _exit(GOES_ON);
        check(result > 0 && lseek(image, 0, SEEK_SET) == 0);
        result = raw_syscall(NR_restart, getpid(), image, RESTART_TASKSELF, -1, 0, 0);
        _exit(-result);
    }
    check(waitpid(child, &status, 0) == child && (status & 0x7F) == 0);
    unlink("/tmp/image");
    return status >> 8 == GOES_ON ? "goes on" : status >> 8 == EPERM ? "EPERM" : "something else";
}

int main(void)
{
    int fd = open(ALLOWED, O_WRONLY);
    check(fd >= 0 && write(fd, "2", 1) == 1);
    close(fd);
    say("user 1000 without the first page: %s\n", restarted(1000, 0));
    say("user 1000 with it: %s\n", restarted(1000, 1));
    say("root with it: %s\n", restarted(0, 1));
    return 0;
}
