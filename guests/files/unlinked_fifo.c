/* A FIFO that was unlinked while it was open: its bytes stay, and another of the same name is another
 * one.
 *
 * prints:
 *     links 0 and 1, the same: no
 *     child: read older
 *     new: new
 *     the old one is empty: EAGAIN
 */
#include "guest.h"

int main(void)
{
    struct stat old_one, new_one;
    char text[16] = "";
    int status;
    check(raw_syscall(NR_mknod, (long)"fifo", S_IFIFO | 0640, 0, 0, 0, 0) == 0);
    int old = open("fifo", O_RDWR | O_NONBLOCK);
    int end = open("fifo", O_WRONLY);
    check(old >= 0 && end >= 0);
    check(unlink("fifo") == 0);
    check(write(end, "older", 6) == 6);
    cr_point();
    check(raw_syscall(NR_mknod, (long)"fifo", S_IFIFO | 0600, 0, 0, 0, 0) == 0);
    int new = open("fifo", O_RDWR | O_NONBLOCK);
    check(new >= 0 && write(new, "new", 4) == 4 && write(old, "\n", 2) == 2);
    cr_point();
    check(fstat(old, &old_one) == 0 && fstat(new, &new_one) == 0);
    say("links %d and %d, the same: %s\n", (int)old_one.st_nlink, (int)new_one.st_nlink,
        old_one.st_ino == new_one.st_ino ? "yes" : "no");
    pid_t child = fork();
    if (child == 0) {
        cr_point();
        check(read(old, text, sizeof text) == 8);
        say("child: read %s\n", text);
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0);
    check(read(new, text, sizeof text) == 4);
    say("new: %s\n", text);
    say("the old one is empty: %s\n",
        read(old, text, sizeof text) == -1 && errno == EAGAIN ? "EAGAIN" : "no");
    return 0;
}
