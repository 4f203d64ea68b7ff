/* Who may look into a process: its files in /proc when it may not be dumped, and another user's.
 *
 * libc: musl
 * prints:
 *     may be dumped 1: status of 0, descriptors of 0
 *     may be dumped 0: status of 0, directory of 1000, descriptors of 0
 *     its own environment 13, descriptors 0, program 0, mappings 0
 *     may be dumped 1: status of 1000, environment 0
 *     rights and owner do not change: 1 1 1, times may: 0
 *     another user's program 13, directory 13, descriptors 13, mappings 13, environment 13, status 0
 *     and his robust list 1
 */
#include "guest.h"
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <utime.h>

static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

static int opened(const char *name)
{
    int fd = open(name, O_RDONLY), error = error_of(fd);
    if (fd >= 0) {
        char byte;
        error = error_of(read(fd, &byte, 1));
        close(fd);
    }
    return error == EISDIR ? 0 : error;
}

static int linked(const char *name)
{
    char place[100];
    return error_of(readlink(name, place, sizeof place));
}

static unsigned owner(const char *name)
{
    struct stat found;
    check(stat(name, &found) == 0);
    return found.st_uid;
}

static void look_at(pid_t pid)
{
    static const char *const names[] = {"exe", "cwd", "fd", "maps", "environ", "status"};
    int errors[6];
    void *head;
    size_t length;
    for (int i = 0; i < 6; i++) {
        char name[60];
        snprintf(name, sizeof name, "/proc/%d/%s", pid, names[i]);
        errors[i] = i < 2 ? linked(name) : opened(name);
    }
    say("another user's program %d, directory %d, descriptors %d, mappings %d, environment %d, "
        "status %d\n", errors[0], errors[1], errors[2], errors[3], errors[4], errors[5]);
    say("and his robust list %d\n", error_of(syscall(SYS_get_robust_list, pid, &head, &length)));
}

int main(void)
{
    pid_t parent = getpid();
    say("may be dumped %d: status of %u, descriptors of %u\n", prctl(PR_GET_DUMPABLE),
        owner("/proc/self/status"), owner("/proc/self/fd"));
    pid_t pid = fork();
    if (pid == 0) {
        check(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        cr_point();
        say("may be dumped %d: status of %u, directory of %u, descriptors of %u\n",
            prctl(PR_GET_DUMPABLE), owner("/proc/self/status"), owner("/proc/self"),
            owner("/proc/self/fd"));
        say("its own environment %d, descriptors %d, program %d, mappings %d\n",
            opened("/proc/self/environ"), opened("/proc/self/fd"), linked("/proc/self/exe"),
            opened("/proc/self/maps"));
        prctl(PR_SET_DUMPABLE, 1);
        cr_point();
        say("may be dumped %d: status of %u, environment %d\n", prctl(PR_GET_DUMPABLE),
            owner("/proc/self/status"), opened("/proc/self/environ"));
        say("rights and owner do not change: %d %d %d, times may: %d\n",
            error_of(chmod("/proc/self/status", 0600)),
            error_of(chmod("/proc/sys/kernel/hostname", 0600)),
            error_of(chown("/proc/sys/kernel/hostname", 1000, 1000)),
            error_of(utime("/proc/self/status", NULL)));
        look_at(parent);
        _exit(0);
    }
    check(waitpid(pid, NULL, 0) == pid);
    return 0;
}
