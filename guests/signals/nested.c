/* A handler that is interrupted by another, and one that interrupts itself, with checkpoint
 * places inside.
 *
 * libc: both
 * prints:
 *     before
 *     outer begins
 *     inner begins
 *     inner ends
 *     outer ends
 *     again 3
 *     again 2
 *     again 1
 *     after: 5 handlers ran, deepest 3
 */
#include "guest.h"

static volatile int ran, depth, deepest, repeat;

static void inner(int signal)
{
    check(signal == SIGUSR2);
    ran++;
    say("inner begins\n");
    cr_point();
    say("inner ends\n");
}

static void outer(int signal)
{
    check(signal == SIGUSR1);
    ran++;
    say("outer begins\n");
    cr_point();
    check(raise(SIGUSR2) == 0);
    cr_point();
    say("outer ends\n");
}

static void again(int signal)
{
    ran++;
    if (++depth > deepest)
        deepest = depth;
    say("again %d\n", repeat);
    cr_point();
    if (--repeat > 0)
        check(raise(signal) == 0);
    depth--;
}

static void install(int signal, void (*handler)(int), unsigned int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    check(sigaction(signal, &action, NULL) == 0);
}

int main(void)
{
    install(SIGUSR1, outer, 0);
    install(SIGUSR2, inner, 0);
    install(SIGTERM, again, SA_NODEFER);
    say("before\n");
    check(raise(SIGUSR1) == 0);
    repeat = 3;
    check(raise(SIGTERM) == 0);
    say("after: %d handlers ran, deepest %d\n", ran, deepest);
    return 0;
}
