/* A descriptor opened with O_PATH is a place: a start for other paths, and nothing to work with.
 *
 * prints:
 *     the link itself: file
 *     it can be copied, asked for its flags, marked: yes
 *     other calls do not see it: 9 9 9 9 9 9 9
 *     a directory to begin in: data
 *     data and holes: 0 4 6 6
 */
#include "guest.h"

#ifndef O_PATH
#define O_PATH 010000000
#endif
#define SEEK_TO_DATA 3
#define SEEK_TO_HOLE 4

static int problem(long result)
{
    return result == -1 ? errno : 0;
}

int main(void)
{
    char text[8] = "", byte;
    int file = open("file", O_RDWR | O_CREAT, 0644);
    check(write(file, "data", 4) == 4 && symlink("file", "link") == 0);
    int link = open("link", O_PATH | O_NOFOLLOW), copy = dup(link);
    check(link >= 0 && raw_syscall(NR_readlinkat, link, (long)"", (long)text, 8, 0, 0) == 4);
    say("the link itself: %s\n", text);
    cr_point();
    check(copy > link && fcntl(copy, F_SETFD, FD_CLOEXEC) == 0);
    int flags = fcntl(link, F_GETFL), yes = flags & O_PATH && fcntl(copy, F_GETFD) == FD_CLOEXEC;
    say("it can be copied, asked for its flags, marked: %s\n", yes ? "yes" : "no");
    int one = problem(read(link, &byte, 1)), two = problem(fchmod(link, 0600));
    int three = problem(fsync(link)), four = problem(lseek(link, 0, SEEK_SET));
    int five = problem(fcntl(link, F_SETFL, O_APPEND)), six = problem(ftruncate(link, 0));
    void *view = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, link, 0);
    int seven = view == MAP_FAILED ? errno : 0;
    say("other calls do not see it: %d %d %d %d %d %d %d\n", one, two, three, four, five, six,
        seven);
    check(close(link) == 0 && close(copy) == 0);
    int here = open(".", O_PATH | O_DIRECTORY);
    int again = raw_syscall(NR_openat, here, (long)"file", O_RDONLY, 0, 0, 0);
    memset(text, 0, sizeof text);
    check(again >= 0 && read(again, text, 4) == 4);
    say("a directory to begin in: %s\n", text);
    one = lseek(again, 0, SEEK_TO_DATA), two = lseek(again, 1, SEEK_TO_HOLE);
    say("data and holes: %d %d %d %d\n", one, two, problem(lseek(again, 4, SEEK_TO_DATA)),
        problem(lseek(again, 4, SEEK_TO_HOLE)));
    return 0;
}
