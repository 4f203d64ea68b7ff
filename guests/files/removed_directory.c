/* A directory that was removed while it was open: it is still there for who has it, and empty for
 * ever.
 *
 * prints:
 *     open: mode 40750, removed 1
 *     nothing to read: ENOENT
 *     nothing can be made in it: ENOENT
 *     it can still be changed: 40700
 */
#include "guest.h"

int main(void)
{
    static char buffer[512];
    struct stat found;
    check(mkdir("gone", 0750) == 0);
    int fd = open("gone", O_RDONLY | O_DIRECTORY);
    check(fd >= 0);
    check(rmdir("gone") == 0);
    cr_point();
    check(fstat(fd, &found) == 0);
    say("open: mode %x%x%x%x%x, removed %d\n", found.st_mode >> 12 & 7, found.st_mode >> 9 & 7,
        found.st_mode >> 6 & 7, found.st_mode >> 3 & 7, found.st_mode & 7, found.st_nlink < 2);
    long result = raw_syscall(NR_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0);
    say("nothing to read: %s\n", result == -ENOENT ? "ENOENT" : "?");
    result = raw_syscall(NR_openat, fd, (long)"file", O_WRONLY | O_CREAT, 0600, 0, 0);
    say("nothing can be made in it: %s\n", result == -ENOENT ? "ENOENT" : "?");
    check(raw_syscall(NR_fchmod, fd, 0700, 0, 0, 0, 0) == 0);
    check(fstat(fd, &found) == 0);
    say("it can still be changed: %x%x%x%x%x\n", found.st_mode >> 12 & 7, found.st_mode >> 9 & 7,
        found.st_mode >> 6 & 7, found.st_mode >> 3 & 7, found.st_mode & 7);
    close(fd);
    return 0;
}
