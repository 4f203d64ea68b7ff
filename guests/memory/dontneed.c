/* madvise(MADV_DONTNEED) takes the pages away: private memory is zero again, a file shows through.
 *
 * libc: both
 * prints:
 *     anonymous: zero again
 *     private file: the file again
 */
#include "guest.h"

int main(void)
{
    size_t page = getauxval(AT_PAGESZ);
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    check(fd >= 0 && write(fd, "file", 5) == 5);
    char *plain = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *file = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check(plain != MAP_FAILED && file != MAP_FAILED);
    plain[0] = plain[page] = 'x';
    file[0] = 'F';
    cr_point();
    check(madvise(plain, page, MADV_DONTNEED) == 0 && madvise(file, page, MADV_DONTNEED) == 0);
    cr_point();
    check(plain[0] == 0 && plain[page] == 'x');
    say("anonymous: zero again\n");
    check(strcmp(file, "file") == 0);
    say("private file: the file again\n");
    return 0;
}
