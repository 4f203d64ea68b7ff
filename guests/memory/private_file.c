/* A private mapping of a file: writes copy the page and never reach the file.
 *
 * libc: both
 * prints:
 *     mapped: page one
 *     after writing: Page ONE
 *     the file says: page one
 *     the rest of the last page is zero
 */
#include "guest.h"

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    char text[16];
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0);
    check(pwrite(fd, "page zero", 9, 0) == 9);
    check(pwrite(fd, "page one", 8, (off_t)page) == 8);
    char *area = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(area != MAP_FAILED);
    char *one = mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, (off_t)page);
    check(one != MAP_FAILED);
    say("mapped: %s\n", one);
    cr_point();
    area[page] = 'P';
    memcpy(area + page + 5, "ONE", 3);
    cr_point();
    say("after writing: %s\n", area + page);
    check(strcmp(one, "page one") == 0);
    memset(text, 0, sizeof text);
    check(pread(fd, text, 8, (off_t)page) == 8);
    say("the file says: %s\n", text);
    check(close(fd) == 0);
    cr_point();
    check(strcmp(area, "page zero") == 0 && strcmp(area + page, "Page ONE") == 0);
    for (size_t i = 8; i < page; i++)
        check(area[page + i] == 0);
    say("the rest of the last page is zero\n");
    return 0;
}
