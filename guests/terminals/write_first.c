/* What is written to a pty's master before anybody has opened the other end, and after the last
 * has closed it, is echoed and waits for a reader.
 *
 * libc: musl
 * prints:
 *     written before: 6 3
 *     echoed: 11
 *     read: 6 3
 *     written behind it: 2, echoed: 3
 *     opened again, read: 2
 */
#include <sys/ioctl.h>

#include "guest.h"

/* The echo comes when the line has worked on it: at once, or a little later on real Linux, where
 * until then nothing is there to read but the news that the other end is closed. */
static int taken(int fd, int wanted)
{
    struct timespec moment = {0, 5000000};
    char text[64];
    int got = 0;
    while (got < wanted) {
        int more = (int)read(fd, text, sizeof text);
        check(more > 0 || errno == EIO);
        if (more < 0)
            check(nanosleep(&moment, NULL) == 0);
        else
            got += more;
    }
    return got;
}

int main(void)
{
    int unlock = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    check(master >= 0);
    int first = (int)write(master, "early\n", 6);
    check(ioctl(master, TIOCSPTLCK, &unlock) == 0);
    cr_point();
    int second = (int)write(master, "it\n", 3);
    say("written before: %d %d\n", first, second);
    int echoed = taken(master, 11);
    say("echoed: %d\n", echoed);
    cr_point();
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    check(slave >= 0);
    char text[64];
    first = (int)read(slave, text, sizeof text);
    second = (int)read(slave, text, sizeof text);
    say("read: %d %d\n", first, second);
    check(close(slave) == 0);
    cr_point();
    first = (int)write(master, "x\n", 2);
    echoed = taken(master, 3);
    say("written behind it: %d, echoed: %d\n", first, echoed);
    cr_point();
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    say("opened again, read: %d\n", (int)read(slave, text, sizeof text));
    return 0;
}
