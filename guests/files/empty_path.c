/* AT_EMPTY_PATH: a descriptor is the file itself, even one that is only a place (O_PATH).
 *
 * prints:
 *     a new owner: 0, 5 6
 *     without the flag: 2
 *     the current directory: 0, 7 8
 *     a pipe: 0, 9 10
 *     as another user: 1
 *     a second name: 0, 2 names
 *     a name for a pipe: 18, for a file without one: 2, for a directory: 1
 *     an unknown flag: 22 22
 */
#include "guest.h"

#ifndef O_PATH
#define O_PATH 010000000
#endif
enum { NR_fchownat = GUEST_COLUMN(298, 260, 289, 289) };
enum { EMPTY = 0x1000, UNKNOWN = 0x4000, CWD = -100 };

static struct stat st;

static long own(int fd, long uid, long gid, long flags)
{
    return -raw_syscall(NR_fchownat, fd, (long)"", uid, gid, flags, 0);
}

static long name(int fd, const char *to, long flags)
{
    return -raw_syscall(NR_linkat, fd, (long)"", CWD, (long)to, flags, 0);
}

int main(void)
{
    int ends[2], status, file = open("file", O_RDWR | O_CREAT, 0644);
    check(file >= 0 && close(file) == 0 && pipe(ends) == 0);
    int place = open("file", O_PATH);
    cr_point();
    long error = own(place, 5, 6, EMPTY);
    check(stat("file", &st) == 0);
    say("a new owner: %ld, %d %d\n", error, (int)st.st_uid, (int)st.st_gid);
    say("without the flag: %ld\n", own(place, 5, 6, 0));
    error = own(CWD, 7, 8, EMPTY);
    check(stat(".", &st) == 0);
    say("the current directory: %ld, %d %d\n", error, (int)st.st_uid, (int)st.st_gid);
    error = own(ends[0], 9, 10, EMPTY);
    check(fstat(ends[0], &st) == 0);
    say("a pipe: %ld, %d %d\n", error, (int)st.st_uid, (int)st.st_gid);
    pid_t pid = fork();
    if (pid == 0) {
        check(raw_syscall(NR_setuid, 12345, 0, 0, 0, 0, 0) == 0);
        say("as another user: %ld\n", own(place, 12345, 6, EMPTY));
        _exit(0);
    }
    check(waitpid(pid, &status, 0) == pid && status == 0);
    error = name(place, "second", EMPTY);
    check(stat("file", &st) == 0);
    say("a second name: %ld, %d names\n", error, (int)st.st_nlink);
    check(unlink("file") == 0 && unlink("second") == 0);
    cr_point();
    say("a name for a pipe: %ld, ", name(ends[0], "third", EMPTY));
    say("for a file without one: %ld, ", name(place, "third", EMPTY));
    say("for a directory: %ld\n", name(CWD, "third", EMPTY));
    say("an unknown flag: %ld %ld\n", own(place, 5, 6, UNKNOWN), name(place, "third", UNKNOWN));
    return 0;
}
