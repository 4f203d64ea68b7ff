/* /proc: a program reads its own environment, limits and auxiliary vector, and looks at the machine.
 *
 * prints:
 *     GUEST=story is in environ
 *     Max open files is in limits
 *     the page size is in auxv
 *     MemTotal: is in meminfo
 *     processor is in cpuinfo
 *     btime is in stat
 *     loadavg has five fields
 */
#include "guest.h"

static char text[65536];

static size_t slurp(const char *path)
{
    size_t size = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY);
    check(fd >= 0);
    while ((n = read(fd, text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    close(fd);
    text[size] = 0;
    return size;
}

static int has(const char *part, size_t size)
{
    for (size_t at = 0; at + strlen(part) <= size; at++)
        if (memcmp(text + at, part, strlen(part)) == 0)
            return 1;
    return 0;
}

static void expect(const char *path, const char *part, const char *name)
{
    check(has(part, slurp(path)));
    say("%s is in %s\n", part, name);
}

int main(void)
{
    expect("/proc/self/environ", "GUEST=story", "environ");
    expect("/proc/self/limits", "Max open files", "limits");
    size_t size = slurp("/proc/self/auxv");
    unsigned long *pair = (unsigned long *)text, page_size = 0;
    for (size_t i = 0; i + 1 < size / sizeof *pair; i += 2)
        if (pair[i] == AT_PAGESZ)
            page_size = pair[i + 1];
    check(page_size == getauxval(AT_PAGESZ));
    say("the page size is in auxv\n");
    expect("/proc/meminfo", "MemTotal:", "meminfo");
    expect("/proc/cpuinfo", "processor", "cpuinfo");
    expect("/proc/stat", "btime", "stat");
    int fields = 1;
    for (size = slurp("/proc/loadavg"); size > 0; size--)
        fields += text[size - 1] == ' ';
    check(fields == 5);
    say("loadavg has five fields\n");
    return 0;
}
