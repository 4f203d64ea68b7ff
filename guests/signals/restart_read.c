/* A blocking read that a signal interrupts: EINTR without SA_RESTART; with it the read begins anew,
 * and finds what the handler wrote.
 *
 * libc: both
 * prints:
 *     handler
 *     interrupted: EINTR
 *     handler writes
 *     restarted: got it
 */
#include "guest.h"

static int ends[2];
static volatile int writes;

static void handler(int signal)
{
    check(signal == SIGALRM);
    cr_point();
    if (writes) {
        say("handler writes\n");
        check(write(ends[1], "got it", 6) == 6);
    } else {
        say("handler\n");
    }
}

static void ring_soon(unsigned int flags)
{
    struct sigaction action;
    struct itimerval timer;
    memset(&action, 0, sizeof action);
    memset(&timer, 0, sizeof timer);
    action.sa_handler = handler;
    action.sa_flags = flags;
    check(sigaction(SIGALRM, &action, NULL) == 0);
    timer.it_value.tv_usec = 30000;
    check(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

int main(void)
{
    char text[8];
    memset(text, 0, sizeof text);
    check(pipe(ends) == 0);
    ring_soon(0);
    check(read(ends[0], text, sizeof text) == -1 && errno == EINTR);
    say("interrupted: EINTR\n");
    writes = 1;
    ring_soon(SA_RESTART);
    check(read(ends[0], text, sizeof text - 1) == 6);
    say("restarted: %s\n", text);
    return 0;
}
