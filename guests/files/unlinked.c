/* A file without a name is still written and read through its descriptor; its name may be
 * used anew.
 *
 * libc: both
 * prints:
 *     no name, no links
 *     old: first second third
 *     new: another
 */
#include "guest.h"

int main(void)
{
    char text[32];
    struct stat status;
    memset(text, 0, sizeof text);
    int fd = open("ghost", O_RDWR | O_CREAT | O_EXCL, 0600);
    check(fd >= 0 && write(fd, "first ", 6) == 6);
    check(unlink("ghost") == 0);
    check(open("ghost", O_RDONLY) == -1 && errno == ENOENT);
    check(fstat(fd, &status) == 0 && status.st_nlink == 0 && status.st_size == 6);
    say("no name, no links\n");
    cr_point();
    check(write(fd, "second ", 7) == 7);
    int other = open("ghost", O_RDWR | O_CREAT | O_EXCL, 0600);
    check(other >= 0 && write(other, "another", 7) == 7);
    cr_point();
    check(write(fd, "third", 5) == 5);
    check(lseek(fd, 0, SEEK_SET) == 0 && read(fd, text, sizeof text) == 18);
    say("old: %s\n", text);
    memset(text, 0, sizeof text);
    check(pread(other, text, sizeof text, 0) == 7);
    say("new: %s\n", text);
    check(close(fd) == 0 && close(other) == 0 && unlink("ghost") == 0);
    return 0;
}
