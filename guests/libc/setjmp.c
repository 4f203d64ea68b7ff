/* setjmp and longjmp, and siglongjmp out of a SIGSEGV handler.
 *
 * libc: musl
 * prints:
 *     jumped 1
 *     jumped 2
 *     jumped 3
 *     a bad write was caught, mask restored: 1
 *     a bad write was caught, mask restored: 1
 *     done
 */
#include "guest.h"
#include <setjmp.h>

static jmp_buf plain;
static sigjmp_buf out;

static __attribute__((noinline)) void deep(int n, int value)
{
    volatile char room[200];
    room[n] = (char)value;
    if (n == 0)
        longjmp(plain, value);
    deep(n - 1, value);
    room[0] = room[n];
}

static void caught(int signal)
{
    cr_point();
    siglongjmp(out, signal);
}

static void bad_write(void)
{
    sigset_t now;
    if (sigsetjmp(out, 1) == 0) {
        *(volatile int *)8 = 1;
        check(!"reached");
    }
    check(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
    say("a bad write was caught, mask restored: %d\n", !sigismember(&now, SIGSEGV));
}

int main(void)
{
    struct sigaction action;
    volatile int rounds = 0;
    int value = setjmp(plain);
    if (value)
        say("jumped %d\n", value);
    cr_point();
    if (++rounds <= 3)
        deep(20, rounds);
    memset(&action, 0, sizeof action);
    action.sa_handler = caught;
    check(sigaction(SIGSEGV, &action, NULL) == 0);
    bad_write();
    bad_write();
    say("done\n");
    return 0;
}
