/* Packet mode: the master reads a status byte before data, and hears of flow and flushes.
 *
 * prints:
 *     not for slaves: 25
 *     1 data: [\000data]
 *     3 stopped: [\004]
 *     3 started: [\010]
 *     3 input was flushed: [\001]
 *     3 the master cannot know: [\020]
 *     3 it can again: [ ]
 *     3 no flow control: [\020]
 *     a read of one byte is the status alone: 0
 *     1 the data is still there: [\00012]
 *     1 no packets: [plain]
 */
#include "tty.h"

static void set_packet(int on) { check(ioctl(master, TIOCPKT, &on) == 0); }

static void packet(const char *what)
{
    char bytes[100];
    int news = ready(master, POLLIN | POLLPRI, 1000) & (POLLIN | POLLPRI);
    ssize_t n = read(master, bytes, sizeof bytes);
    say("%d ", news);
    say_bytes(what, bytes, n);
}

int main(void)
{
    int on = 1;
    open_pty();
    say("not for slaves: %d\n", ioctl(slave, TIOCPKT, &on) == -1 ? errno : 0);
    set_packet(1);
    check(write(slave, "data", 4) == 4);
    packet("data");
    type("\023");
    packet("stopped");
    type("\021");
    packet("started");
    check(ioctl(slave, TCFLSH, 0) == 0);
    packet("input was flushed");
    cr_point();
    character(VSTOP, 'x');
    packet("the master cannot know");
    character(VSTOP, 023);
    packet("it can again");
    input(IXON, 0);
    packet("no flow control");
    check(write(slave, "12", 2) == 2);
    char one;
    check(ready(master, POLLIN, 1000) && read(master, &one, 1) == 1);
    say("a read of one byte is the status alone: %d\n", one);
    packet("the data is still there");
    set_packet(0);
    check(write(slave, "plain", 5) == 5);
    packet("no packets");
    return 0;
}
