/* Real-time signals are queued, each with its value, and the lowest number comes first.
 *
 * libc: both
 * prints:
 *     5 are waiting
 *     signal 0: value 100
 *     signal 0: value 101
 *     signal 0: value 102
 *     signal 1: value 200
 *     signal 1: value 201
 *     5 came
 */
#include "guest.h"

static volatile int came;
static int first;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    check(info->si_signo == signal && info->si_code == SI_QUEUE && info->si_pid == getpid());
    came++;
    say("signal %d: value %d\n", signal - first, info->si_value.sival_int);
    cr_point();
}

static void queue(int signal, int number)
{
    union sigval value;
    memset(&value, 0, sizeof value);
    value.sival_int = number;
    check(sigqueue(getpid(), signal, value) == 0);
}

int main(void)
{
    struct sigaction action;
    sigset_t set;
    first = SIGRTMIN + 5;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    check(sigaction(first, &action, NULL) == 0 && sigaction(first + 1, &action, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, first);
    sigaddset(&set, first + 1);
    check(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    queue(first + 1, 200);
    queue(first, 100);
    queue(first, 101);
    queue(first + 1, 201);
    queue(first, 102);
    say("5 are waiting\n");
    cr_point();
    check(came == 0 && sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    say("%d came\n", came);
    return 0;
}
