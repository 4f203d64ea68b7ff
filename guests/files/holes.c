/* Holes: what was never written is zero, in a file, in a mapping, after a file was cut and grew
 * again; a page behind the end is a bus error.
 *
 * prints:
 *     behind the end: size 10003, the hole is zero
 *     cut and grown: zero behind the cut
 *     written through a mapping, then cut: zero again
 *     a mapping behind the end: signal 7
 *     by pwrite: size 20001, the position stays 5
 *     append: at the end, the position 20004
 *     too large: 27, negative: 22 22, read only: 22
 */
#include "guest.h"

static char block[4096];

static int all_zero(int fd, off_t from, size_t n)
{
    while (n) {
        size_t part = n < sizeof block ? n : sizeof block;
        check(pread(fd, block, part, from) == (ssize_t)part);
        for (size_t i = 0; i < part; i++)
            if (block[i])
                return 0;
        from += (off_t)part;
        n -= part;
    }
    return 1;
}

int main(void)
{
    struct stat st;
    int status;
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    check(write(fd, "abc", 3) == 3 && lseek(fd, 10000, SEEK_SET) == 10000);
    check(write(fd, "xyz", 3) == 3 && fstat(fd, &st) == 0);
    say("behind the end: size %d, the hole is %s\n", (int)st.st_size,
        all_zero(fd, 3, 9997) ? "zero" : "not zero");
    check(ftruncate(fd, 2) == 0 && ftruncate(fd, 12000) == 0);
    say("cut and grown: %s behind the cut\n", all_zero(fd, 2, 11998) ? "zero" : "not zero");
    char *map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(map + 5000, 'm', 3000);
    check(pread(fd, block, 1, 7000) == 1 && block[0] == 'm');
    check(ftruncate(fd, 5500) == 0 && ftruncate(fd, 12000) == 0);
    check(map[5499] == 'm');
    say("written through a mapping, then cut: %s again\n",
        all_zero(fd, 5500, 6500) && !map[5500] && !map[7999] ? "zero" : "not zero");
    pid_t pid = fork();
    if (pid == 0) {
        *(volatile char *)(map + 12288) = 1;
        _exit(0);
    }
    check(waitpid(pid, &status, 0) == pid);
    say("a mapping behind the end: signal %d\n", WTERMSIG(status));
    check(lseek(fd, 5, SEEK_SET) == 5 && pwrite(fd, "p", 1, 20000) == 1 && fstat(fd, &st) == 0);
    say("by pwrite: size %d, the position stays %d\n", (int)st.st_size,
        (int)lseek(fd, 0, SEEK_CUR));
    int end = open("file", O_WRONLY | O_APPEND);
    check(write(end, "end", 3) == 3 && pread(fd, block, 3, 20001) == 3);
    check(memcmp(block, "end", 3) == 0);
    say("append: at the end, the position %d\n", (int)lseek(end, 0, SEEK_CUR));
    struct rlimit limit = {30000, 30000};
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = (void (*)(int))1;
    check(sigaction(25, &action, NULL) == 0);
    int large = ftruncate(fd, 30001) < 0 ? errno : 0;
    int negative = ftruncate(fd, -1) < 0 ? errno : 0;
    int by_name = truncate("file", -1) < 0 ? errno : 0;
    int reader = open("file", O_RDONLY);
    say("too large: %d, negative: %d %d, read only: %d\n", large, negative, by_name,
        ftruncate(reader, 1) < 0 ? errno : 0);
    return 0;
}
