/* What stat says of the links in /proc/self/fd, of the files of /proc, and of short links.
 *
 * libc: musl
 * prints:
 *     read 500, write 300, both 700, a place 0
 *     64 bytes, owned by 0
 *     /proc: 1024 at a time, 0 bytes, and its directories 0
 *     a short link: 4 bytes in 0 blocks
 */
#define _GNU_SOURCE
#include "guest.h"

static struct stat of_descriptor(int flags)
{
    struct stat found;
    char name[40];
    int fd = open("/dev/null", flags);
    check(fd >= 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    cr_point();
    check(lstat(name, &found) == 0 && S_ISLNK(found.st_mode));
    return found;
}

int main(void)
{
    struct stat text, folder, link;
    say("read %o, write %o, both %o, a place %o\n", of_descriptor(O_RDONLY).st_mode & 07777,
        of_descriptor(O_WRONLY).st_mode & 07777, of_descriptor(O_RDWR).st_mode & 07777,
        of_descriptor(O_PATH).st_mode & 07777);
    say("%ld bytes, owned by %u\n", (long)of_descriptor(O_RDONLY).st_size,
        of_descriptor(O_RDONLY).st_uid);
    check(stat("/proc/self/status", &text) == 0 && stat("/proc/self", &folder) == 0);
    say("/proc: %ld at a time, %ld bytes, and its directories %ld\n", (long)text.st_blksize,
        (long)text.st_size, (long)folder.st_size);
    check(symlink("text", "short") == 0 && lstat("short", &link) == 0);
    say("a short link: %ld bytes in %ld blocks\n", (long)link.st_size, (long)link.st_blocks);
    return 0;
}
