/* mount(2) and its relatives, for stories about mounts and namespaces. */
#ifndef GUEST_MOUNTS_H
#define GUEST_MOUNTS_H

#include "guest.h"

enum {
    MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_REMOUNT = 32, MS_BIND = 4096,
    MS_MOVE = 8192, MS_REC = 16384, MS_PRIVATE = 1 << 18,
    MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4,
    NEWNS = 0x20000, NEWUTS = 0x4000000, NEWIPC = 0x8000000, NEWUSER = 0x10000000,
    NEWPID = 0x20000000, NEWNET = 0x40000000,
};

static inline long mount_at(const char *source, const char *target, const char *type, long flags,
                            const char *data)
{
    return raw_syscall(NR_mount, (long)source, (long)target, (long)type, flags, (long)data, 0);
}

static inline long umount_at(const char *target, long flags)
{
    return raw_syscall(NR_umount2, (long)target, flags, 0, 0, 0, 0);
}

static inline long unshare_of(long flags) { return raw_syscall(NR_unshare, flags, 0, 0, 0, 0, 0); }

static inline long clone_of(long flags)
{
    return raw_syscall(NR_clone, flags | SIGCHLD, 0, 0, 0, 0, 0);
}

/* A mount namespace of our own, from which nothing leads back to the machine's. */
static inline void own_mounts(void)
{
    check(unshare_of(NEWNS) == 0);
    check(mount_at("none", "/", 0, MS_REC | MS_PRIVATE, 0) == 0);
}

static inline void store(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static inline const char *load(const char *path)
{
    static char text[256];
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return "nothing";
    ssize_t n = read(fd, text, sizeof text - 1);
    check(n >= 0);
    text[n] = 0;
    close(fd);
    return text;
}

static inline void await(long pid)
{
    int status;
    check(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && status == 0);
}

#endif
