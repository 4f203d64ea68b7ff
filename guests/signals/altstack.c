/* A handler on its own stack, where a second signal finds the stack in use.
 *
 * libc: both
 * prints:
 *     main stack, alternate stack enabled
 *     handler on the alternate stack
 *     it cannot be changed now
 *     second handler on the same stack, below the first
 *     back on the main stack
 */
#include "guest.h"

static char stack[65536] __attribute__((aligned(16)));
static char *volatile first_frame;

static int on_stack(const void *local)
{
    return (const char *)local >= stack && (const char *)local < stack + sizeof stack;
}

static void second(int signal)
{
    char here = (char)signal;
    check(on_stack(&here) && &here < first_frame);
    cr_point();
    say("second handler on the same stack, below the first\n");
}

static void first(int signal)
{
    char here = (char)signal;
    stack_t now;
    first_frame = &here;
    check(on_stack(&here) && sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_ONSTACK));
    say("handler on the alternate stack\n");
    cr_point();
    now.ss_flags = SS_DISABLE;
    check(sigaltstack(&now, NULL) == -1 && errno == EPERM);
    say("it cannot be changed now\n");
    check(raise(SIGUSR2) == 0);
    cr_point();
}

static void install(int signal, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_ONSTACK;
    check(sigaction(signal, &action, NULL) == 0);
}

int main(void)
{
    char here = 0;
    stack_t mine, now;
    memset(&mine, 0, sizeof mine);
    mine.ss_sp = stack;
    mine.ss_size = sizeof stack;
    check(!on_stack(&here) && sigaltstack(&mine, NULL) == 0);
    check(sigaltstack(NULL, &now) == 0 && now.ss_sp == (void *)stack && now.ss_flags == 0);
    say("main stack, alternate stack enabled\n");
    install(SIGUSR1, first);
    install(SIGUSR2, second);
    cr_point();
    check(raise(SIGUSR1) == 0);
    check(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0 && now.ss_size == sizeof stack);
    say("back on the main stack\n");
    return 0;
}
