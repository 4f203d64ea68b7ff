/* The two calls of January 2009, and files that two processes meet at. */
#include "guest.h"

enum {
    NR_checkpoint_then = GUEST_COLUMN(333, -1, 319, 319),
    NR_restart_then = GUEST_COLUMN(334, -1, 320, 320),
};

static inline long checkpoint_then(long pid, long fd, long flags)
{
    return raw_syscall(NR_checkpoint_then, pid, fd, flags, 0, 0, 0);
}

static inline long restart_then(long crid, long fd, long flags)
{
    return raw_syscall(NR_restart_then, crid, fd, flags, 0, 0, 0);
}

static inline int fresh(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0);
    return fd;
}

/* No device, no pipe: only such a process could be saved. */
static inline void keep_nothing_open(void)
{
    for (int fd = 0; fd < 16; fd++)
        close(fd);
}

static inline void append(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

/* Until the file is so long. It yields: a sleep could not be saved. */
static inline void wait_for(const char *name, long size)
{
    struct stat at;
    while (stat(name, &at) < 0 || at.st_size < size)
        sched_yield();
}

static inline void say_file(const char *name)
{
    char text[200];
    int fd = open(name, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    check(size > 0);
    text[size] = 0;
    say("%s", text);
    close(fd);
}
