/* A shared mapping of a file: a write through memory reaches read(), and a write() reaches memory.
 *
 * libc: both
 * prints:
 *     read() sees: WRITTEN in memory
 *     memory sees: WRITTEN by pwrite
 *     two mappings see each other
 *     after unmapping, the file says: WRITTEN By pwrite
 */
#include "guest.h"

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    char text[32];
    memset(text, 0, sizeof text);
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0);
    check(write(fd, "written in memory", 17) == 17 && ftruncate(fd, (off_t)(3 * page)) == 0);
    char *area = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(area != MAP_FAILED);
    cr_point();
    memcpy(area, "WRITTEN", 7);
    area[2 * page] = 'x';
    cr_point();
    check(pread(fd, text, 17, 0) == 17);
    say("read() sees: %s\n", text);
    check(pread(fd, text + 20, 1, (off_t)(2 * page)) == 1 && text[20] == 'x');
    check(pwrite(fd, "by pwrite", 10, 8) == 10);
    cr_point();
    say("memory sees: %s\n", area);
    char *again = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(again != MAP_FAILED && again != area);
    cr_point();
    again[8] = 'B';
    check(area[8] == 'B');
    area[page - 1] = 'e';
    check(again[page - 1] == 'e');
    say("two mappings see each other\n");
    check(msync(area, page, MS_SYNC) == 0 && munmap(area, 3 * page) == 0);
    check(munmap(again, page) == 0);
    check(pread(fd, text, 18, 0) == 18);
    say("after unmapping, the file says: %s\n", text);
    return 0;
}
