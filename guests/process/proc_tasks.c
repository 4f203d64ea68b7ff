/* /proc/PID/task: a directory for each thread, with its descriptors; and /proc in a pid namespace of
 * its own, where the first process is number 1.
 *
 * prints:
 *     one thread, which is the process
 *     descriptor 7 is in its fd
 *     in a new pid namespace: self is 1, stat says 1, parent 0
 *     processes there: 2
 */
#include "mounts.h"

static char text[4096];

static int names(const char *path, int digits)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY), found = 0;
    long n;
    check(fd >= 0);
    while ((n = raw_syscall(NR_getdents64, fd, (long)text, sizeof text, 0, 0, 0)) > 0)
        for (long at = 0; at < n; at += *(unsigned short *)(text + at + 16))
            if (text[at + 19] != '.' && (!digits || (text[at + 19] >= '0' && text[at + 19] <= '9')))
                found++;
    close(fd);
    return found;
}

static const char *slurp(const char *path)
{
    int fd = open(path, O_RDONLY);
    check(fd >= 0);
    ssize_t n = read(fd, text, sizeof text - 1);
    check(n > 0);
    text[n] = 0;
    close(fd);
    return text;
}

static void first(void)
{
    char self[16] = "";
    check(mount_at("none", "/", 0, MS_REC | MS_PRIVATE, 0) == 0);
    check(readlink("/proc/self", self, sizeof self - 1) > 0 && strcmp(self, "1") != 0);
    memset(self, 0, sizeof self);
    check(mount_at("proc", "/proc", "proc", 0, 0) == 0);
    check(readlink("/proc/self", self, sizeof self - 1) == 1);
    cr_point();
    say("in a new pid namespace: self is %s,", self);
    const char *stat = slurp("/proc/self/stat");
    say(" stat says %d,", atoi(stat));
    say(" parent %d\n", atoi(strchr(stat, ')') + 4));
    long pid = fork();
    if (pid == 0) {
        cr_point();
        say("processes there: %d\n", names("/proc", 1));
        _exit(0);
    }
    await(pid);
    check(umount_at("/proc", 0) == 0);
    _exit(0);
}

int main(void)
{
    char path[64], link[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d", (int)getpid());
    check(names("/proc/self/task", 1) == 1 && access(path, F_OK) == 0);
    say("one thread, which is the process\n");
    check(dup2(1, 7) == 7);
    snprintf(path, sizeof path, "/proc/self/task/%d/fd/7", (int)getpid());
    check(readlink(path, link, sizeof link - 1) > 0);
    say("descriptor 7 is in its fd\n");
    cr_point();
    long pid = clone_of(NEWPID | NEWNS);
    if (pid == 0)
        first();
    await(pid);
    return 0;
}
