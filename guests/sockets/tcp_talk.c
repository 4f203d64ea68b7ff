/* TCP over the loopback: a server, a client in a child, half-closed both ways.
 *
 * libc: both
 * prints:
 *     the port is taken: EADDRINUSE
 *     nobody listens at another: ECONNREFUSED
 *     the client is 127.0.0.1, and its port is not the server's
 *     there: ping, back: pong
 *     the client has closed its half: end of file
 *     the rest arrives: goodbye
 *     options: nodelay 1, keepalive 1
 *     no other end any more: ENOTCONN
 *     20000 bytes, sum is right
 */
#include "sockets.h"

enum { SIZE = 20000, STEP = 3000 };
static char block[SIZE + STEP];

static int wait_for(pid_t pid)
{
    int status;
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int client(int port)
{
    char text[16];
    struct sockaddr_in to = inet_address(INADDR_LOOPBACK, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
    check(connect(fd, (struct sockaddr *)&to, sizeof to) == -1 && errno == EISCONN);
    check(write(fd, "ping", 4) == 4);
    memset(text, 0, sizeof text);
    check(read(fd, text, 4) == 4 && strcmp(text, "pong") == 0);
    check(shutdown(fd, SHUT_WR) == 0);
    check(recv(fd, text, 7, MSG_WAITALL) == 7 && read(fd, text + 8, 1) == 0);
    return memcmp(text, "goodbye", 7) == 0 ? 7 : 1;
}

static int server_socket(int *port)
{
    struct sockaddr_in name = inet_address(INADDR_ANY, 0);
    socklen_t length = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), other;
    check(bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    check(getsockname(fd, (struct sockaddr *)&name, &length) == 0 && length == sizeof name);
    *port = ntohs(name.sin_port);
    check(*port >= 1024 && listen(fd, 5) == 0);
    other = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(other, (struct sockaddr *)&name, sizeof name) == -1 && errno == EADDRINUSE);
    say("the port is taken: EADDRINUSE\n");
    name = inet_address(INADDR_LOOPBACK, 9);
    check(connect(other, (struct sockaddr *)&name, sizeof name) == -1 && errno == ECONNREFUSED);
    say("nobody listens at another: ECONNREFUSED\n");
    check(close(other) == 0);
    return fd;
}

int main(void)
{
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char text[16];
    int port, on = 1, value = 0, server = server_socket(&port);
    pid_t pid = fork();
    if (pid == 0)
        _exit(client(port));
    int fd = accept(server, (struct sockaddr *)&from, &length);
    check(fd > 0 && length == sizeof from && from.sin_family == AF_INET);
    check(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK) && ntohs(from.sin_port) != port);
    say("the client is 127.0.0.1, and its port is not the server's\n");
    cr_point();
    memset(text, 0, sizeof text);
    check(read(fd, text, 8) == 4 && write(fd, "pong", 4) == 4);
    say("there: %s, back: pong\n", text);
    check(read(fd, text, 8) == 0);
    cr_point();
    say("the client has closed its half: end of file\n");
    check(write(fd, "good", 4) == 4 && write(fd, "bye", 3) == 3);
    length = sizeof value;
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
    check(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0);
    cr_point();
    check(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &length) == 0 && value == 1);
    check(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &length) == 0);
    check(shutdown(fd, SHUT_WR) == 0 && wait_for(pid) == 7);
    say("the rest arrives: goodbye\n");
    say("options: nodelay %d, keepalive %d\n", value, on);
    cr_point();
    length = sizeof from;
    check(getpeername(fd, (struct sockaddr *)&from, &length) == -1 && errno == ENOTCONN);
    say("no other end any more: ENOTCONN\n");
    check(close(fd) == 0);
    pid = fork();
    if (pid == 0) {
        struct sockaddr_in to = inet_address(INADDR_LOOPBACK, port);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        for (size_t i = 0; i < SIZE; i++)
            block[i] = (char)(i * 5);
        check(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
        check(write(fd, block, SIZE) == SIZE);
        _exit(0);
    }
    fd = accept(server, NULL, NULL);
    ssize_t n, total = 0;
    uint32_t sum = 0, wanted = 0;
    while ((n = read(fd, block + total, STEP)) > 0)
        total += n;
    sum = fold(0, block, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        block[i] = (char)(i * 5);
    wanted = fold(0, block, SIZE);
    check(n == 0 && wait_for(pid) == 0 && sum == wanted);
    say("%d bytes, sum is right\n", (int)total);
    return 0;
}
