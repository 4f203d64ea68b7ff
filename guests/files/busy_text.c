/* A program that runs cannot be written (ETXTBSY), and what can be written cannot be run.
 *
 * libc: both
 * order: any
 * prints:
 *     open for writing: execve says ETXTBSY
 *     running: open says ETXTBSY
 *     running: truncate says ETXTBSY
 *     running: reading is allowed, 1
 *     a fork of it runs too: ETXTBSY
 *     at its end it can be written
 */
#include "guest.h"

static const char *problem(int result)
{
    return result >= 0 ? "none" : errno == ETXTBSY ? "ETXTBSY" : "another";
}

static void copy_program(void)
{
    static char bytes[65536];
    ssize_t n;
    int from = open("/proc/self/exe", O_RDONLY), to = open("copy", O_WRONLY | O_CREAT, 0755);
    check(from >= 0 && to >= 0);
    while ((n = read(from, bytes, sizeof bytes)) > 0)
        check(write(to, bytes, n) == n);
    check(n == 0 && close(from) == 0 && close(to) == 0);
}

/* The copy: tells that it runs, forks a child that stays, ends; the child ends with its input. */
static int be_the_copy(void)
{
    char byte;
    check(write(3, "r", 1) == 1 && read(4, &byte, 1) == 1);
    if (fork() != 0)
        return 0;
    check(write(3, "f", 1) == 1 && read(4, &byte, 1) == 1);
    return 0;
}

int main(int argc, char **argv)
{
    static char *arguments[] = {"copy", "run", NULL};
    int up[2], down[2], status;
    char byte;
    if (argc > 1 && strcmp(argv[1], "run") == 0)
        return be_the_copy();
    copy_program();
    int writer = open("copy", O_WRONLY);
    check(execve("copy", arguments, environ) == -1);
    say("open for writing: execve says %s\n", problem(-1));
    check(close(writer) == 0 && pipe(up) == 0 && pipe(down) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        check(dup2(up[1], 10) == 10 && dup2(down[0], 11) == 11);
        check(dup2(10, 3) == 3 && dup2(11, 4) == 4);
        for (int fd = 5; fd < 12; fd++)
            close(fd);
        execve("copy", arguments, environ);
        _exit(1);
    }
    check(close(up[1]) == 0 && read(up[0], &byte, 1) == 1 && byte == 'r');
    say("running: open says %s\n", problem(open("copy", O_RDWR)));
    say("running: truncate says %s\n", problem(truncate("copy", 0)));
    say("running: reading is allowed, %d\n", open("copy", O_RDONLY) > 0);
    check(write(down[1], "g", 1) == 1);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    check(read(up[0], &byte, 1) == 1 && byte == 'f');
    say("a fork of it runs too: %s\n", problem(open("copy", O_WRONLY)));
    check(write(down[1], "g", 1) == 1);
    check(read(up[0], &byte, 1) == 0);
    struct timespec time = {0, 20000000};
    nanosleep(&time, NULL);
    writer = open("copy", O_WRONLY | O_TRUNC);
    check(writer >= 0);
    say("at its end it can be written\n");
    return 0;
}
