/* What mount, umount2, pivot_root and unshare refuse: bad arguments, bad places, missing rights.
 *
 * prints:
 *     type: 19 14 14
 *     place: 2 20 2 14
 *     options: 22 22
 *     no mount: 22 22 22 22
 *     bind: 2 20 20
 *     move: 22 40
 *     expire: 11 16 11 0
 *     flags: 22 22
 *     pivot: 16 20 2
 *     device: 13, program: 13, mapping: 1
 *     rights: 1 1 1 1
 */
#include "mounts.h"

static int failed(long result) { return result < 0 ? (int)-result : 0; }

static int new_mount(const char *target, const char *type, const char *data)
{
    return failed(mount_at("new", target, type, 0, data));
}

static int pivot(const char *root, const char *old)
{
    return failed(raw_syscall(NR_pivot_root, (long)root, (long)old, 0, 0, 0, 0));
}

static void bad_arguments(void)
{
    const char *bad = (const char *)8;
    say("type: %d %d", new_mount("place", "nosuchfs", 0), new_mount("place", bad, 0));
    say(" %d\n", failed(mount_at(bad, "place", "tmpfs", 0, 0)));
    say("place: %d %d", new_mount("nowhere", "tmpfs", 0), new_mount("file", "tmpfs", 0));
    say(" %d %d\n", new_mount("", "tmpfs", 0), new_mount(bad, "tmpfs", 0));
    say("options: %d %d\n", new_mount("place", "tmpfs", "size=much"),
        new_mount("place", "tmpfs", "nosuchoption"));
    say("no mount: %d %d", failed(umount_at("place", 0)),
        failed(mount_at(0, "place", 0, MS_REMOUNT, 0)));
    say(" %d %d\n", failed(mount_at("place", "other", 0, MS_MOVE, 0)),
        failed(mount_at(0, "place", 0, MS_PRIVATE, 0)));
    say("bind: %d %d", failed(mount_at("nowhere", "place", 0, MS_BIND, 0)),
        failed(mount_at("file", "place", 0, MS_BIND, 0)));
    say(" %d\n", failed(mount_at("place", "file", 0, MS_BIND, 0)));
}

static void mounted(void)
{
    check(new_mount("place", "tmpfs", 0) == 0 && mkdir("place/in", 0755) == 0);
    say("move: %d", failed(mount_at("place/in", "other", 0, MS_MOVE, 0)));
    say(" %d\n", failed(mount_at("place", "place/in", 0, MS_MOVE, 0)));
    check(mount_at("place", "other", 0, MS_BIND, 0) == 0);
    int fd = open("place/in", O_RDONLY);
    say("expire: %d", failed(umount_at("other", MNT_EXPIRE)));
    cr_point();
    say(" %d", failed(umount_at("place", MNT_EXPIRE)));
    check(access("other/in", F_OK) == 0);
    cr_point();
    say(" %d", failed(umount_at("other", MNT_EXPIRE)));
    cr_point();
    say(" %d\n", failed(umount_at("other", MNT_EXPIRE)));
    close(fd);
    say("flags: %d %d\n", failed(umount_at("place", 64)),
        failed(umount_at("place", MNT_EXPIRE | MNT_DETACH)));
    say("pivot: %d %d", pivot("/", "/"), pivot("file", "place"));
    say(" %d\n", pivot("place", "nowhere"));
}

static void restricted(void)
{
    char *none[] = {NULL};
    long flags = MS_NODEV | MS_NOEXEC;
    check(mount_at("strict", "other", "tmpfs", flags, 0) == 0);
    check(raw_syscall(NR_mknod, (long)"other/null", 0020666, 0x103, 0, 0, 0) == 0);
    say("device: %d", open("other/null", O_RDONLY) < 0 ? errno : 0);
    store("other/program", "#!/bin/sh\n");
    check(chmod("other/program", 0755) == 0);
    say(", program: %d", execve("other/program", none, none) < 0 ? errno : 0);
    int fd = open("other/program", O_RDONLY);
    void *at = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    say(", mapping: %d\n", at == MAP_FAILED ? errno : 0);
    close(fd);
}

int main(void)
{
    own_mounts();
    check(mkdir("place", 0777) == 0 && mkdir("other", 0777) == 0);
    store("file", "");
    bad_arguments();
    mounted();
    restricted();
    check(raw_syscall(NR_setresuid, 1000, 1000, 1000, 0, 0, 0) == 0);
    say("rights: %d %d", new_mount("/", "tmpfs", 0), failed(umount_at("/proc", 0)));
    say(" %d %d\n", failed(unshare_of(NEWNS)), pivot("/", "/"));
    return 0;
}
