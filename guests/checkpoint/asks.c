/* A process asks whether it can be checkpointed: it can, until it holds a device that nobody can
 * find any more, and again when that is closed.
 *
 * cr: never (what it asks about is refused in between)
 * prints:
 *     files: 1
 *     mm: 1
 *     files: 0 (an open device was unlinked)
 *     mm: 1
 *     checkpointable: 0 (an open device was unlinked)
 *     the call says: EBADF
 *     files: 1
 *     the call says: 1
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1

static char text[4096];

/* The line that begins so. */
static void tell(const char *path, const char *begin)
{
    int fd = open(path, O_RDONLY);
    check(fd >= 0);
    ssize_t size = read(fd, text, sizeof text - 1);
    check(size > 0);
    close(fd);
    text[size] = 0;
    for (char *line = text; *line;) {
        char *end = line;
        while (*end != '\n')
            end++;
        *end = 0;
        if (memcmp(line, begin, strlen(begin)) == 0)
            say("%s\n", line);
        line = end + 1;
    }
}

static void try(void)
{
    int image = open("/tmp/image", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    check(image >= 0);
    long result = raw_syscall(NR_checkpoint, 0, image, CHECKPOINT_SUBTREE, -1, 0, 0);
    close(image);
    if (result == -EBADF)
        say("the call says: EBADF\n");
    else
        say("the call says: %d\n", (int)result);
}

int main(void)
{
    char name[] = "/proc/self/fdinfo/0";
    tell("/proc/self/checkpointable", "files");
    tell("/proc/self/checkpointable", "mm");
    check(raw_syscall(NR_mknod, (long)"/tmp/null", S_IFCHR | 0600, 1 << 8 | 3, 0, 0, 0) == 0);
    int fd = open("/tmp/null", O_RDWR);
    check(fd >= 0 && fd < 10);
    check(unlink("/tmp/null") == 0);
    tell("/proc/self/checkpointable", "files");
    tell("/proc/self/checkpointable", "mm");
    name[sizeof name - 2] += fd;
    tell(name, "checkpointable");
    try();
    close(fd);
    tell("/proc/self/checkpointable", "files");
    try();
    return 0;
}
