/* A stream whose reader takes what it gets, with a time limit: short transfers and EINTR are what a
 * program must live with, and the sum is the same.
 *
 * order: any
 * prints:
 *     received 3000 bytes, sum 373500
 *     nothing more: EAGAIN
 *     at the end: 0
 */
#include "sockets.h"

enum { BYTES = 3000, PIECE = 300 };

static void send_all(int fd, const char *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = send(fd, data + done, size - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        check(n > 0);
        done += n;
    }
}

int main(void)
{
    static char data[BYTES];
    int ends[2], go[2], status;
    long sum = 0, received = 0;
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && pipe(go) == 0);
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        close(ends[0]);
        close(go[1]);
        for (int i = 0; i < BYTES; i++)
            data[i] = i % 250;
        for (int at = 0; at < BYTES; at += PIECE) {
            struct timespec time = {0, 2000};
            nanosleep(&time, NULL);
            send_all(ends[1], data + at, PIECE);
        }
        check(read(go[0], data, 1) == 0);
        _exit(0);
    }
    close(ends[1]);
    close(go[0]);
    struct timeval limit = {1, 0};
    check(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    cr_point();
    while (received < BYTES) {
        static char buffer[PIECE];
        ssize_t n = recv(ends[0], buffer, PIECE, 0);
        if (n < 0 && errno == EINTR)
            continue;
        check(n > 0);
        for (int i = 0; i < n; i++)
            sum += (unsigned char)buffer[i];
        received += n;
    }
    cr_point();
    say("received %ld bytes, sum %ld\n", received, sum);
    limit.tv_sec = 0;
    limit.tv_usec = 1000;
    check(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    ssize_t n;
    do
        n = recv(ends[0], data, PIECE, 0);
    while (n < 0 && errno == EINTR);
    check(n < 0 && errno == EAGAIN);
    say("nothing more: EAGAIN\n");
    close(go[1]);
    do
        n = recv(ends[0], data, PIECE, 0);
    while (n < 0 && (errno == EINTR || errno == EAGAIN));
    say("at the end: %d\n", (int)n);
    check(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
