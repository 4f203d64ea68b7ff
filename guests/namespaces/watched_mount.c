/* Who watches files of a mount does not keep it: when its file system goes, it is told so. A lazy
 * umount alone does not take the file system away: who has a file of it open still has it.
 *
 * prints:
 *     watching 1 2
 *     open: 20 of 2
 *     gone: 2000 of 2
 *     gone: 8000 of 2
 *     gone: 2000 of 1
 *     gone: 8000 of 1
 *     lazy: nothing
 *     still there: 100 of 3 new
 *     still there: 20 of 3 new
 *     closed: 4 of 3 new
 *     closed: 8 of 3 new
 *     closed: 2000 of 3
 *     closed: 8000 of 3
 *     closed: nothing
 */
#include "mounts.h"

static int watching;

static long watch(const char *path)
{
    return raw_syscall(NR_inotify_add_watch, watching, (long)path, 0xfff, 0, 0, 0);
}

static void tell(const char *when)
{
    static char events[1024];
    long count = read(watching, events, sizeof events);
    if (count < 0)
        say("%s: nothing\n", when);
    for (long at = 0; at < count;) {
        unsigned int *event = (unsigned int *)(events + at);
        say("%s: %x of %u%s%s\n", when, event[1] & 0xffff, event[0], event[3] ? " " : "",
            event[3] ? events + at + 16 : "");
        at += 16 + event[3];
    }
}

int main(void)
{
    own_mounts();
    watching = (int)raw_syscall(NR_inotify_init1, O_NONBLOCK, 0, 0, 0, 0, 0);
    check(watching >= 0 && mkdir("place", 0755) == 0);
    check(mount_at("t", "place", "tmpfs", 0, 0) == 0);
    check(mkdir("place/first", 0755) == 0);
    store("place/second", "x");
    say("watching %ld", watch("place/first"));
    say(" %ld\n", watch("place/second"));
    int fd = open("place/second", O_RDONLY);
    check(fd >= 0);
    tell("open");
    cr_point();
    close(fd);
    check(read(watching, (char[64]){0}, 64) == 16);
    check(umount_at("place", 0) == 0);
    cr_point();
    tell("gone");
    check(mount_at("t", "place", "tmpfs", 0, 0) == 0 && mkdir("place/third", 0755) == 0);
    check(watch("place/third") == 3);
    int folder = open("place", O_RDONLY | O_DIRECTORY);
    check(folder >= 0 && umount_at("place", MNT_DETACH) == 0);
    cr_point();
    tell("lazy");
    fd = (int)raw_syscall(NR_openat, folder, (long)"third/new", O_CREAT | O_WRONLY, 0600, 0, 0);
    check(fd >= 0);
    tell("still there");
    close(folder);
    cr_point();
    raw_syscall(NR_fchmod, fd, 0600, 0, 0, 0, 0);
    close(fd);
    tell("closed");
    tell("closed");
    return 0;
}
