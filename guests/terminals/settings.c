/* What a new pty is like, and what can be set; the master speaks for its slave.
 *
 * prints:
 *     locked: 5
 *     intr 3 quit 28 erase 127 kill 21 eof 4 min 1 time 0
 *     start 17 stop 19 susp 26 werase 23 lnext 22 reprint 18 eol 0 0
 *     the master sets the slave: 1
 *     struct termio, intr 3 eof 4
 *     window 0 x 0
 *     window 40 x 132
 *     a character device: 1
 *     mode 640
 *     not for slaves: 25 25
 *     seek: 29
 *     bad address: 14 14
 *     the name is gone: 2
 */
#include "tty.h"

static int refused(int result) { return result == -1 ? errno : 0; }

int main(void)
{
    struct termios t, again;
    struct winsize w = {0, 0, 0, 0};
    struct stat node;
    char name[32];
    unsigned char old[20];
    int on = 1, off = 0;
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    check(master >= 0);
    slave_name(name);
    say("locked: %d\n", refused(open(name, O_RDWR | O_NOCTTY)));
    check(ioctl(master, TIOCSPTLCK, &off) == 0);
    slave = open(name, O_RDWR | O_NOCTTY);
    check(slave >= 0 && ioctl(slave, TCGETS, &t) == 0);
    check(t.c_iflag == (ICRNL | IXON) && t.c_oflag == (OPOST | ONLCR));
    check(t.c_lflag == (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN));
    cr_point();
    say("intr %d quit %d erase %d kill %d eof %d min %d time %d\n", t.c_cc[VINTR], t.c_cc[VQUIT],
        t.c_cc[VERASE], t.c_cc[VKILL], t.c_cc[VEOF], t.c_cc[VMIN], t.c_cc[VTIME]);
    say("start %d stop %d susp %d werase %d lnext %d reprint %d eol %d %d\n", t.c_cc[VSTART],
        t.c_cc[VSTOP], t.c_cc[VSUSP], t.c_cc[VWERASE], t.c_cc[VLNEXT], t.c_cc[VREPRINT],
        t.c_cc[VEOL], t.c_cc[VEOL2]);
    t.c_lflag &= ~(unsigned)ECHO;
    check(ioctl(master, TCSETS, &t) == 0 && ioctl(slave, TCGETS, &again) == 0);
    say("the master sets the slave: %d\n", again.c_lflag == t.c_lflag);
    check(ioctl(slave, TCGETA, old) == 0);
    say("struct termio, intr %d eof %d\n", old[9], old[13]);
    check(ioctl(slave, TIOCGWINSZ, &w) == 0);
    say("window %d x %d\n", w.rows, w.columns);
    w.rows = 40;
    w.columns = 132;
    check(ioctl(master, TIOCSWINSZ, &w) == 0);
    memset(&w, 0, sizeof w);
    check(ioctl(slave, TIOCGWINSZ, &w) == 0);
    say("window %d x %d\n", w.rows, w.columns);
    check(fstat(slave, &node) == 0);
    say("a character device: %d\n", S_ISCHR(node.st_mode));
    check(chmod(name, 0640) == 0 && stat(name, &node) == 0);
    say("mode %o\n", node.st_mode & 0777);
    say("not for slaves: %d %d\n", refused(ioctl(slave, TIOCGPTN, &on)),
        refused(ioctl(slave, TIOCSPTLCK, &on)));
    say("seek: %d\n", refused((int)lseek(slave, 0, SEEK_SET)));
    say("bad address: %d %d\n", refused(ioctl(slave, TCGETS, (void *)1)),
        refused(ioctl(slave, TCSETS, (void *)1)));
    check(ioctl(slave, TIOCEXCL, 0) == 0 && ioctl(slave, TIOCNXCL, 0) == 0);
    check(close(slave) == 0 && close(master) == 0);
    say("the name is gone: %d\n", refused(stat(name, &node)));
    return 0;
}
