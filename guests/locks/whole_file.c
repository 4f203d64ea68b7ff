/* flock: the lock belongs to the open file, whoever has a descriptor of it; sharing, waiting,
 * changing its kind, and the end of it with the last descriptor.
 *
 * order: any
 * prints:
 *     a second open file: EAGAIN
 *     shared by two, but not exclusive: EAGAIN
 *     a record lock does not mind
 *     the child has waited
 *     the child's copy keeps it: EAGAIN
 *     with the last copy it is gone
 *     wrong: EINVAL EBADF
 *     neither read nor written: EBADF none
 */
#include "guest.h"

enum { SH = 1, EX = 2, NB = 4, UN = 8 };

static int flock_of(int fd, int operation)
{
    long result = raw_syscall(NR_flock, fd, operation, 0, 0, 0, 0);
    if (result == 0)
        return 0;
    errno = (int)-result;
    return -1;
}

static const char *problem(int result)
{
    return result == 0 ? "none" : errno == EAGAIN ? "EAGAIN" : errno == EINVAL ? "EINVAL"
         : errno == EBADF ? "EBADF" : "another";
}

static void nap(int ms)
{
    struct timespec time = {0, ms * 1000000l};
    nanosleep(&time, NULL);
}

int main(void)
{
    int status, ends[2];
    char byte;
    int one = open("f", O_RDWR | O_CREAT, 0644), two = open("f", O_RDONLY);
    check(one >= 0 && two >= 0 && flock_of(one, EX) == 0 && flock_of(one, EX | NB) == 0);
    say("a second open file: %s\n", problem(flock_of(two, SH | NB)));
    check(flock_of(one, SH) == 0 && flock_of(two, SH) == 0);
    say("shared by two, but not exclusive: %s\n", problem(flock_of(two, EX | NB)));
    struct flock record;
    memset(&record, 0, sizeof record);
    record.l_type = F_WRLCK;
    check(fcntl(one, F_SETLK, &record) == 0);
    say("a record lock does not mind\n");
    check(flock_of(two, UN) == 0 && flock_of(one, EX) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        int mine = open("f", O_RDONLY);
        check(flock_of(mine, SH) == 0);
        say("the child has waited\n");
        _exit(0);
    }
    nap(20);
    check(flock_of(one, UN) == 0);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    check(flock_of(one, EX) == 0 && pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        check(close(ends[1]) == 0 && read(ends[0], &byte, 1) == 0);
        _exit(0);
    }
    check(close(one) == 0);
    say("the child's copy keeps it: %s\n", problem(flock_of(two, EX | NB)));
    check(close(ends[1]) == 0 && flock_of(two, EX) == 0);
    say("with the last copy it is gone\n");
    check(waitpid(pid, &status, 0) == pid && status == 0);
    const char *none = problem(flock_of(two, 0));
    say("wrong: %s %s\n", none, problem(flock_of(77, SH)));
    int neither = open("locked", O_CREAT | 3, 0644);
    none = problem(flock_of(neither, EX));
    say("neither read nor written: %s %s\n", none, problem(flock_of(neither, UN)));
    return 0;
}
