/* ^S and ^Q: output stops, a writer waits, output goes on; and TCXONC from the inside.
 *
 * prints:
 *     writable: 0
 *     stopped: []
 *     writer waits: 0
 *     a key is not enough: []
 *     writer wrote: 7
 *     started: [xwaited\r\n]
 *     writable: 0
 *     writable after any key: 4
 *     stopped from inside: 1
 *     no key starts that: 0
 *     started from inside: 3
 *     and asks the other side to stop: [yyes\023]
 *     no such flow: 22
 */
#include "tty.h"

int main(void)
{
    struct timespec moment = {0, 30000000};
    int status;
    open_pty();
    type("\023");
    nanosleep(&moment, NULL);
    say("writable: %d\n", ready(slave, POLLOUT, 0));
    pid_t writer = fork();
    if (writer == 0) {
        check(write(slave, "waited\n", 7) == 7);
        _exit(7);
    }
    shown("stopped");
    say("writer waits: %d\n", waitpid(writer, &status, WNOHANG));
    type("x");
    shown("a key is not enough");
    type("\021");
    say("writer wrote: %d\n", WEXITSTATUS(end_of(writer)));
    shown("started");
    cr_point();
    input(0, IXANY);
    type("\023");
    nanosleep(&moment, NULL);
    say("writable: %d\n", ready(slave, POLLOUT, 0));
    type("y");
    say("writable after any key: %d\n", ready(slave, POLLOUT, 1000));
    check(ioctl(slave, TCXONC, 0) == 0);
    check(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    say("stopped from inside: %d\n", write(slave, "no", 2) == -1 && errno == EAGAIN);
    type("\021");
    nanosleep(&moment, NULL);
    say("no key starts that: %d\n", ready(slave, POLLOUT, 0));
    check(ioctl(slave, TCXONC, 1) == 0);
    say("started from inside: %d\n", (int)write(slave, "yes", 3));
    check(ioctl(slave, TCXONC, 2) == 0);
    shown("and asks the other side to stop");
    say("no such flow: %d\n", ioctl(slave, TCXONC, 9) == -1 ? errno : 0);
    return 0;
}
