/* The slave is closed: the master reads what is left, then EIO, until somebody opens it again.
 *
 * prints:
 *     open: 4
 *     closed: 17
 *     what is left: [last words]
 *     then: 5
 *     open again: 4
 *     it works: [hello\n]
 *     echo: [hello\r\n]
 *     one of two closed: 0
 *     nothing there: 11
 */
#include "tty.h"

int main(void)
{
    char bytes[20];
    open_pty();
    say("open: %d\n", ready(master, POLLIN | POLLOUT, 0));
    check(write(slave, "last words", 10) == 10);
    close(slave);
    check(ready(master, POLLIN, 1000));
    say("closed: %d\n", ready(master, POLLIN | POLLOUT, 0) & ~POLLOUT);
    say_bytes("what is left", bytes, read(master, bytes, sizeof bytes));
    say("then: %d\n", read(master, bytes, 1) == -1 ? errno : 0);
    cr_point();
    slave = open_slave(O_NOCTTY);
    check(slave >= 0);
    say("open again: %d\n", ready(master, POLLIN | POLLOUT, 0));
    type("hello\n");
    got("it works", 100);
    shown("echo");
    int second = open_slave(O_NOCTTY);
    close(slave);
    say("one of two closed: %d\n", ready(master, POLLIN, 0));
    slave = second;
    check(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    say("nothing there: %d\n", read(slave, bytes, 1) == -1 ? errno : 0);
    return 0;
}
