/* A server with a name in the file system, and a child that connects, asks, and is answered.
 *
 * libc: both
 * prints:
 *     nobody there: ENOENT, then ECONNREFUSED
 *     a socket of mode 755 is there, and binding again: EADDRINUSE
 *     the client has no name, the server is called /server
 *     asked 6, answered 42
 *     the peer is the child
 *     the name outlives the socket: ECONNREFUSED
 */
#include "sockets.h"

static void client(void)
{
    int number = 6, fd = socket(AF_UNIX, SOCK_STREAM, 0);
    check(connect_unix(fd, "server") == 0);
    check(connect_unix(fd, "server") == -1 && errno == EISCONN);
    check(write(fd, &number, sizeof number) == sizeof number);
    check(recv(fd, &number, sizeof number, MSG_WAITALL) == sizeof number && number == 42);
    _exit(number);
}

int main(void)
{
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    struct stat about;
    struct ucred who;
    int number, status, server = socket(AF_UNIX, SOCK_STREAM, 0), other;
    umask(022);
    check(connect_unix(server, "server") == -1 && errno == ENOENT);
    int file = open("server", O_CREAT | O_WRONLY, 0644);
    check(connect_unix(server, "server") == -1 && errno == ECONNREFUSED);
    say("nobody there: ENOENT, then ECONNREFUSED\n");
    check(close(file) == 0 && unlink("server") == 0);
    check(listen(server, 1) == -1 && errno == EINVAL);
    check(bind_unix(server, "server") == 0 && stat("server", &about) == 0);
    check((about.st_mode & S_IFMT) == S_IFSOCK);
    other = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind_unix(other, "server") == -1 && errno == EADDRINUSE);
    say("a socket of mode %o is there, and binding again: EADDRINUSE\n",
        (unsigned)(about.st_mode & 0777));
    check(connect_unix(other, "server") == -1 && errno == ECONNREFUSED);
    check(open("server", O_RDWR) == -1);
    check(listen(server, 1) == 0);
    pid_t pid = fork();
    if (pid == 0)
        client();
    int fd = accept(server, (struct sockaddr *)&name, &length);
    check(fd > 0 && length == 2);
    length = sizeof name;
    memset(&name, 0, sizeof name);
    check(getsockname(fd, (struct sockaddr *)&name, &length) == 0 && length == 2 + 7);
    say("the client has no name, the server is called /%s\n", name.sun_path);
    cr_point();
    check(read(fd, &number, sizeof number) == sizeof number);
    number *= 7;
    length = sizeof who;
    check(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 && length == sizeof who);
    check(write(fd, &number, sizeof number) == sizeof number);
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
    say("asked 6, answered %d\n", number);
    check(who.pid == pid && who.uid == getuid() && who.gid == getgid());
    say("the peer is the child\n");
    check(read(fd, &number, sizeof number) == 0 && close(fd) == 0 && close(server) == 0);
    cr_point();
    check(connect_unix(other, "server") == -1 && errno == ECONNREFUSED);
    check(unlink("server") == 0);
    say("the name outlives the socket: ECONNREFUSED\n");
    return 0;
}
