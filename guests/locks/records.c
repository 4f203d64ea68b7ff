/* POSIX record locks: ranges that merge and split, who stands in the way, a deadlock that is
 * refused, waiting, and what close, fork and exit do to them.
 *
 * libc: both
 * order: any
 * prints:
 *     a lock of its own is no hindrance
 *     child: write 0+100 by the parent
 *     child: write 150+0 by the parent
 *     child: 100+50 is free
 *     child: EAGAIN
 *     child: waited
 *     parent: EDEADLK
 *     narrow: read 7+3 by the child
 *     closing any descriptor lets go
 *     its exit lets go
 *     wrong: EINVAL EINVAL EINVAL EBADF EBADF EBADF
 */
#include "guest.h"

static int file;

static int lock(int fd, int command, int type, long long start, long long length)
{
    struct flock request;
    memset(&request, 0, sizeof request);
    request.l_type = (short)type;
    request.l_whence = SEEK_SET;
    request.l_start = start;
    request.l_len = length;
    return fcntl(fd, command, &request);
}

static const char *problem(int result)
{
    if (result == 0)
        return "none";
    return errno == EINVAL ? "EINVAL" : errno == EBADF ? "EBADF" : errno == EAGAIN ? "EAGAIN"
         : errno == EDEADLK ? "EDEADLK" : errno == EOVERFLOW ? "EOVERFLOW" : "another";
}

static void ask(long long start, long long length)
{
    struct flock request;
    memset(&request, 0, sizeof request);
    request.l_type = F_WRLCK;
    request.l_whence = SEEK_SET;
    request.l_start = start;
    request.l_len = length;
    request.l_pid = 12345;
    check(fcntl(file, F_GETLK, &request) == 0);
    if (request.l_type == F_UNLCK) {
        check(request.l_start == start && request.l_pid == 12345);
        say("child: %d+%d is free\n", (int)start, (int)length);
        return;
    }
    check(request.l_pid == getppid());
    say("child: %s %d+%d by the parent\n", request.l_type == F_WRLCK ? "write" : "read",
        (int)request.l_start, (int)request.l_len);
}

static void pass(int fd) { check(write(fd, "x", 1) == 1); }

static void await(int fd)
{
    char byte;
    check(read(fd, &byte, 1) == 1);
}

static void nap(int ms)
{
    struct timespec time = {0, ms * 1000000l};
    nanosleep(&time, NULL);
}

static void child(int to, int from)
{
    ask(0, 1000);
    ask(120, 40);
    ask(100, 50);
    check(lock(file, F_SETLK, F_RDLCK, 99, 1) == -1);
    say("child: %s\n", problem(-1));
    check(lock(file, F_SETLK, F_WRLCK, 120, 5) == 0);
    pass(to);
    await(from);
    check(lock(file, F_SETLKW, F_WRLCK, 0, 10) == 0);
    say("child: waited\n");
    pass(to);
    /* The parent has 10 and up, and will want 0; now the child wants 50. */
    await(from);
    check(lock(file, F_SETLKW, F_WRLCK, 50, 1) == 0);
    check(lock(file, F_SETLK, F_UNLCK, 0, 0) == 0);
    check(lock(file, F_SETLK, F_RDLCK, 7, 3) == 0);
    pass(to);
    await(from);
    int other = open("locked", O_RDONLY);
    check(close(other) == 0);
    pass(to);
    await(from);
    check(lock(file, F_SETLK, F_WRLCK, 0, 0) == 0);
    pass(to);
    await(from);
    _exit(0);
}

/* The struct that the oldest call takes: words for start and length. */
struct narrow {
    short type, whence;
    long start, length;
    int pid;
};

static void ask_narrow(pid_t pid)
{
    struct narrow request;
    memset(&request, 0, sizeof request);
    request.type = F_WRLCK;
    check(raw_syscall(NR_fcntl, file, 5, (long)&request, 0, 0, 0) == 0);
    check(request.pid == pid);
    say("narrow: %s %d+%d by the child\n", request.type == F_RDLCK ? "read" : "write",
        (int)request.start, (int)request.length);
}

static void wrong(void)
{
    int reading = open("locked", O_RDONLY), writing = open("locked", O_WRONLY);
    const char *type = problem(lock(file, F_SETLK, 9, 0, 0));
    const char *start = problem(lock(file, F_SETLK, F_RDLCK, -1, 0));
    const char *before = problem(lock(file, F_SETLK, F_RDLCK, 5, -6));
    const char *no_write = problem(lock(reading, F_SETLK, F_WRLCK, 0, 0));
    const char *no_read = problem(lock(writing, F_SETLK, F_RDLCK, 0, 0));
    const char *closed = problem(lock(99, F_SETLK, F_RDLCK, 0, 0));
    say("wrong: %s %s %s %s %s %s\n", type, start, before, no_write, no_read, closed);
}

int main(void)
{
    int down[2], up[2], status;
    file = open("locked", O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(file >= 0 && pipe(down) == 0 && pipe(up) == 0);
    check(lock(file, F_SETLK, F_RDLCK, 0, 60) == 0 && lock(file, F_SETLK, F_RDLCK, 60, 40) == 0);
    check(lock(file, F_SETLK, F_WRLCK, 0, 0) == 0);
    say("a lock of its own is no hindrance\n");
    check(lock(file, F_SETLK, F_UNLCK, 100, 50) == 0);
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0)
        child(up[1], down[0]);
    await(up[0]);
    check(lock(file, F_SETLK, F_WRLCK, 110, 11) == -1 && errno == EAGAIN);
    pass(down[1]);
    nap(20);
    check(lock(file, F_SETLK, F_UNLCK, 0, 10) == 0);
    await(up[0]);
    pass(down[1]);
    nap(20);
    check(lock(file, F_SETLKW, F_WRLCK, 5, 1) == -1);
    say("parent: %s\n", problem(-1));
    check(lock(file, F_SETLK, F_UNLCK, 0, 0) == 0);
    await(up[0]);
    ask_narrow(pid);
    pass(down[1]);
    await(up[0]);
    check(lock(file, F_SETLK, F_WRLCK, 0, 0) == 0 && lock(file, F_SETLK, F_UNLCK, 0, 0) == 0);
    say("closing any descriptor lets go\n");
    pass(down[1]);
    await(up[0]);
    check(lock(file, F_SETLK, F_RDLCK, 0, 1) == -1);
    pass(down[1]);
    check(lock(file, F_SETLKW, F_WRLCK, 0, 0) == 0);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    say("its exit lets go\n");
    wrong();
    return 0;
}
