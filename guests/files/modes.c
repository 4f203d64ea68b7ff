/* umask and permission bits, as stat and fstat tell them.
 *
 * libc: both
 * prints:
 *     umask was 022
 *     file 0640, directory 0750
 *     after chmod 0604 and fchmod 04711
 *     umask is 027
 */
#include "guest.h"

static unsigned int mode_of(const char *path)
{
    struct stat status;
    check(stat(path, &status) == 0);
    return status.st_mode & 07777;
}

int main(void)
{
    umask(022);
    say("umask was %03o\n", umask(027));
    cr_point();
    int fd = open("file", O_RDWR | O_CREAT, 0666);
    check(fd >= 0 && mkdir("dir", 0777) == 0);
    say("file %04o, directory %04o\n", mode_of("file"), mode_of("dir"));
    cr_point();
    check(chmod("file", 0604) == 0);
    unsigned int first = mode_of("file");
    check(fchmod(fd, 04711) == 0);
    struct stat status;
    check(fstat(fd, &status) == 0 && S_ISREG(status.st_mode));
    say("after chmod %04o and fchmod %05o\n", first, status.st_mode & 07777);
    cr_point();
    say("umask is %03o\n", umask(0));
    return 0;
}
