/* dup and dup2 share one open file, its offset too; close-on-exec belongs to each descriptor.
 *
 * libc: both
 * prints:
 *     one offset for all: 9
 *     another open of the same file has its own: 0
 *     flags: 0 1 0
 *     lowest free descriptors: 3 10 11
 *     after dup2, 20 is the other file
 */
#include "guest.h"

int main(void)
{
    char text[4];
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(fd == 3);
    int twin = dup(fd), far = dup2(fd, 20), own = open("file", O_RDONLY);
    check(twin == 4 && far == 20 && own == 5);
    cr_point();
    check(write(fd, "abc", 3) == 3 && write(twin, "def", 3) == 3 && write(far, "ghi", 3) == 3);
    say("one offset for all: %d\n", (int)lseek(fd, 0, SEEK_CUR));
    say("another open of the same file has its own: %d\n", (int)lseek(own, 0, SEEK_CUR));
    check(fcntl(twin, F_SETFD, FD_CLOEXEC) == 0);
    cr_point();
    say("flags: %d %d %d\n", fcntl(fd, F_GETFD), fcntl(twin, F_GETFD), fcntl(far, F_GETFD));
    check(close(fd) == 0 && write(fd, "x", 1) == -1 && errno == EBADF);
    cr_point();
    int lowest = dup(twin), from_ten = fcntl(twin, F_DUPFD, 10);
    int next = fcntl(twin, F_DUPFD_CLOEXEC, 10);
    check(fcntl(lowest, F_GETFD) == 0 && fcntl(next, F_GETFD) == FD_CLOEXEC);
    say("lowest free descriptors: %d %d %d\n", lowest, from_ten, next);
    check(dup2(own, far) == 20 && dup2(far, far) == 20);
    cr_point();
    check(read(own, text, 2) == 2 && read(far, text, 1) == 1 && text[0] == 'c');
    say("after dup2, 20 is the other file\n");
    return 0;
}
