/* A root directory that was removed: who has it can go nowhere, and still is there.
 *
 * prints:
 *     root: mode 40711, links 0
 *     the same place: yes, above it too: yes
 *     getcwd: ENOENT
 *     nothing is there, nothing can be made: ENOENT ENOENT
 *     a descriptor leads out: yes
 *     and the way back: /
 */
#include "guest.h"

static const char *name_of(long result)
{
    return result == -ENOENT ? "ENOENT" : result >= 0 ? "no error" : "another error";
}

static long call(long nr, long a, long b, long c)
{
    return raw_syscall(nr, a, b, c, 0, 0, 0);
}

static void jailed(int inside, int removed, int outside)
{
    static char buffer[512];
    struct stat root, found;
    char byte;
    check(call(NR_chroot, (long)"jail", 0, 0) == 0 && chdir("/") == 0);
    check(write(inside, "x", 1) == 1 && read(removed, &byte, 1) == 1);
    cr_point();
    check(stat("/", &root) == 0);
    say("root: mode %x%x%x%x%x, links %d\n", root.st_mode >> 12 & 7, root.st_mode >> 9 & 7,
        root.st_mode >> 6 & 7, root.st_mode >> 3 & 7, root.st_mode & 7, (int)root.st_nlink);
    check(stat(".", &found) == 0);
    say("the same place: %s, ", found.st_ino == root.st_ino ? "yes" : "no");
    check(stat("/../..", &found) == 0);
    say("above it too: %s\n", found.st_ino == root.st_ino ? "yes" : "no");
    say("getcwd: %s\n", name_of(call(NR_getcwd, (long)buffer, sizeof buffer, 0)));
    say("nothing is there, nothing can be made: %s ", name_of(call(NR_access, (long)"/x", 0, 0)));
    say("%s\n", name_of(call(NR_mkdir, (long)"/x", 0700, 0)));
    check(fchdir(outside) == 0);
    cr_point();
    say("a descriptor leads out: %s\n", call(NR_access, (long)"sign", 0, 0) == 0 ? "yes" : "no");
    check(chdir("/") == 0 && stat(".", &found) == 0 && found.st_ino == root.st_ino);
    say("and the way back: /\n");
    _exit(0);
}

int main(void)
{
    int status, tell[2], inside[2];
    char byte;
    check(mkdir("jail", 0711) == 0 && mkdir("sign", 0700) == 0 && pipe(tell) == 0);
    check(pipe(inside) == 0);
    int outside = open(".", O_RDONLY | O_DIRECTORY);
    check(outside >= 0);
    pid_t child = fork();
    if (child == 0)
        jailed(inside[1], tell[0], outside);
    check(read(inside[0], &byte, 1) == 1 && rmdir("jail") == 0);
    check(write(tell[1], "x", 1) == 1);
    check(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
