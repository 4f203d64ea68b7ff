/* tmpfs and bind mounts in a mount namespace of one's own: what they show, hide and refuse, and what
 * goes on to work when they are taken away.
 *
 * prints:
 *     tmpfs: 01021994, 16 blocks
 *     the file: inside, below: outside
 *     full: 28
 *     .. leads out: outside
 *     bind: inside, the same file
 *     across mounts: 18 18
 *     read-only: 30 30 30, but not at the other place
 *     moved: inside, nothing left
 *     busy: 16 16 16
 *     detached: unlinked and open
 *     gone: outside
 */
#include "mounts.h"

static void first_mount(void)
{
    long words[32];
    check(mkdir("place", 0755) == 0 && mkdir("other", 0755) == 0);
    store("place/file", "outside");
    check(mount_at("mine", "place", "tmpfs", 0, "size=64k,mode=750") == 0);
    check(raw_syscall(NR_statfs, (long)"place", (long)words, 0, 0, 0, 0) == 0);
    /* f_type, f_bsize, f_blocks: a word each. */
    say("tmpfs: %08lx, %ld blocks\n", words[0], words[2]);
    struct stat info;
    check(stat("place", &info) == 0 && (info.st_mode & 07777) == 0750);
    check(access("place/file", F_OK) == -1 && errno == ENOENT);
    cr_point();
    store("place/file", "inside");
}

static void fill(void)
{
    static char block[65536];
    int fd = open("place/big", O_CREAT | O_WRONLY, 0600);
    ssize_t n = write(fd, block, sizeof block);
    check(n > 0 || errno == ENOSPC);
    if (n > 0)
        check(write(fd, block, sizeof block) == -1 && errno == ENOSPC);
    say("full: %d\n", errno);
    close(fd);
    check(unlink("place/big") == 0);
}

static void dots(void)
{
    char here[256];
    store("marker", "outside");
    check(chdir("place") == 0);
    cr_point();
    say(".. leads out: %s\n", load("../marker"));
    check(getcwd(here, sizeof here) != NULL && strstr(here, "/place") != NULL);
    check(chdir("..") == 0 && access("marker", F_OK) == 0);
}

static void binds(void)
{
    struct stat one, two;
    check(mkdir("place/deep", 0755) == 0);
    check(mount_at("place", "other", 0, MS_BIND, 0) == 0);
    cr_point();
    check(stat("place/file", &one) == 0 && stat("other/file", &two) == 0);
    int same = one.st_ino == two.st_ino && one.st_dev == two.st_dev;
    say("bind: %s, %s\n", load("other/file"), same ? "the same file" : "another file");
    int renamed = rename("place/file", "other/new") == -1 ? errno : 0;
    int linked = link("place/file", "other/new") == -1 ? errno : 0;
    say("across mounts: %d %d\n", renamed, linked);
    check(mount_at(0, "other", 0, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV, 0) == 0);
    cr_point();
    int made = mkdir("other/directory", 0755) == -1 ? errno : 0;
    int opened = open("other/file", O_WRONLY) == -1 ? errno : 0;
    int changed = chmod("other/file", 0600) == -1 ? errno : 0;
    store("place/file", "inside");
    say("read-only: %d %d %d, but not at the other place\n", made, opened, changed);
    check(umount_at("other", 0) == 0 && access("other/file", F_OK) == -1);
}

static void moves(void)
{
    check(mount_at("place", "other", 0, MS_MOVE, 0) == 0);
    cr_point();
    say("moved: %s", load("other/file"));
    say(", %s left\n", strcmp(load("place/file"), "outside") ? "something" : "nothing");
    check(mount_at("other", "place", 0, MS_MOVE, 0) == 0);
}

static void busy(void)
{
    int fd = open("place/file", O_RDONLY);
    int by_file = (int)-umount_at("place", 0);
    close(fd);
    check(chdir("place") == 0);
    int by_directory = (int)-umount_at("/proc/self/cwd", 0);
    check(chdir("..") == 0);
    check(mount_at("on top", "place/deep", "tmpfs", 0, 0) == 0);
    int by_mount = (int)-umount_at("place", 0);
    check(rmdir("place/deep") == -1 && errno == EBUSY);
    say("busy: %d %d %d\n", by_file, by_directory, by_mount);
}

int main(void)
{
    char text[64] = "";
    own_mounts();
    first_mount();
    say("the file: %s", load("place/file"));
    say(", below: outside\n");
    fill();
    dots();
    binds();
    moves();
    busy();
    int fd = open("place/gone", O_CREAT | O_RDWR, 0600);
    check(fd >= 0 && write(fd, "unlinked", 8) == 8 && unlink("place/gone") == 0);
    check(umount_at("place", MNT_DETACH) == 0);
    cr_point();
    check(pread(fd, text, sizeof text, 0) == 8);
    say("detached: %s and open\n", text);
    say("gone: %s\n", load("place/file"));
    return 0;
}
