/* /proc/self/fdinfo: position and flags of an open file, as they are when it is asked.
 *
 * prints:
 *     at 7, flags 2002002
 *     at 9, flags 6002
 *     a pipe is at 0, flags 1
 *     closed: ENOENT
 *     what has no place: [eventfd] [eventpoll] [timerfd] inotify
 */
#include "guest.h"

/* What else there is differs: 64-bit modes have large files everywhere. */
#define SHOWN (3 | O_APPEND | O_NONBLOCK | 02000000)

static int show(const char *what, int fd)
{
    char name[40] = "/proc/self/fdinfo/", text[200] = "", *digits = name + strlen(name);
    if (fd >= 10)
        *digits++ = '0' + fd / 10;
    *digits++ = '0' + fd % 10;
    *digits = 0;
    int info = open(name, O_RDONLY);
    if (info < 0)
        return -1;
    check(read(info, text, sizeof text - 1) > 0);
    close(info);
    const char *at = text;
    long position = 0, flags = 0;
    check(memcmp(at, "pos:\t", 5) == 0);
    for (at += 5; *at != '\n'; at++)
        position = position * 10 + *at - '0';
    check(memcmp(++at, "flags:\t0", 8) == 0);
    for (at += 8; *at != '\n'; at++)
        flags = flags * 8 + *at - '0';
    flags &= SHOWN;
    char octal[12];
    int length = 0, digit;
    for (int shift = 30; shift >= 0; shift -= 3) {
        digit = flags >> shift & 7;
        if (digit || length || !shift)
            octal[length++] = '0' + digit;
    }
    octal[length] = 0;
    say("%sat %d, flags %s\n", what, (int)position, octal);
    return 0;
}

/* What its link in /proc/self/fd says behind "anon_inode:". */
static const char *kind(int fd)
{
    static char texts[4][40];
    static int used;
    char name[20] = "/proc/self/fd/", *to = texts[used++];
    check(fd >= 0 && fd < 10);
    name[14] = '0' + fd;
    check(readlink(name, to, 39) > 11 && memcmp(to, "anon_inode:", 11) == 0);
    return to + 11;
}

int main(void)
{
    int ends[2];
    int fd = open("file", O_RDWR | O_CREAT | O_APPEND, 0600);
    check(fd >= 0 && write(fd, "0123456", 7) == 7);
    check(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
    check(show("", fd) == 0);
    check(fcntl(fd, F_SETFD, 0) == 0 && fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK) == 0);
    check(lseek(fd, 9, SEEK_SET) == 9);
    check(show("", fd) == 0);
    check(pipe(ends) == 0);
    check(show("a pipe is ", ends[1]) == 0);
    close(fd);
    check(show("", fd) < 0);
    say("closed: %s\n", errno == ENOENT ? "ENOENT" : "?");
    int event = raw_syscall(NR_eventfd2, 0, 0, 0, 0, 0, 0);
    int set = raw_syscall(NR_epoll_create1, 0, 0, 0, 0, 0, 0);
    int timer = raw_syscall(NR_timerfd_create, 1, 0, 0, 0, 0, 0);
    int watch = raw_syscall(NR_inotify_init1, 0, 0, 0, 0, 0, 0);
    cr_point();
    const char *first = kind(event), *second = kind(set);
    const char *third = kind(timer), *fourth = kind(watch);
    say("what has no place: %s %s %s %s\n", first, second, third, fourth);
    return 0;
}
