/* Takes as much of one thing as there is, and says how the kernel ends it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[1 << 20];

static int tasks(void)
{
    int count = 0;
    pid_t child, first = 0;
    while ((child = fork()) > 0 && ++count)
        first = first ? first : child;
    if (child == 0) {
        pause();
        _exit(0);
    }
    int why = errno;
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(NULL) > 0)
        ;
    errno = why;
    return count;
}

static int files(void)
{
    int count = 0;
    while (open("/dev/null", O_RDONLY) >= 0)
        count++;
    return count;
}

static int mappings(void)
{
    int count = 0;
    while (mmap(NULL, 4096, count % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        count++;
    return count;
}

static int disk(void)
{
    int count = 0, fd = open("/big", O_CREAT | O_RDWR, 0600);
    while (write(fd, block, sizeof block) == sizeof block)
        count++;
    return count;
}

static int memory(void)
{
    for (;;) {
        char *more = mmap(NULL, sizeof block, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED)
            return 0;
        memset(more, 1, sizeof block);
    }
}

/* The kernel itself brings the pages in. */
static int copies(void)
{
    int zeros = open("/dev/zero", O_RDONLY);
    for (;;) {
        char *more = mmap(NULL, sizeof block, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED || read(zeros, more, sizeof block) < 0)
            return 0;
    }
}

int main(int argc, char **argv)
{
    int (*const all[])(void) = {tasks, files, mappings, disk, memory, copies};
    int count = all[argc > 1 ? argv[1][0] - '0' : 0]();
    printf("%d: %s\n", count, strerror(errno));
    return 0;
}
