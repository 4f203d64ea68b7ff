/* memfd_create: a file without a name, that another process can have too; what is sealed can
 * never be changed again.
 *
 * prints:
 *     /memfd:notes (deleted)
 *     size 8192, links 0, mode 777
 *     a child has written
 *     seals 0, then 6
 *     grow: EPERM, shrink: EPERM, write: ok
 *     mapped to write: EBUSY
 *     sealed: write EPERM, map EPERM, map to read ok
 *     no more seals: EPERM
 *     not asked for: seals 1, EPERM
 *     wrong: EINVAL EINVAL EFAULT EINVAL
 */
#include "guest.h"

enum { SEALING = 2, SEAL_SEAL = 1, SEAL_SHRINK = 2, SEAL_GROW = 4, SEAL_WRITE = 8 };
enum { ADD_SEALS = 1033, GET_SEALS = 1034 };

static int make(const char *name, int flags)
{
    long fd = raw_syscall(NR_memfd_create, (long)name, flags, 0, 0, 0, 0);
    errno = fd < 0 ? (int)-fd : 0;
    return fd < 0 ? -1 : (int)fd;
}

static const char *problem(int ok)
{
    return ok ? "ok" : errno == EPERM ? "EPERM" : errno == EINVAL ? "EINVAL"
         : errno == EBUSY ? "EBUSY" : errno == EFAULT ? "EFAULT" : "another";
}

int main(void)
{
    char text[64], name[300];
    struct stat st;
    int status;
    int fd = make("notes", SEALING);
    check(fd >= 0);
    snprintf(text, sizeof text, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(text, name, sizeof name - 1);
    check(size > 0);
    name[size] = 0;
    say("%s\n", name);
    check(ftruncate(fd, 8192) == 0 && fstat(fd, &st) == 0);
    say("size %d, links %d, mode %o\n", (int)st.st_size, (int)st.st_nlink, st.st_mode & 0777);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(shared != MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        int again = open(text, O_RDWR);
        check(again >= 0 && pwrite(again, "child", 5, 4094) == 5);
        _exit(0);
    }
    check(waitpid(pid, &status, 0) == pid && status == 0);
    check(memcmp(shared + 4094, "child", 5) == 0);
    say("a child has written\n");
    int before = fcntl(fd, GET_SEALS);
    check(fcntl(fd, ADD_SEALS, SEAL_SHRINK | SEAL_GROW) == 0);
    say("seals %d, then %d\n", before, fcntl(fd, GET_SEALS));
    const char *grow = problem(ftruncate(fd, 8193) == 0);
    const char *shrink = problem(ftruncate(fd, 1) == 0);
    say("grow: %s, shrink: %s, write: %s\n", grow, shrink, problem(pwrite(fd, "w", 1, 0) == 1));
    say("mapped to write: %s\n", problem(fcntl(fd, ADD_SEALS, SEAL_WRITE) == 0));
    check(munmap(shared, 8192) == 0 && fcntl(fd, ADD_SEALS, SEAL_WRITE) == 0);
    const char *written = problem(pwrite(fd, "w", 1, 0) == 1);
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const char *mapped = problem(map != MAP_FAILED);
    map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    say("sealed: write %s, map %s, map to read %s\n", written, mapped, problem(map != MAP_FAILED));
    check(fcntl(fd, ADD_SEALS, SEAL_SEAL) == 0);
    say("no more seals: %s\n", problem(fcntl(fd, ADD_SEALS, SEAL_GROW) == 0));
    int other = make("other", 0);
    int seals = fcntl(other, GET_SEALS);
    say("not asked for: seals %d, %s\n", seals, problem(fcntl(other, ADD_SEALS, SEAL_GROW) == 0));
    const char *flags = problem(make("x", 0x40) >= 0);
    memset(name, 'n', 250);
    name[250] = 0;
    const char *length = problem(make(name, 0) >= 0);
    const char *fault = problem(make((char *)16, 0) >= 0);
    check(pipe((int *)text) == 0);
    say("wrong: %s %s %s %s\n", flags, length, fault,
        problem(fcntl(((int *)text)[0], GET_SEALS) >= 0));
    return 0;
}
