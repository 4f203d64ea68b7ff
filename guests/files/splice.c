/* splice, tee, vmsplice: bytes between files, pipes and sockets, and memory; what cannot be
 * spliced; sendfile into a pipe that is too small for it all.
 *
 * order: any
 * prints:
 *     from a file: 6 world!, the offset says 13, the position 0
 *     to a file: 4, at 2: ..worl
 *     pipe to pipe: 2 d!
 *     tee: 3 one, and again: 3 one
 *     from memory: 9 two three, to memory: two/three
 *     to a socket and back: 6 socket
 *     empty: EAGAIN, no writers: 0
 *     nobody reads: EPIPE, a signal 13, nothing for nobody: EPIPE EPIPE
 *     all of 100000 bytes, the sum is right
 *     wrong: EINVAL ESPIPE EINVAL EINVAL EBADF EINVAL EBADF
 */
#include "guest.h"
#include "sockets.h"

enum { NONBLOCK = 2, BIG = 100000 };

static volatile int came;

static void on_signal(int signal)
{
    came = signal;
}

static long splice_it(int in, long long *in_at, int out, long long *out_at, size_t n, int flags)
{
    return raw_syscall(NR_splice, in, (long)in_at, out, (long)out_at, (long)n, flags);
}

static const char *problem(long result)
{
    return result >= 0 ? "none" : result == -EINVAL ? "EINVAL" : result == -ESPIPE ? "ESPIPE"
         : result == -EBADF ? "EBADF" : result == -EAGAIN ? "EAGAIN"
         : result == -EPIPE ? "EPIPE" : "another";
}

static void big_file(void)
{
    static unsigned char block[1000];
    int ends[2], status;
    uint32_t sum = 0, wanted = 0;
    int fd = open("big", O_RDWR | O_CREAT, 0644);
    for (int i = 0; i < BIG / 1000; i++) {
        memset(block, i, sizeof block);
        wanted = fold(wanted, block, sizeof block);
        check(write(fd, block, sizeof block) == sizeof block);
    }
    check(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        long long at = 0;
        long nr = NR_sendfile64 >= 0 ? NR_sendfile64 : NR_sendfile;
        while (at < BIG) { /* a newer Linux stops when a pipe is full */
            long long before = at;
            long moved = raw_syscall(nr, ends[1], fd, (long)&at, (long)(BIG - at), 0, 0);
            check(moved > 0 && at == before + moved);
        }
        _exit(0);
    }
    close(ends[1]);
    for (int got = 0; got < BIG;) {
        int part = 0;
        while (part < 1000) {
            ssize_t n = read(ends[0], block + part, (size_t)(1000 - part));
            check(n > 0);
            part += (int)n;
        }
        sum = fold(sum, block, sizeof block);
        got += part;
    }
    check(waitpid(pid, &status, 0) == pid && status == 0);
    say("all of %d bytes, the sum is %s\n", BIG, sum == wanted ? "right" : "wrong");
}

int main(void)
{
    int one[2], two[2], pair[2];
    char text[32];
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGPIPE, &action, NULL) == 0);
    check(pipe(one) == 0 && pipe(two) == 0);
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    check(write(fd, "hello, world!", 13) == 13 && lseek(fd, 0, SEEK_SET) == 0);
    long long at = 7;
    long count = splice_it(fd, &at, one[1], NULL, 100, 0);
    int there = 0;
    check(read(one[0], text, 6) == 6);
    text[6] = 0;
    say("from a file: %ld %s, the offset says %d, the position %d\n", count, text, (int)at,
        (int)lseek(fd, 0, SEEK_CUR));
    (void)there;
    int out = open("out", O_RDWR | O_CREAT, 0644);
    check(write(out, "..", 2) == 2 && write(one[1], text, 6) == 6);
    at = 2;
    count = splice_it(one[0], NULL, out, &at, 4, 0);
    check(at == 6 && pread(out, text, 6, 0) == 6);
    say("to a file: %ld, at 2: %s\n", count, text);
    count = splice_it(one[0], NULL, two[1], NULL, 50, 0);
    check(read(two[0], text, 10) == 2);
    text[2] = 0;
    say("pipe to pipe: %ld %s\n", count, text);
    check(write(one[1], "one", 3) == 3);
    count = raw_syscall(NR_tee, one[0], two[1], 100, 0, 0, 0);
    check(read(two[0], text, 10) == 3);
    text[3] = 0;
    say("tee: %ld %s, and again: ", count, text);
    check(read(one[0], text, 10) == 3);
    say("%d %s\n", 3, text);
    struct iovec parts[2] = {{"two ", 4}, {"three", 5}};
    count = raw_syscall(NR_vmsplice, one[1], (long)parts, 2, 0, 0, 0);
    char first[5] = "", second[8] = "", whole[10] = "";
    check(raw_syscall(NR_tee, one[0], two[1], 9, 0, 0, 0) == 9 && read(two[0], whole, 9) == 9);
    struct iovec places[2] = {{first, 3}, {second, 6}};
    check(raw_syscall(NR_vmsplice, one[0], (long)places, 2, 0, 0, 0) == 9);
    say("from memory: %ld %s, to memory: %s/%s\n", count, whole, first, second + 1);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(one[1], "socket", 6) == 6);
    check(splice_it(one[0], NULL, pair[0], NULL, 6, 0) == 6);
    count = splice_it(pair[1], NULL, two[1], NULL, 100, 0);
    check(read(two[0], text, 10) == 6);
    text[6] = 0;
    say("to a socket and back: %ld %s\n", count, text);
    const char *empty = problem(splice_it(one[0], NULL, out, NULL, 4, NONBLOCK));
    close(two[1]);
    say("empty: %s, no writers: %ld\n", empty, splice_it(two[0], NULL, out, NULL, 4, 0));
    int ended = two[0];
    check(pipe(two) == 0 && close(two[0]) == 0);
    check(write(one[1], "x", 1) == 1);
    const char *broken = problem(splice_it(one[0], NULL, two[1], NULL, 1, 0));
    const char *nothing = problem(splice_it(ended, NULL, two[1], NULL, 1, 0));
    say("nobody reads: %s, a signal %d, nothing for nobody: %s %s\n", broken, came, nothing,
        problem(raw_syscall(NR_tee, ended, two[1], 1, 0, 0, 0)));
    big_file();
    const char *files = problem(splice_it(fd, NULL, out, NULL, 4, 0));
    const char *place = problem(splice_it(one[0], &at, out, NULL, 4, 0));
    const char *same = problem(splice_it(one[0], NULL, one[1], NULL, 4, 0));
    const char *flags = problem(splice_it(one[0], NULL, out, NULL, 4, 64));
    const char *closed = problem(splice_it(one[0], NULL, 99, NULL, 4, 0));
    const char *tee = problem(raw_syscall(NR_tee, one[0], out, 4, 0, 0, 0));
    say("wrong: %s %s %s %s %s %s %s\n", files, place, same, flags, closed, tee,
        problem(raw_syscall(NR_vmsplice, fd, (long)parts, 1, 0, 0, 0)));
    return 0;
}
