/* A working directory that was removed, and the one above it too: both are still there for who is in
 * them, with all they had but names; the way up leads out.
 *
 * prints:
 *     it was inner: 40750, links 0
 *     getcwd: ENOENT
 *     shown as: /place/inner (deleted)
 *     nothing to read: ENOENT
 *     nothing can be made here: ENOENT
 *     the child is here too: yes
 *     changed: 40700
 *     up: 40711, links 0
 *     shown as: /place (deleted)
 *     down: ENOENT
 *     up again: found
 *     the last one: 40755
 *     above is: /living/above
 */
#include "guest.h"

static const char *name_of(long result)
{
    return result == -ENOENT ? "ENOENT" : result >= 0 ? "no error" : "another error";
}

static void mode_of(const char *what, const char *path, int links)
{
    struct stat found;
    check(stat(path, &found) == 0);
    say("%s: %x%x%x%x%x", what, found.st_mode >> 12 & 7, found.st_mode >> 9 & 7,
        found.st_mode >> 6 & 7, found.st_mode >> 3 & 7, found.st_mode & 7);
    if (links)
        say(", links %d", (int)found.st_nlink);
    say("\n");
}

/* The end of what /proc shows as the working directory: where we began is not told. */
static void shown(const char *what, long begin)
{
    static char text[512];
    long length = readlink("/proc/self/cwd", text, sizeof text - 1);
    check(length > begin);
    text[length] = 0;
    say("%s: %s\n", what, text + begin);
}

int main(void)
{
    static char buffer[512], before[512];
    int status;
    long length = raw_syscall(NR_getcwd, (long)before, sizeof before, 0, 0, 0, 0) - 1;
    check(length > 0);
    if (length == 1)
        length = 0; /* "/" */
    check(mkdir("place", 0711) == 0 && mkdir("place/inner", 0750) == 0);
    int there = open("place/inner", O_RDONLY | O_DIRECTORY);
    check(there >= 0 && chdir("place/inner") == 0);
    check(rmdir("../inner") == 0 && rmdir("../../place") == 0);
    cr_point();
    mode_of("it was inner", ".", 1);
    say("getcwd: %s\n",
        name_of(raw_syscall(NR_getcwd, (long)buffer, sizeof buffer, 0, 0, 0, 0)));
    shown("shown as", length);
    int here = open(".", O_RDONLY | O_DIRECTORY);
    check(here >= 0);
    say("nothing to read: %s\n",
        name_of(raw_syscall(NR_getdents64, here, (long)buffer, sizeof buffer, 0, 0, 0)));
    close(here);
    say("nothing can be made here: %s\n", name_of(raw_syscall(NR_mkdir, (long)"x", 0700, 0, 0, 0, 0)));
    pid_t child = fork();
    if (child == 0) {
        struct stat mine, its;
        cr_point();
        check(stat(".", &mine) == 0 && fstat(there, &its) == 0);
        say("the child is here too: %s\n", mine.st_ino == its.st_ino ? "yes" : "no");
        check(chmod(".", 0700) == 0);
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    mode_of("changed", ".", 0);
    close(there);
    check(chdir("..") == 0);
    cr_point();
    mode_of("up", ".", 1);
    shown("shown as", length);
    say("down: %s\n", name_of(raw_syscall(NR_chdir, (long)"inner", 0, 0, 0, 0, 0)));
    check(mkdir("../living", 0700) == 0 && mkdir("../living/above", 0755) == 0);
    check(chdir("..") == 0 && chdir("living") == 0);
    say("up again: %s\n", raw_syscall(NR_access, (long)"above", 0, 0, 0, 0, 0) ? "?" : "found");
    check(mkdir("above/last", 0755) == 0 && chdir("above/last") == 0 && rmdir("../last") == 0);
    cr_point();
    mode_of("the last one", ".", 0);
    check(chdir("..") == 0);
    shown("above is", length);
    return 0;
}
