/* A futex whose waiters are moved to another one (FUTEX_CMP_REQUEUE): one is woken, two sleep on
 * and are woken there, in the order in which they came.
 *
 * order: any
 * prints:
 *     one woken, two moved
 *     nobody is left at the first
 *     the other two were at the second
 *     children 3
 */
#include "guest.h"

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_CMP_REQUEUE = 4, CHILDREN = 3 };

struct shared {
    int waiting, first, second, gone;
};

static volatile struct shared *shared;

static long futex(volatile int *word, int operation, int value, long value2, volatile int *word2,
                  int value3)
{
    return raw_syscall(NR_futex, (long)word, operation, value, value2, (long)word2, value3);
}

static void nap(void)
{
    struct timespec time = {0, 2000000};
    nanosleep(&time, NULL);
}

int main(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shared != MAP_FAILED);
    pid_t pids[CHILDREN];
    for (int child = 0; child < CHILDREN; child++) {
        pids[child] = fork();
        check(pids[child] >= 0);
        if (pids[child] == 0) {
            __sync_fetch_and_add(&shared->waiting, 1);
            check(futex(&shared->first, FUTEX_WAIT, 0, 0, NULL, 0) == 0);
            __sync_fetch_and_add(&shared->gone, 1);
            _exit(0);
        }
    }
    while (shared->waiting < CHILDREN)
        nap();
    for (int i = 0; i < 5; i++)
        nap();
    check(futex(&shared->first, FUTEX_CMP_REQUEUE, 1, 2, &shared->second, 1) == -EAGAIN);
    long moved = futex(&shared->first, FUTEX_CMP_REQUEUE, 1, 2, &shared->second, 0);
    check(moved == 3);
    while (shared->gone < 1)
        nap();
    say("one woken, two moved\n");
    check(futex(&shared->first, FUTEX_WAKE, 9, 0, NULL, 0) == 0);
    say("nobody is left at the first\n");
    check(futex(&shared->second, FUTEX_WAKE, 1, 0, NULL, 0) == 1);
    check(futex(&shared->second, FUTEX_WAKE, 9, 0, NULL, 0) == 1);
    say("the other two were at the second\n");
    int status;
    for (int child = 0; child < CHILDREN; child++)
        check(waitpid(pids[child], &status, 0) == pids[child] && status == 0);
    say("children %d\n", shared->gone);
    return 0;
}
