/* Offsets and sizes: lseek in three ways, pread and pwrite that leave the offset alone, holes,
 * truncate.
 *
 * libc: both
 * prints:
 *     offset 6, size 10
 *     hole: size 5000000007, the byte before is 0
 *     truncated to 4: abcd
 *     grown to 8: the rest is zero
 *     read at the end: 0
 */
#include "guest.h"

int main(void)
{
    char text[16];
    struct stat status;
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0 && write(fd, "abcdefghij", 10) == 10);
    check(lseek(fd, -4, SEEK_END) == 6 && lseek(fd, -2, SEEK_CUR) == 4);
    check(lseek(fd, -5, SEEK_CUR) == -1 && errno == EINVAL);
    check(read(fd, text, 2) == 2 && memcmp(text, "ef", 2) == 0);
    cr_point();
    check(pread(fd, text, 3, 7) == 3 && memcmp(text, "hij", 3) == 0);
    check(pwrite(fd, "B", 1, 1) == 1 && pwrite(fd, "b", 1, 1) == 1);
    check(lseek(fd, 0, SEEK_CUR) == 6 && fstat(fd, &status) == 0);
    say("offset 6, size %lld\n", (long long)status.st_size);
    check(pwrite(fd, "far", 3, 5000000004LL) == 3);
    check(pread(fd, text, 2, 5000000003LL) == 2 && text[1] == 'f');
    check(fstat(fd, &status) == 0);
    say("hole: size %lld, the byte before is %d\n", (long long)status.st_size, text[0]);
    check(lseek(fd, 5000000000LL, SEEK_SET) == 5000000000LL);
    check(ftruncate(fd, 10) == 0);
    cr_point();
    check(lseek(fd, 0, SEEK_CUR) == 5000000000LL && truncate("file", 4) == 0);
    memset(text, 0, sizeof text);
    check(pread(fd, text, sizeof text, 0) == 4);
    say("truncated to 4: %s\n", text);
    check(ftruncate(fd, 8) == 0);
    cr_point();
    check(pread(fd, text, sizeof text, 0) == 8 && memcmp(text, "abcd\0\0\0\0", 8) == 0);
    say("grown to 8: the rest is zero\n");
    say("read at the end: %d\n", (int)read(fd, text, 1));
    return 0;
}
