/* A pipe without a name is opened through /proc: its ends are ends like the others; so is a
 * deleted file, but not a socket, nor an eventfd.
 *
 * order: any
 * prints:
 *     a child writes by name: from the child
 *     read by another name, both ways: again
 *     the end comes when the last writer goes
 *     deleted: still here
 *     socket: ENXIO, eventfd: ENXIO
 */
#include "sockets.h"

static char name[64];

static const char *path_of(int fd)
{
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return name;
}

static const char *problem(int fd)
{
    return fd >= 0 ? "none" : errno == 6 ? "ENXIO" : "another";
}

int main(void)
{
    int ends[2], pair[2], status;
    char text[32];
    check(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int out = open(path_of(ends[1]), O_WRONLY);
        check(out >= 0 && write(out, "from the child", 15) == 15);
        _exit(0);
    }
    check(read(ends[0], text, sizeof text) == 15);
    say("a child writes by name: %s\n", text);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    int both = open(path_of(ends[0]), O_RDWR);
    check(both >= 0 && write(both, "again", 6) == 6 && read(ends[0], text, 32) == 6);
    say("read by another name, both ways: %s\n", text);
    check(close(ends[1]) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    check(read(ends[0], text, 1) == -1 && errno == EAGAIN);
    check(close(both) == 0 && read(ends[0], text, 1) == 0);
    say("the end comes when the last writer goes\n");
    int fd = open("gone", O_RDWR | O_CREAT, 0600);
    check(write(fd, "still here", 11) == 11 && unlink("gone") == 0);
    int again = open(path_of(fd), O_RDONLY);
    check(again >= 0 && read(again, text, 32) == 11);
    say("deleted: %s\n", text);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    const char *of_socket = problem(open(path_of(pair[0]), O_RDWR));
    fd = (int)raw_syscall(NR_eventfd2, 0, 0, 0, 0, 0, 0);
    say("socket: %s, eventfd: %s\n", of_socket, problem(open(path_of(fd), O_RDWR)));
    return 0;
}
