/* O_ASYNC on sockets and terminals: SIGIO when something has come, when somebody wants to connect,
 * when the other end goes; FIOASYNC, SIOCSPGRP and F_SETOWN_EX are other ways to ask.
 *
 * order: any
 * prints:
 *     a message: signal 41, code 1, descriptor 7
 *     the other end has shut: code 1, has gone: code 6
 *     a connection waits: signal 29
 *     a datagram: signal 29
 *     room again: code 2
 *     a thread owns it: kind 0, it came
 *     to a master of a terminal: signal 41
 *     not asked any more: nothing
 *     nobody: ESRCH, kind 9: EINVAL
 */
#include "sockets.h"

#ifdef __powerpc__
#define GET_NUMBER 0x40045430ul
#define UNLOCK 0x80045431ul
#define ASYNC 0x8004667dul
#else
#define GET_NUMBER 0x80045430ul
#define UNLOCK 0x40045431ul
#define ASYNC 0x5452ul
#endif
#define SETOWN_SOCKET 0x8902ul
enum { SETOWN_EX = 15, GETOWN_EX = 16 };
struct owner {
    int kind, number;
};

static volatile int count, number, code, descriptor;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    char *fields = (char *)info + (sizeof(long) == 8 ? 16 : 12);
    (void)context;
    count++;
    number = signal;
    code = info->si_code;
    descriptor = *(int *)(fields + sizeof(long));
}

static int came(void)
{
    int n = count;
    count = 0;
    return n;
}

static void listener(void)
{
    struct sockaddr_un name;
    int yes = 1, own = getpid();
    memset(&name, 0, sizeof name);
    name.sun_family = AF_UNIX;
    strcpy(name.sun_path, "door");
    int door = socket(AF_UNIX, SOCK_STREAM, 0), guest = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind(door, (struct sockaddr *)&name, sizeof name) == 0 && listen(door, 2) == 0);
    check(ioctl(door, ASYNC, &yes) == 0 && ioctl(door, SETOWN_SOCKET, &own) == 0);
    check(fcntl(door, F_GETOWN) == getpid() && (fcntl(door, F_GETFL) & O_ASYNC));
    check(connect(guest, (struct sockaddr *)&name, sizeof name) == 0 && came() == 1);
    say("a connection waits: signal %d\n", number);
    close(door);
    close(guest);
}

static void datagrams(void)
{
    int pair[2];
    static char block[1024];
    check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    check(fcntl(pair[0], F_SETOWN, getpid()) == 0 && fcntl(pair[0], F_SETFL, O_ASYNC) == 0);
    check(write(pair[1], "x", 1) == 1 && came() == 1);
    say("a datagram: signal %d\n", number);
    close(pair[0]);
    close(pair[1]);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    check(fcntl(pair[0], F_SETOWN, getpid()) == 0 && fcntl(pair[0], F_SETSIG, 41) == 0);
    check(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
    while (write(pair[0], block, sizeof block) > 0)
        ;
    check(came() == 0);
    check(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
    while (read(pair[1], block, sizeof block) > 0)
        ;
    check(came() >= 1);
    say("room again: code %d\n", code);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    struct sigaction action;
    struct owner owner = {0, (int)raw_syscall(NR_gettid, 0, 0, 0, 0, 0, 0)}, shown;
    int pair[2];
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    check(sigaction(41, &action, NULL) == 0 && sigaction(29, &action, NULL) == 0);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && dup2(pair[0], 7) == 7);
    check(close(pair[0]) == 0);
    check(fcntl(7, F_SETOWN, getpid()) == 0 && fcntl(7, F_SETSIG, 41) == 0);
    check(fcntl(7, F_SETFL, O_ASYNC) == 0 && write(pair[1], "a", 1) == 1 && came() == 1);
    say("a message: signal %d, code %d, descriptor %d\n", number, code, descriptor);
    check(shutdown(pair[1], SHUT_WR) == 0 && came() == 1);
    int first = code;
    check(close(pair[1]) == 0 && came() == 1);
    say("the other end has shut: code %d, has gone: code %d\n", first, code);
    close(7);
    listener();
    datagrams();
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    check(fcntl(pair[0], SETOWN_EX, &owner) == 0 && fcntl(pair[0], GETOWN_EX, &shown) == 0);
    check(shown.number == owner.number && fcntl(pair[0], F_SETFL, O_ASYNC) == 0);
    check(write(pair[1], "b", 1) == 1 && came() == 1);
    say("a thread owns it: kind %d, it came\n", shown.kind);
    int line, off = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    char name[32];
    check(ioctl(master, UNLOCK, &off) == 0 && ioctl(master, GET_NUMBER, &line) == 0);
    snprintf(name, sizeof name, "/dev/pts/%d", line);
    int slave = open(name, O_RDWR | O_NOCTTY);
    check(fcntl(master, F_SETOWN, getpid()) == 0 && fcntl(master, F_SETSIG, 41) == 0);
    check(fcntl(master, F_SETFL, O_ASYNC) == 0 && write(slave, "out", 3) == 3);
    while (!count) {
        struct timespec time = {0, 1000000};
        nanosleep(&time, NULL);
    }
    check(came() >= 1);
    say("to a master of a terminal: signal %d\n", number);
    check(fcntl(pair[0], F_SETFL, 0) == 0 && write(pair[1], "c", 1) == 1 && came() == 0);
    say("not asked any more: nothing\n");
    struct owner nobody = {1, 999999}, strange = {9, 1};
    check(fcntl(pair[0], SETOWN_EX, &nobody) == -1 && errno == ESRCH);
    check(fcntl(pair[0], SETOWN_EX, &strange) == -1 && errno == EINVAL);
    say("nobody: ESRCH, kind 9: EINVAL\n");
    return 0;
}
