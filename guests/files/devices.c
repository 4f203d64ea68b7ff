/* /dev/null swallows and is empty; /dev/zero is endless; both may be mapped or kept open.
 *
 * libc: both
 * prints:
 *     null: wrote 1000, read 0
 *     zero: read 1000 zeroes
 *     mapped zero: zero
 *     both are character devices
 */
#include "guest.h"

int main(void)
{
    static char bytes[1000];
    struct stat status;
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    check(null >= 0 && zero >= 0);
    cr_point();
    int wrote = (int)write(null, bytes, sizeof bytes), got = (int)read(null, bytes, sizeof bytes);
    say("null: wrote %d, read %d\n", wrote, got);
    memset(bytes, 'x', sizeof bytes);
    got = (int)read(zero, bytes, sizeof bytes);
    for (int i = 0; i < got; i++)
        check(bytes[i] == 0);
    say("zero: read %d zeroes\n", got);
    char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    check(area != MAP_FAILED && area[5000] == 0);
    area[100] = 'y';
    cr_point();
    check(area[100] == 'y' && area[5000] == 0);
    say("mapped zero: zero\n");
    check(fstat(null, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev != 0);
    check(fstat(zero, &status) == 0 && S_ISCHR(status.st_mode));
    say("both are character devices\n");
    return 0;
}
