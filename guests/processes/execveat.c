/* execveat: a program that is named relative to a directory, or by nothing but an open file.
 *
 * prints:
 *     first
 *     through a directory: 3
 *     through an open file: 4
 *     a symbolic link: ELOOP
 *     wrong: EINVAL ENOENT EACCES EBADF
 */
#include "guest.h"

enum { AT_CWD = -100, NOFOLLOW = 0x100, EMPTY = 0x1000 };

static long execveat(int dir, const char *path, const char *number, int flags)
{
    char *arguments[] = {"again", (char *)number, NULL};
    return raw_syscall(NR_execveat, dir, (long)path, (long)arguments, (long)environ, flags, 0);
}

static int in_child(int dir, const char *path, const char *number, int flags)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execveat(dir, path, number, flags);
        _exit(99);
    }
    check(waitpid(pid, &status, 0) == pid);
    return WEXITSTATUS(status);
}

static const char *problem(long result)
{
    return result == -EINVAL ? "EINVAL" : result == -ENOENT ? "ENOENT" : result == -EBADF ? "EBADF"
         : result == -EACCES ? "EACCES" : result == -ELOOP ? "ELOOP" : "another";
}

static void copy_program(void)
{
    static char part[4096];
    ssize_t size;
    int from = open("/proc/self/exe", O_RDONLY), to = open("d/copy", O_WRONLY | O_CREAT, 0755);
    check(from >= 0 && to >= 0);
    while ((size = read(from, part, sizeof part)) > 0)
        check(write(to, part, (size_t)size) == size);
    check(close(from) == 0 && close(to) == 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return atoi(argv[1]);
    say("first\n");
    check(mkdir("d", 0755) == 0);
    copy_program();
    int dir = open("d", O_RDONLY | O_DIRECTORY);
    say("through a directory: %d\n", in_child(dir, "copy", "3", 0));
    int file = open("d/copy", O_RDONLY);
    say("through an open file: %d\n", in_child(file, "", "4", EMPTY));
    check(symlink("copy", "d/link") == 0);
    say("a symbolic link: %s\n", problem(execveat(dir, "link", "5", NOFOLLOW)));
    const char *flags = problem(execveat(dir, "copy", "5", 1));
    const char *empty = problem(execveat(file, "", "5", 0));
    check(chmod("d/copy", 0644) == 0);
    const char *mode = problem(execveat(dir, "copy", "5", 0));
    say("wrong: %s %s %s %s\n", flags, empty, mode, problem(execveat(99, "copy", "5", 0)));
    return 0;
}
