/* Files of /proc opened to be written, by who may do anything: they open, and take nothing.
 *
 * libc: musl
 * prints:
 *     of a process: written 22, read 1, shortened 0
 *     of the kernel: written 5, read 1, shortened 0
 *     nobody knows the end: 22
 *     a folder of it: 21
 *     who may not do anything: 13
 *     nor make his sockets tell more: 13
 */
#include "guest.h"
#include <sys/socket.h>

static int error_of(long result)
{
    return result < 0 ? errno : 0;
}

int main(void)
{
    static const char *const names[] = {"/proc/self/status", "/proc/uptime"};
    char byte;
    for (int i = 0; i < 2; i++) {
        int fd = open(names[i], O_RDWR | O_TRUNC);
        check(fd >= 0);
        cr_point();
        int written = error_of(write(fd, "x", 1));
        long count = read(fd, &byte, 1);
        say("of %s: written %d, read %ld, shortened %d\n", i ? "the kernel" : "a process", written,
            count, error_of(ftruncate(fd, 0)));
        close(fd);
    }
    say("nobody knows the end: %d\n", error_of(lseek(open(names[0], O_RDONLY), 0, SEEK_END)));
    say("a folder of it: %d\n", error_of(open("/proc/self/fd", O_RDWR)));
    pid_t pid = fork();
    if (pid == 0) {
        int on = 1;
        check(setresuid(1000, 1000, 1000) == 0);
        say("who may not do anything: %d\n", error_of(open(names[0], O_RDWR)));
        say("nor make his sockets tell more: %d\n",
            error_of(setsockopt(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_DEBUG, &on, 4)));
        _exit(0);
    }
    check(waitpid(pid, NULL, 0) == pid);
    return 0;
}
