/* Who may checkpoint and restart: root says it in /proc/sys/kernel/ckpt_unpriv_allowed, and everybody
 * else is asked for his rights accordingly.
 *
 * prints:
 *     at boot: 1
 *     3: EINVAL
 *     with 0: checkpoint EPERM, restart EPERM
 *     with 1: checkpoint done, restart EPERM
 *     with 2: checkpoint done, restart EINVAL
 *     not mine to change: EACCES
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1
#define ALLOWED "/proc/sys/kernel/ckpt_unpriv_allowed"

static long set(const char *value)
{
    int fd = open(ALLOWED, O_WRONLY);
    if (fd < 0)
        return -errno;
    long done = write(fd, value, 1);
    int why = errno;
    close(fd);
    return done < 0 ? -why : 0;
}

static const char *name(long result)
{
    switch (-result) {
    case EPERM: return "EPERM";
    case EINVAL: return "EINVAL";
    case EACCES: return "EACCES";
    default: return result > 0 ? "done" : "?";
    }
}

/* An image of nothing: who gets so far as to read it is told that it is none. */
static void user(const char *value)
{
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0666);
    int nothing = open("/tmp/nothing", O_RDONLY);
    check(image >= 0 && nothing >= 0);
    long taken = raw_syscall(NR_checkpoint, 0, image, CHECKPOINT_SUBTREE, -1, 0, 0);
    long restarted = raw_syscall(NR_restart, getpid(), nothing, RESTART_TASKSELF, -1, 0, 0);
    say("with %s: checkpoint %s, restart %s\n", value, name(taken), name(restarted));
    _exit(0);
}

int main(void)
{
    char now[4] = "";
    int status;
    int fd = open(ALLOWED, O_RDONLY);
    check(fd >= 0 && read(fd, now, 3) == 2);
    close(fd);
    say("at boot: %s", now);
    say("3: %s\n", name(set("3")));
    static const char zeros[64];
    fd = open("/tmp/nothing", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0 && write(fd, zeros, sizeof zeros) == sizeof zeros);
    close(fd);
    for (int i = 0; i < 3; i++) {
        const char *value = i == 0 ? "0" : i == 1 ? "1" : "2";
        check(set(value) == 0);
        pid_t child = fork();
        if (child == 0) {
            check(raw_syscall(NR_setuid, 1000, 0, 0, 0, 0, 0) == 0);
            user(value);
        }
        check(waitpid(child, &status, 0) == child && status == 0);
        unlink("/tmp/image");
    }
    check(raw_syscall(NR_setuid, 1000, 0, 0, 0, 0, 0) == 0);
    say("not mine to change: %s\n", name(set("1")));
    return 0;
}
