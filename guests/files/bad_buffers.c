/* Reads and writes whose buffer is bad, or bad from some byte on: what the kernel looks at first,
 * and what it has done by then.
 *
 * libc: musl
 * prints:
 *     nothing to read or write: EINVAL whatever the buffer is: 22 22 22 22
 *     at the end nobody looks: 0 0 0 0
 *     a directory says so first: 21 21
 *     buffers of no bytes at all: 0 0
 *     a pipe has no offset: 29 29 29
 *     no such whence: 22 22
 *     too small for a name: 22
 *     a pipe takes whole pages: 4096, then 14
 *     a stream, a packet, a datagram: nothing of a bad part: 14 14 14, 11
 *     a socket that listens or is not connected says so first: 107 107 32
 */
#include "guest.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

enum { PAGE = 4096 };

static char *bad; /* one byte behind what can be read */

static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

static void kinds_of_files(void)
{
    int set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct iovec one = {bad, 8}, none[2] = {{bad - 1, 0}, {bad - 1, 0}};
    say("nothing to read or write: EINVAL whatever the buffer is: %d %d %d %d\n",
        error_of(read(set, bad, 3)), error_of(write(timer, bad, 8)), error_of(write(set, bad, 0)),
        error_of(readv(set, &one, 1)));
    close(set);
    close(timer);
    int file = open("file", O_CREAT | O_RDWR, 0600), directory = open(".", O_RDONLY);
    check(write(file, "text", 4) == 4);
    int null = open("/dev/null", O_RDWR);
    say("at the end nobody looks: %ld %ld %ld %ld\n", (long)read(file, bad, 9),
        (long)pread(file, bad, 9, 4), (long)readv(file, &one, 1), (long)read(null, bad, 9));
    check(pread(file, bad, 9, 3) == -1 && errno == EFAULT);
    say("a directory says so first: %d %d\n", error_of(read(directory, bad, 9)),
        error_of(pread(directory, bad, 9, 0)));
    say("buffers of no bytes at all: %ld %ld\n", (long)readv(directory, none, 2),
        (long)writev(file, none, 2));
    int ends[2];
    check(pipe(ends) == 0);
    say("a pipe has no offset: %d %d %d\n", error_of(pread(ends[1], bad, 4, 0)),
        error_of(pwrite(ends[0], "x", 1, 0)), error_of(pread(ends[0], bad, 4, 0)));
    say("no such whence: %d %d\n", error_of(lseek(ends[0], 0, 9)), error_of(lseek(null, 0, 9)));
    say("too small for a name: %d\n", error_of(syscall(SYS_getdents64, directory, bad - 1, 1)));
    close(ends[0]);
    close(ends[1]);
    cr_point();
}

static void parts(void)
{
    int ends[2], stream[2], packets[2], datagrams[2];
    char byte;
    check(pipe(ends) == 0);
    long done = write(ends[1], bad - PAGE - 512, 2 * PAGE);
    say("a pipe takes whole pages: %ld, then %d\n", done,
        error_of(write(ends[1], bad - 50, 100)));
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0);
    check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0);
    check(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0);
    int one = error_of(write(stream[0], bad - 50, 100));
    int two = error_of(write(packets[0], bad - 50, 100));
    int three = error_of(send(datagrams[0], bad - 50, 100, 0));
    say("a stream, a packet, a datagram: nothing of a bad part: %d %d %d, %d\n", one, two, three,
        error_of(recv(stream[1], &byte, 1, MSG_DONTWAIT)));
    cr_point();
}

static void without_a_connection(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    check(bind(listener, (struct sockaddr *)&here, sizeof here) == 0);
    check(listen(listener, 1) == 0);
    signal(SIGPIPE, SIG_IGN);
    cr_point();
    int reading = error_of(read(listener, bad, 4));
    int local = error_of(write(socket(AF_UNIX, SOCK_STREAM, 0), bad, 4));
    say("a socket that listens or is not connected says so first: %d %d %d\n", reading, local,
        error_of(write(socket(AF_INET, SOCK_STREAM, 0), bad, 4)));
}

int main(void)
{
    char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory != MAP_FAILED && munmap(memory + 3 * PAGE, PAGE) == 0);
    bad = memory + 3 * PAGE;
    kinds_of_files();
    parts();
    without_a_connection();
    return 0;
}
