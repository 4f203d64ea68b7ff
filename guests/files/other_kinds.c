/* Calls for regular files, on files of other kinds.
 *
 * libc: musl
 * prints:
 *     fsync: 22 22 22 0
 *     advice: 29 22 0
 *     room: 29 19 19
 *     a device where a name is: 17, in a folder of root's: 13
 *     sendfile: 29 22 9
 *     vmsplice: 0 22 9
 *     signals for a file that has none: 14 25 0
 *     a lease: 22 22
 *     blocks of a file 4096, of /proc 1024
 */
#define _GNU_SOURCE
#include "guest.h"
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

enum { FIGETBSZ = _IO(0, 2) };

static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

int main(void)
{
    int ends[2], pair[2], on = 1, off = 0;
    off_t offset = 0;
    check(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    int text = open("/proc/self/status", O_RDONLY), folder = open("/proc/self", O_RDONLY);
    int file = open("file", O_CREAT | O_RDWR, 0666), null = open("/dev/null", O_RDWR);
    say("fsync: %d %d %d %d\n", error_of(fsync(text)), error_of(fsync(folder)),
        error_of(fsync(ends[0])), error_of(fsync(file)));
    say("advice: %d %d %d\n", error_of(posix_fadvise(ends[0], 0, 0, 99)),
        error_of(posix_fadvise(pair[0], 0, 0, 99)),
        error_of(posix_fadvise(pair[0], 0, 0, POSIX_FADV_WILLNEED)));
    say("room: %d %d %d\n", error_of(fallocate(ends[1], 0, 0, 10)),
        error_of(fallocate(pair[0], 0, 0, 10)), error_of(fallocate(null, 0, 0, 10)));
    cr_point();
    check(mkdir("mine", 0777) == 0 && chmod("mine", 0755) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        check(setgid(1000) == 0 && setuid(1000) == 0);
        say("a device where a name is: %d, in a folder of root's: %d\n",
            error_of(mknod("file", S_IFCHR | 0600, makedev(1, 3))),
            error_of(mknod("mine/new", S_IFIFO | 0600, 0)));
        _exit(0);
    }
    check(waitpid(pid, NULL, 0) == pid);
    say("sendfile: %d %d %d\n", error_of(sendfile(99, pair[0], &offset, 4)),
        error_of(sendfile(null, ends[0], NULL, 4)), error_of(sendfile(text, file, NULL, 4)));
    say("vmsplice: %ld %d %d\n", syscall(SYS_vmsplice, pair[0], &on, 0, 0),
        error_of(syscall(SYS_vmsplice, pair[0], &on, 2000, 0)),
        error_of(syscall(SYS_vmsplice, file, &(struct iovec){&on, 4}, 1, 0)));
    say("signals for a file that has none: %d %d %d\n", error_of(ioctl(file, FIOASYNC, 16)),
        error_of(ioctl(file, FIOASYNC, &on)), error_of(ioctl(file, FIOASYNC, &off)));
    say("a lease: %d %d\n", error_of(fcntl(file, F_SETLEASE, 99)),
        error_of(fcntl(null, F_SETLEASE, F_RDLCK)));
    int size = 0, proc_size = 0;
    check(ioctl(file, FIGETBSZ, &size) == 0 && ioctl(text, FIGETBSZ, &proc_size) == 0);
    say("blocks of a file %d, of /proc %d\n", size, proc_size);
    return 0;
}
