/* O_APPEND writes at the end wherever the offset is; it is a flag of the open file, and fcntl
 * changes it.
 *
 * libc: both
 * prints:
 *     0123456789
 *     0123456789ab
 *     XY23456789ab
 *     nothing written at 2: still at 2
 */
#include "guest.h"

static void show(int fd)
{
    char text[32];
    memset(text, 0, sizeof text);
    check(pread(fd, text, sizeof text - 1, 0) > 0);
    say("%s\n", text);
}

int main(void)
{
    int fd = open("log", O_RDWR | O_CREAT | O_APPEND, 0644);
    check(fd >= 0 && write(fd, "01234", 5) == 5);
    check(lseek(fd, 0, SEEK_SET) == 0);
    cr_point();
    check(write(fd, "56789", 5) == 5 && lseek(fd, 0, SEEK_CUR) == 10);
    show(fd);
    int other = open("log", O_WRONLY);
    check(other >= 0 && lseek(other, 10, SEEK_SET) == 10 && write(other, "a", 1) == 1);
    check(lseek(fd, 2, SEEK_SET) == 2);
    cr_point();
    check(write(fd, "b", 0) == 0);
    int still = lseek(fd, 0, SEEK_CUR);
    check(write(fd, "b", 1) == 1);
    show(fd);
    check((fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE)) == (O_APPEND | O_RDWR));
    check(fcntl(fd, F_SETFL, 0) == 0 && (fcntl(fd, F_GETFL) & O_APPEND) == 0);
    check(lseek(fd, 0, SEEK_SET) == 0);
    cr_point();
    check(write(fd, "XY", 2) == 2);
    show(fd);
    say("nothing written at 2: still at %d\n", still);
    return 0;
}
