/* A child in a network of its own: abstract names and ports are not shared, the loopback is down.
 *
 * libc: both
 * prints:
 *     the parent's name is not there: ECONNREFUSED
 *     the network is down: ENETUNREACH
 *     up: the child talks to itself
 *     the same port as the parent
 */
#include "sockets.h"

struct request {
    char name[16];
    short flags;
    char rest[64];
};

enum { NEWNET = 0x40000000, GET_FLAGS = 0x8913, SET_FLAGS = 0x8914, NETWORK_UNREACHABLE = 101 };

static struct sockaddr_in name;

static int listener(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 1) == 0);
    return fd;
}

static void child(void)
{
    struct request lo;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    check(connect_unix(fd, "@parent") == -1 && errno == ECONNREFUSED);
    say("the parent's name is not there: ECONNREFUSED\n");
    fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, (struct sockaddr *)&name, sizeof name) == -1);
    check(errno == NETWORK_UNREACHABLE);
    say("the network is down: ENETUNREACH\n");
    memset(&lo, 0, sizeof lo);
    memcpy(lo.name, "lo", 2);
    check(ioctl(fd, GET_FLAGS, &lo) == 0 && !(lo.flags & 1));
    lo.flags |= 1;
    cr_point();
    check(ioctl(fd, SET_FLAGS, &lo) == 0 && ioctl(fd, GET_FLAGS, &lo) == 0 && lo.flags & 1);
    int server = listener();
    check(connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
    cr_point();
    int other = accept(server, NULL, NULL);
    check(other > 0 && write(fd, "x", 1) == 1);
    char got;
    cr_point();
    check(read(other, &got, 1) == 1);
    say("up: the child talks to itself\n");
    say("the same port as the parent\n");
    _exit(0);
}

int main(void)
{
    int status, fd = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind_unix(fd, "@parent") == 0 && listen(fd, 1) == 0);
    name = inet_address(INADDR_LOOPBACK, 4242);
    listener();
    /* SIGCHLD and CLONE_NEWNET, and nothing else: a fork. */
    long pid = raw_syscall(NR_clone, NEWNET | SIGCHLD, 0, 0, 0, 0, 0);
    if (pid == 0)
        child();
    check(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid && status == 0);
    return 0;
}
