/* Copies a generated file of 300 KB in odd chunks and compares the two.
 *
 * libc: both
 * prints:
 *     generated
 *     copied
 *     307200 bytes in 35 chunks are equal, sum 844eadc
 */
#include "guest.h"

enum { TOTAL = 300 * 1024, CHUNK = 7777 };
static unsigned char out[16384], one[9001], two[9001];

static void generate(const char *path)
{
    uint32_t x = 20100506;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0);
    for (int done = 0; done < TOTAL;) {
        int n = TOTAL - done < (int)sizeof out ? TOTAL - done : (int)sizeof out;
        for (int i = 0; i < n; i += 4) {
            x = x * 1664525u + 1013904223u;
            out[i] = (unsigned char)(x >> 24);
            out[i + 1] = out[i + 3] = (unsigned char)(x >> 16);
        }
        check(write(fd, out, (size_t)n) == n);
        done += n;
    }
    check(close(fd) == 0);
}

static void copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY), dest = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ssize_t n;
    check(in >= 0 && dest >= 0);
    while ((n = read(in, one, CHUNK)) > 0)
        check(write(dest, one, (size_t)n) == n);
    check(n == 0 && close(in) == 0 && close(dest) == 0);
}

int main(void)
{
    uint32_t sum = 2166136261u;
    int chunks = 0, total = 0;
    generate("original");
    say("generated\n");
    cr_point();
    copy("original", "copy");
    say("copied\n");
    cr_point();
    int a = open("original", O_RDONLY), b = open("copy", O_RDONLY);
    for (;; chunks++) {
        ssize_t n = read(a, one, sizeof one);
        check(read(b, two, sizeof two) == n);
        if (n <= 0)
            break;
        check(memcmp(one, two, (size_t)n) == 0);
        for (ssize_t i = 0; i < n; i += 97)
            sum = fold(sum, one + i, 1);
        total += (int)n;
    }
    check(total == TOTAL);
    say("%d bytes in %d chunks are equal, sum %x\n", total, chunks, (unsigned)sum);
    return 0;
}
