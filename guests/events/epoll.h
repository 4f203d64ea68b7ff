/* What epoll stories share: the kernel's struct, and short names. */
#ifndef GUEST_EPOLL_H
#define GUEST_EPOLL_H

#include "guest.h"

enum { ADD = 1, DEL = 2, MOD = 3, IN = 1, OUT = 4, ERR = 8, HUP = 16 };
#define ONESHOT 0x40000000u
#define ET 0x80000000u

struct event {
    uint32_t events;
    uint64_t data;
}
#if defined(__i386__) || defined(__x86_64__)
__attribute__((packed))
#endif
;

static inline int set_new(void)
{
    return (int)raw_syscall(NR_epoll_create1, 0, 0, 0, 0, 0, 0);
}

static inline int control(int set, int operation, int fd, uint32_t events, uint64_t data)
{
    struct event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data = data;
    return -(int)raw_syscall(NR_epoll_ctl, set, operation, fd, (long)&event, 0, 0);
}

/* What is there now, or within so many milliseconds: data/events, in order. */
static inline int news(int set, const char *when, int most, int timeout)
{
    struct event events[8];
    char line[128] = "";
    int n = (int)raw_syscall(NR_epoll_wait, set, (long)events, most, timeout, 0, 0);
    for (int i = 0; i < n; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %llu/%x",
                 (unsigned long long)events[i].data, events[i].events);
    say("%s: %d%s\n", when, n, line);
    return n;
}

#endif
