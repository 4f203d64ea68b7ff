/* inotify watches a file that is unlinked and a directory that is removed, which somebody has open:
 * both are told of until they are closed; and a removed directory that two processes are in.
 *
 * prints:
 *     unlinked: 4 of 1
 *     written: 20 of 2
 *     written: 2 of 1
 *     written: 10 of 2
 *     closed: 8 of 1
 *     closed: 400 of 1
 *     closed: 8000 of 1
 *     closed: 10 of 2
 *     closed: 400 of 2
 *     closed: 8000 of 2
 *     home is removed: nothing
 *     one has left: nothing
 *     both have left: 400 of 3
 *     both have left: 8000 of 3
 */
#include "guest.h"

static int watching;

static void tell(const char *when)
{
    static char events[1024];
    long count = read(watching, events, sizeof events);
    if (count < 0 && errno == EAGAIN)
        say("%s: nothing\n", when);
    for (long at = 0; at < count;) {
        unsigned int *event = (unsigned int *)(events + at);
        say("%s: %x of %u\n", when, event[1] & 0xffff, event[0]);
        at += 16 + event[3];
    }
}

static void watch(const char *path)
{
    check(raw_syscall(NR_inotify_add_watch, watching, (long)path, 0xfff, 0, 0, 0) > 0);
}

int main(void)
{
    int status, stay[2];
    char byte;
    watching = (int)raw_syscall(NR_inotify_init1, O_NONBLOCK, 0, 0, 0, 0, 0);
    check(watching >= 0 && mkdir("gone", 0755) == 0);
    int file = open("file", O_RDWR | O_CREAT, 0600);
    int folder = open("gone", O_RDONLY | O_DIRECTORY);
    check(file >= 0 && folder >= 0);
    watch("file");
    watch("gone");
    check(unlink("file") == 0);
    tell("unlinked");
    check(rmdir("gone") == 0);
    cr_point();
    int again = (int)raw_syscall(NR_openat, folder, (long)".", O_RDONLY | O_DIRECTORY, 0, 0, 0);
    check(again >= 0 && write(file, "x", 1) == 1);
    close(again);
    tell("written");
    cr_point();
    close(file);
    close(folder);
    tell("closed");
    check(mkdir("home", 0755) == 0 && pipe(stay) == 0);
    watch("home");
    check(chdir("home") == 0);
    pid_t child = fork();
    if (child == 0) {
        close(stay[1]);
        check(read(stay[0], &byte, 1) == 0);
        _exit(0);
    }
    check(rmdir("../home") == 0);
    tell("home is removed");
    cr_point();
    check(chdir("..") == 0);
    tell("one has left");
    cr_point();
    close(stay[1]);
    check(waitpid(child, &status, 0) == child && status == 0);
    tell("both have left");
    return 0;
}
