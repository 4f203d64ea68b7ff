/* Senders that wait: a stream that is full, a receiver with too many datagrams, a full backlog.
 *
 * libc: both
 * prints:
 *     not blocking, a part was taken, then EAGAIN
 *     400000 bytes through a stream that was full: sum is right
 *     40 datagrams in order
 *     all clients were served: 3
 */
#include "sockets.h"

static char block[400000];

static int wait_for(pid_t pid)
{
    int status;
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void streams(void)
{
    int pair[2];
    ssize_t n, total = 0;
    uint32_t sum = 0, wanted = 0;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * 7 + (i >> 8));
    wanted = fold(wanted, block, sizeof block);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    n = send(pair[0], block, sizeof block, MSG_DONTWAIT);
    check(n > 0 && n < (ssize_t)sizeof block);
    check(send(pair[0], block, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    check(strcmp(poll_letters(pair[0]), "") == 0);
    say("not blocking, a part was taken, then EAGAIN\n");
    pid_t pid = fork();
    if (pid == 0) {
        check(write(pair[0], block + n, sizeof block - (size_t)n) == (ssize_t)sizeof block - n);
        _exit(7);
    }
    sched_yield();
    cr_point();
    close(pair[0]);
    memset(block, 0, sizeof block);
    while (total < (ssize_t)sizeof block) {
        size_t left = sizeof block - (size_t)total;
        n = recv(pair[1], block + total, left < 60000 ? left : 60000, MSG_WAITALL);
        check(n > 0);
        total += n;
    }
    check(read(pair[1], &n, 1) == 0 && wait_for(pid) == 7);
    sum = fold(sum, block, sizeof block);
    check(sum == wanted);
    say("%d bytes through a stream that was full: sum is right\n", (int)total);
}

static void datagrams(void)
{
    int pair[2], number;
    check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (number = 0; number < 40; number++)
            check(send(pair[0], &number, sizeof number, 0) == sizeof number);
        _exit(0);
    }
    sched_yield();
    for (int i = 0; i < 40; i++)
        check(recv(pair[1], &number, sizeof number, 0) == sizeof number && number == i);
    check(wait_for(pid) == 0);
    say("40 datagrams in order\n");
}

static void connections(void)
{
    int server = socket(AF_UNIX, SOCK_STREAM, 0), served = 0;
    pid_t pids[3];
    check(bind_unix(server, "@server") == 0 && listen(server, 0) == 0);
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            char answer;
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            check(connect_unix(fd, "@server") == 0);
            check(read(fd, &answer, 1) == 1);
            _exit(0);
        }
    }
    sched_yield();
    sched_yield();
    for (int i = 0; i < 3; i++) {
        int fd = accept(server, NULL, NULL);
        check(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
        served++;
    }
    for (int i = 0; i < 3; i++)
        check(wait_for(pids[i]) == 0);
    say("all clients were served: %d\n", served);
}

int main(void)
{
    streams();
    datagrams();
    connections();
    return 0;
}
