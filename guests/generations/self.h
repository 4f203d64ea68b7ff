/* The body of the stories self_vN: a process saves itself, and later another one becomes it.
 *
 * The story has defined take(fd) and become(fd), the two calls as its tree has them. The kernels of
 * 2008 refuse a process that has a device open, so who is saved has let go of the console, and
 * writes to a file. Alone on a machine the two halves are `program take` and `program become`.
 */
#include "guest.h"

#define IMAGE "/tmp/image"
#define REPORT "/tmp/report"

static long take(int fd);
static long become(int fd);

static volatile int counter = 1;
static double part = 1;

static int fresh(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0);
    return fd;
}

static void report(int fd, const char *who, long result)
{
    char line[80];
    int size = snprintf(line, sizeof line, "%s: the call returned %ld, counter is %d, part %d\n", who,
                        result, counter, (int)(part * 4));
    check(write(fd, line, size) == size);
}

static void let_go_of_the_console(void)
{
    for (int fd = 0; fd < 3; fd++)
        close(fd);
}

static int saved(void)
{
    let_go_of_the_console();
    int image = fresh(IMAGE), file = fresh(REPORT);
    check(image == 0 && file == 1);
    part /= 4;
    long result = take(image);
    if (result != 0) {
        counter = 7;
        part = 2;
        report(file, "original", result);
        return result > 0 ? 0 : 1;
    }
    /* Where the original was; it has written nothing before. */
    report(file, "copy", result);
    return 0;
}

static int becoming(void)
{
    let_go_of_the_console();
    int image = open(IMAGE, O_RDONLY);
    check(image >= 0);
    become(image);
    return 1;
}

static void run(int (*half)(void))
{
    char text[200];
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(half());
    check(waitpid(child, &status, 0) == child && status == 0);
    int file = open(REPORT, O_RDONLY);
    ssize_t size = read(file, text, sizeof text - 1);
    check(size > 0);
    text[size] = 0;
    say("%s", text);
    close(file);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return strcmp(argv[1], "take") == 0 ? saved() : becoming();
    run(saved);
    check(truncate(REPORT, 0) == 0);
    run(becoming);
    return 0;
}
