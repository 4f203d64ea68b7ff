/* Bad pointers: each call that is given one says EFAULT, and has done nothing.
 *
 * prints:
 *     to read: 14 14 14 14
 *     to write: 14 14 14 14 14 14
 *     paths: 14 14 14 14 14 14
 *     half a structure: 14 14
 *     half a buffer: 100
 *     nothing is open, nothing was made
 *     the byte is still in the pipe: x
 */
#include "guest.h"

#define BAD ((long)16)

static int call(long nr, long a, long b, long c, long d)
{
    return (int)-raw_syscall(nr, a, b, c, d, 0, 0);
}

int main(void)
{
    int ends[2];
    struct stat st;
    char byte;
    check(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    int file = open("file", O_RDWR | O_CREAT, 0644);
    int one = call(NR_write, file, BAD, 5, 0), two = call(NR_writev, file, BAD, 2, 0);
    int three = call(NR_setitimer, 0, BAD, 0, 0);
    say("to read: %d %d %d %d\n", one, two, three, call(NR_nanosleep, BAD, 0, 0, 0));
    one = call(NR_read, ends[0], BAD, 1, 0);
    two = call(NR_pipe2, BAD, 0, 0, 0);
    three = call(NR_uname, BAD, 0, 0, 0);
    int four = call(NR_clock_gettime, 1, BAD, 0, 0), five = call(NR_getcwd, BAD, 4000, 0, 0);
    say("to write: %d %d %d %d %d %d\n", one, two, three, four, five,
        call(NR_rt_sigprocmask, 0, 0, BAD, 8));
    one = call(NR_chdir, BAD, 0, 0, 0);
    two = call(NR_mkdir, BAD, 0755, 0, 0);
    three = call(NR_unlink, BAD, 0, 0, 0);
    four = call(NR_rename, (long)"file", BAD, 0, 0);
    five = call(NR_readlink, BAD, (long)&byte, 1, 0);
    say("paths: %d %d %d %d %d %d\n", one, two, three, four, five, call(NR_access, BAD, 0, 0, 0));
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(pages != MAP_FAILED && munmap(pages + 4096, 4096) == 0);
    long edge = (long)pages + 4096;
    memset(pages, 'e', 4096);
    one = call(NR_pipe2, edge - 4, 0, 0, 0);
    two = call(NR_rt_sigaction, SIGUSR1, edge - 4, 0, 8);
    say("half a structure: %d %d\n", one, two);
    say("half a buffer: %d\n", (int)raw_syscall(NR_write, file, edge - 100, 200, 0, 0, 0));
    check(fcntl(ends[1] + 2, F_GETFD) == -1 && errno == EBADF);
    check(stat("file", &st) == 0 && st.st_size == 100);
    say("nothing is open, nothing was made\n");
    check(read(ends[0], &byte, 1) == 1);
    say("the byte is still in the pipe: %c\n", byte);
    return 0;
}
