/* Options of levels that a socket does not have, before anything is said of them; and other things
 * that are looked at first.
 *
 * libc: musl
 * prints:
 *     set: 92 92 92 95
 *     asked: 95 95 92 95
 *     several messages to nobody: 32, with a signal 13
 *     an address of one byte: 22 22
 *     a timeout before the socket: 14 22 88
 *     urgent data of a socket that listens: 107
 */
#define _GNU_SOURCE
#include "guest.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum { TCP = 6, UDP = 17, NONE = 99 };

static volatile int came;

static void on_signal(int signal)
{
    came = signal;
}

static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

static int set(int fd, int level)
{
    return error_of(setsockopt(fd, level, 1, (void *)16, 4));
}

static int asked(int fd, int level)
{
    return error_of(getsockopt(fd, level, 1, (void *)16, (void *)16));
}

static int received(int fd, long *timeout)
{
    struct mmsghdr message = {0};
    return error_of(syscall(SYS_recvmmsg, fd, &message, 1, 0, timeout));
}

int main(void)
{
    int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    int six = socket(AF_INET6, SOCK_STREAM, 0), local = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &(struct iovec){"text", 4}, .msg_iovlen = 1}};
    struct sockaddr family = {.sa_family = AF_UNIX};
    say("set: %d %d %d %d\n", set(tcp, UDP), set(udp, TCP), set(six, NONE), set(local, TCP));
    say("asked: %d %d %d %d\n", asked(tcp, UDP), asked(udp, TCP), asked(six, NONE),
        asked(local, TCP));
    cr_point();
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = on_signal}, NULL);
    int nobody = error_of(sendmmsg(tcp, &message, 1, 0));
    say("several messages to nobody: %d, with a signal %d\n", nobody, came);
    say("an address of one byte: %d %d\n", error_of(connect(local, &family, 1)),
        error_of(connect(tcp, &family, 1)));
    int null = open("/dev/null", O_RDONLY);
    say("a timeout before the socket: %d %d %d\n", received(null, (void *)16),
        received(null, (long[]){0, -1}), received(null, (long[]){1, 0}));
    char byte;
    check(listen(tcp, 1) == 0);
    say("urgent data of a socket that listens: %d\n", error_of(recv(tcp, &byte, 1, MSG_OOB)));
    return 0;
}
