/* Mount namespaces: what one process mounts the others do not see, nor what it takes away; a tmpfs
 * that both have is one file system; a namespace can have another root.
 *
 * prints:
 *     child: here, shared by the child
 *     parent: nothing, shared by the child
 *     still there for the parent: shared by the child
 *     the child's mounts: 2 shown, 2 in mountinfo, 2 in mountstats
 *     new root: only this, old root: there
 *     after pivot: 1
 */
#include "mounts.h"

static int ready[2], done[2];

static void tell(int fd) { check(write(fd, "x", 1) == 1); }

static void hear(int fd)
{
    char byte;
    check(read(fd, &byte, 1) == 1);
}

/* How often a word is in a file of /proc/self. */
static int count(const char *path, const char *word)
{
    static char text[65536];
    size_t size = 0;
    ssize_t n;
    int found = 0, fd = open(path, O_RDONLY);
    check(fd >= 0);
    while ((n = read(fd, text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    close(fd);
    text[size] = 0;
    for (char *at = text; (at = strstr(at, word)) != NULL; at++)
        found++;
    return found;
}

static void child(void)
{
    check(unshare_of(NEWNS) == 0 && mount_at("none", "/", 0, MS_REC | MS_PRIVATE, 0) == 0);
    check(mount_at("second", "own", "tmpfs", 0, 0) == 0);
    store("own/file", "here");
    store("both/file", "shared by the child");
    cr_point();
    say("child: %s", load("own/file"));
    say(", %s\n", load("both/file"));
    tell(ready[1]);
    hear(done[0]);
    check(umount_at("both", 0) == 0);
    tell(ready[1]);
    hear(done[0]);
    check(mount_at("third one", "both", "tmpfs", MS_RDONLY | MS_NOSUID, 0) == 0);
    say("the child's mounts: %d shown,", count("/proc/self/mounts", "/own tmpfs") +
        count("/proc/self/mounts", "third\\040one"));
    say(" %d in mountinfo,", count("/proc/self/mountinfo", "/own rw") +
        count("/proc/self/mountinfo", "/both ro,nosuid"));
    say(" %d in mountstats\n", count("/proc/self/mountstats", "second mounted on") +
        count("/proc/self/mountstats", "third\\040one"));
    check(umount_at("both", 0) == 0);
}

static void pivot(void)
{
    check(mkdir("own/old", 0755) == 0);
    store("own/this", "only this");
    check(chdir("own") == 0);
    check(raw_syscall(NR_pivot_root, (long)".", (long)"old", 0, 0, 0, 0) == 0);
    cr_point();
    say("new root: %s", load("/this"));
    check(access("/old/proc", F_OK) == 0);
    say(", old root: there\n");
    check(chdir("/") == 0 && umount_at("/old", MNT_DETACH) == 0);
    cr_point();
    int fd = open("/", O_RDONLY | O_DIRECTORY), names = 0;
    char entries[1024];
    long n = raw_syscall(NR_getdents64, fd, (long)entries, sizeof entries, 0, 0, 0);
    for (long at = 0; at < n; at += *(unsigned short *)(entries + at + 16))
        names += strcmp(entries + at + 19, "this") == 0;
    say("after pivot: %d\n", names);
}

int main(void)
{
    own_mounts();
    check(pipe(ready) == 0 && pipe(done) == 0);
    check(mkdir("own", 0755) == 0 && mkdir("both", 0755) == 0);
    check(mount_at("first", "both", "tmpfs", 0, 0) == 0);
    long pid = fork();
    if (pid == 0) {
        child();
        pivot();
        _exit(0);
    }
    hear(ready[0]);
    say("parent: %s", load("own/file"));
    say(", %s\n", load("both/file"));
    tell(done[1]);
    hear(ready[0]);
    cr_point();
    say("still there for the parent: %s\n", load("both/file"));
    tell(done[1]);
    await(pid);
    check(access("own/file", F_OK) == -1);
    return 0;
}
