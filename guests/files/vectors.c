/* readv and writev: many buffers, one call.
 *
 * libc: both
 * prints:
 *     wrote 18
 *     read 18: gather| and| scatter
 *     one, two, three
 */
#include "guest.h"

int main(void)
{
    char a[7], b[5], c[32];
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    memset(c, 0, sizeof c);
    struct iovec out[] = {{"gath", 4}, {"", 0}, {"er an", 5}, {"d scat", 6}, {"ter", 3}};
    struct iovec in[] = {{a, 6}, {b, 4}, {c, 31}};
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    check(fd >= 0);
    cr_point();
    say("wrote %d\n", (int)writev(fd, out, 5));
    check(lseek(fd, 0, SEEK_SET) == 0);
    cr_point();
    int n = (int)readv(fd, in, 3);
    say("read %d: %s|%s|%s\n", n, a, b, c);
    struct iovec words[] = {{"one, ", 5}, {"two, ", 5}, {"three\n", 6}};
    check(writev(STDOUT_FILENO, words, 3) == 16);
    return 0;
}
