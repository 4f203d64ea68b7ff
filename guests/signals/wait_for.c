/* A parent waits for blocked signals of its children: which come, what they carry, and the time that
 * is over when none does. A wait that is interrupted is begun again.
 *
 * order: any
 * prints:
 *     4 children have sent 10
 *     none of the others: EAGAIN
 *     its own: 7
 */
#include "sysv.h"

enum { CHILDREN = 4, SET_BYTES = 8, INFO_BYTES = 128 };

static union {
    siginfo_t info;
    char room[INFO_BYTES]; /* the kernel stores all of it, whatever libc declares */
} came;

static long wait_for(const sigset_t *set, const struct timespec *time)
{
    long result;
    do
        result = raw_syscall(NR_rt_sigtimedwait, (long)set, (long)&came, (long)time, SET_BYTES, 0, 0);
    while (result == -EINTR);
    return result;
}

int main(void)
{
    int first = SIGRTMIN + 3, sum = 0, status;
    sigset_t both, other;
    sigemptyset(&both);
    sigaddset(&both, first);
    sigemptyset(&other);
    sigaddset(&other, first + 1);
    sigaddset(&both, first + 1);
    check(sigprocmask(SIG_BLOCK, &both, NULL) == 0);
    pid_t parent = getpid();
    for (int i = 1; i <= CHILDREN; i++)
        if (fork() == 0) {
            union sigval value;
            struct timespec time = {0, i * 1000};
            memset(&value, 0, sizeof value);
            value.sival_int = i;
            nanosleep(&time, NULL);
            check(sigqueue(parent, first, value) == 0);
            _exit(0);
        }
    cr_point();
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, first);
    for (int i = 0; i < CHILDREN; i++) {
        check(wait_for(&wanted, NULL) == first);
        check(came.info.si_code == SI_QUEUE);
        sum += came.info.si_value.sival_int;
        cr_point();
    }
    say("%d children have sent %d\n", CHILDREN, sum);
    struct timespec moment = {0, 50000};
    check(wait_for(&other, &moment) == -EAGAIN);
    say("none of the others: EAGAIN\n");
    union sigval value;
    memset(&value, 0, sizeof value);
    value.sival_int = 7;
    check(sigqueue(parent, first + 1, value) == 0);
    cr_point();
    check(wait_for(&both, NULL) == first + 1);
    say("its own: %d\n", came.info.si_value.sival_int);
    for (int i = 0; i < CHILDREN; i++)
        check(waitpid(-1, &status, 0) > 0 && status == 0);
    return 0;
}
