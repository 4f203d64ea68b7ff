/* Two instances of devpts: the same numbers are other terminals, and each ptmx makes its own; what
 * is in them goes on when the mount is gone.
 *
 * prints:
 *     mode 666, ptys named: 0 1
 *     another instance: 0
 *     first: for the first
 *     second: for the second
 *     detached: for both
 */
#include "mounts.h"
#include "tty.h"

static void raw_line(int fd)
{
    int unlock = 0;
    check(ioctl(fd, TIOCSPTLCK, &unlock) == 0);
}

static int index_of(int fd)
{
    unsigned int n;
    check(ioctl(fd, TIOCGPTN, &n) == 0);
    return (int)n;
}

static void pass(int from, int to, const char *text)
{
    char got[64] = "";
    check(write(from, text, strlen(text)) == (ssize_t)strlen(text));
    cr_point();
    check(read(to, got, sizeof got - 1) == (ssize_t)strlen(text));
    say("%s\n", got);
}

int main(void)
{
    struct stat info;
    own_mounts();
    check(mkdir("one", 0755) == 0 && mkdir("two", 0755) == 0);
    const char *options = "newinstance,ptmxmode=666";
    check(mount_at("devpts", "one", "devpts", 0, options) == 0);
    check(mount_at("devpts", "two", "devpts", 0, options) == 0);
    check(stat("one/ptmx", &info) == 0 && S_ISCHR(info.st_mode));
    int first = open("one/ptmx", O_RDWR), third = open("one/ptmx", O_RDWR);
    int second = open("two/ptmx", O_RDWR);
    say("mode %o, ptys named: %d %d\n", info.st_mode & 0777, index_of(first), index_of(third));
    say("another instance: %d\n", index_of(second));
    raw_line(first), raw_line(second);
    int first_slave = open("one/0", O_RDWR | O_NOCTTY);
    int second_slave = open("two/0", O_RDWR | O_NOCTTY);
    check(first_slave >= 0 && second_slave >= 0 && access("two/1", F_OK) == -1);
    cr_point();
    say("first: ");
    pass(first_slave, first, "for the first");
    say("second: ");
    pass(second_slave, second, "for the second");
    check(umount_at("two", MNT_DETACH) == 0);
    cr_point();
    say("detached: ");
    pass(second_slave, second, "for both");
    return 0;
}
