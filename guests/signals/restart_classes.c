/* What becomes of a call that sleeps when a signal comes, for each way in which Linux restarts one: a
 * handler that asks for it (SA_RESTART), one that does not, and a stop with SIGCONT.
 *
 * prints:
 *     read:          handler EINTR, SA_RESTART goes on, stopped goes on
 *     pause:         handler EINTR, SA_RESTART EINTR, stopped goes on
 *     nanosleep:     handler EINTR, SA_RESTART EINTR, stopped goes on
 *     poll:          handler EINTR, SA_RESTART EINTR, stopped goes on
 *     futex:         handler EINTR, SA_RESTART goes on, stopped goes on
 *     timed futex:   handler EINTR, SA_RESTART EINTR, stopped goes on
 */
#include "guest.h"
#include "interrupted.h"

enum { READ, PAUSE, NANOSLEEP, POLL, FUTEX, TIMED_FUTEX, CALLS };

static volatile int word;
static int empty[2];

long sleep_in(int call)
{
    char byte;
    struct timespec minute = {60, 0};
    switch (call) {
    case READ:
        return raw_syscall(NR_read, empty[0], (long)&byte, 1, 0, 0, 0);
    case PAUSE:
        return raw_syscall(NR_pause, 0, 0, 0, 0, 0, 0);
    case NANOSLEEP:
        return raw_syscall(NR_nanosleep, (long)&minute, 0, 0, 0, 0, 0);
    case POLL:
        return raw_syscall(NR_poll, 0, 0, 60000, 0, 0, 0);
    case FUTEX:
        return raw_syscall(NR_futex, (long)&word, 0, 0, 0, 0, 0);
    default:
        return raw_syscall(NR_futex, (long)&word, 0, 0, (long)&minute, 0, 0);
    }
}

int main(void)
{
    static const char *const names[] = {
        "read:       ", "pause:      ", "nanosleep:  ", "poll:       ", "futex:      ", "timed futex:",
    };
    check(pipe(empty) == 0);
    for (int call = 0; call < CALLS; call++) {
        const char *handled = outcome(call, HANDLER);
        const char *restarted = outcome(call, WITH_RESTART);
        say("%s   handler %s, SA_RESTART %s, stopped %s\n", names[call], handled, restarted,
            outcome(call, STOPPED));
    }
    return 0;
}
