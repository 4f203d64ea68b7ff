/* Futexes with priority inheritance: the kernel puts the owner's number into the word, hands the
 * futex over, and finds out who waits in a circle, who has died, who was never there.
 *
 * order: any
 * prints:
 *     free: 0, the word is mine
 *     again: EDEADLK, unlocked: 0, again: EPERM
 *     owner gone: ESRCH
 *     the child waits: the mark is there
 *     handed over: the word is the child's, trylock EAGAIN
 *     given back: the word is mine
 *     too late: ETIMEDOUT, in ten milliseconds: ETIMEDOUT
 *     the owner dies: 0, the mark says so
 *     a circle: EDEADLK
 *     woken by the wrong call: EINVAL
 *     moved: 2, the first owns it, the second waits
 *     both had it
 *     wrong: EINVAL EINVAL EAGAIN EAGAIN
 */
#include "guest.h"

enum { WAKE = 1, REQUEUE = 3, LOCK = 6, UNLOCK = 7, TRYLOCK = 8, WAIT_REQUEUE = 11,
       CMP_REQUEUE = 12 };
#define WAITERS 0x80000000u
#define DIED 0x40000000u
#define TID 0x3fffffffu

struct shared {
    unsigned int a, b, gate, said, had;
};

static volatile struct shared *shared;

static long futex(volatile unsigned int *word, int operation, unsigned int value, void *timeout,
                  volatile unsigned int *word2, unsigned int value3)
{
    return raw_syscall(NR_futex, (long)word, operation, (long)value, (long)timeout, (long)word2,
                       (long)value3);
}

static unsigned int me(void)
{
    return (unsigned int)raw_syscall(NR_gettid, 0, 0, 0, 0, 0, 0);
}

static void nap(void)
{
    struct timespec time = {0, 2000000};
    nanosleep(&time, NULL);
}

static const char *problem(long result)
{
    return result == 0 ? "0" : result == -EDEADLK ? "EDEADLK" : result == -EPERM ? "EPERM"
         : result == -ESRCH ? "ESRCH" : result == -EAGAIN ? "EAGAIN" : result == -EINVAL ? "EINVAL"
         : result == -110 || result == -145 ? "ETIMEDOUT" : "another";
}

static void await(unsigned int said)
{
    while (shared->said < said)
        nap();
}

static void join(pid_t pid)
{
    int status;
    check(waitpid(pid, &status, 0) == pid && status == 0);
}

static void hand_over(void)
{
    check(futex(&shared->a, LOCK, 0, NULL, NULL, 0) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        check(futex(&shared->a, LOCK, 0, NULL, NULL, 0) == 0);
        check((shared->a & TID) == me());
        shared->said = 1;
        while (shared->said < 2)
            nap();
        check(futex(&shared->a, UNLOCK, 0, NULL, NULL, 0) == 0);
        _exit(0);
    }
    while (!(shared->a & WAITERS))
        nap();
    check((shared->a & TID) == me());
    say("the child waits: the mark is there\n");
    nap();
    check(futex(&shared->a, UNLOCK, 0, NULL, NULL, 0) == 0);
    await(1);
    check((shared->a & TID) == (unsigned int)pid);
    say("handed over: the word is the child's, trylock %s\n",
        problem(futex(&shared->a, TRYLOCK, 0, NULL, NULL, 0)));
    shared->said = 2;
    check(futex(&shared->a, LOCK, 0, NULL, NULL, 0) == 0);
    check((shared->a & TID) == me());
    say("given back: the word is mine\n");
    join(pid);
}

static void time_out(void)
{
    struct timespec past = {1, 0}, soon;
    shared->said = 0;
    pid_t pid = fork();
    if (pid == 0) {
        check(futex(&shared->b, LOCK, 0, NULL, NULL, 0) == 0);
        shared->said = 1;
        await(2);
        _exit(0);
    }
    await(1);
    const char *late = problem(futex(&shared->b, LOCK, 0, &past, NULL, 0));
    check(clock_gettime(0, &soon) == 0);
    soon.tv_nsec += 10000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_sec++;
        soon.tv_nsec -= 1000000000;
    }
    say("too late: %s, in ten milliseconds: %s\n", late,
        problem(futex(&shared->b, LOCK, 0, &soon, NULL, 0)));
    pid_t helper = fork();
    if (helper == 0) {
        nap();
        nap();
        shared->said = 2;
        _exit(0);
    }
    const char *died = problem(futex(&shared->b, LOCK, 0, NULL, NULL, 0));
    check((shared->b & TID) == me() && (shared->b & DIED));
    say("the owner dies: %s, the mark says so\n", died);
    check(futex(&shared->b, UNLOCK, 0, NULL, NULL, 0) == 0 && shared->b == 0);
    join(pid);
    join(helper);
}

static void circle(void)
{
    shared->said = 0;
    pid_t pid = fork();
    if (pid == 0) {
        check(futex(&shared->b, LOCK, 0, NULL, NULL, 0) == 0);
        shared->said = 1;
        check(futex(&shared->a, LOCK, 0, NULL, NULL, 0) == 0);
        check(futex(&shared->a, UNLOCK, 0, NULL, NULL, 0) == 0);
        check(futex(&shared->b, UNLOCK, 0, NULL, NULL, 0) == 0);
        _exit(0);
    }
    await(1);
    while (!(shared->a & WAITERS))
        nap();
    nap();
    say("a circle: %s\n", problem(futex(&shared->b, LOCK, 0, NULL, NULL, 0)));
    check(futex(&shared->a, UNLOCK, 0, NULL, NULL, 0) == 0);
    join(pid);
}

static void requeue(void)
{
    pid_t pids[2];
    shared->a = 0;
    shared->said = 0;
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            __sync_fetch_and_add(&shared->said, 1);
            check(futex(&shared->gate, WAIT_REQUEUE, 0, NULL, &shared->a, ~0u) == 0);
            check((shared->a & TID) == me());
            __sync_fetch_and_add(&shared->had, 1);
            while (shared->said < 3)
                nap();
            check(futex(&shared->a, UNLOCK, 0, NULL, NULL, 0) == 0);
            _exit(0);
        }
    }
    await(2);
    for (int i = 0; i < 10; i++)
        nap();
    say("woken by the wrong call: %s\n", problem(futex(&shared->gate, WAKE, 1, NULL, NULL, 0)));
    check(futex(&shared->gate, CMP_REQUEUE, 1, (void *)8, &shared->a, 1) == -EAGAIN);
    long moved = futex(&shared->gate, CMP_REQUEUE, 1, (void *)8, &shared->a, 0);
    while (shared->had < 1)
        nap();
    unsigned int word = shared->a;
    check((word & WAITERS) && ((word & TID) == (unsigned int)pids[0] ||
                               (word & TID) == (unsigned int)pids[1]));
    say("moved: %ld, the first owns it, the second waits\n", moved);
    shared->said = 3;
    join(pids[0]);
    join(pids[1]);
    check(shared->had == 2 && (shared->a & TID) == 0);
    say("both had it\n");
}

int main(void)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shared != MAP_FAILED);
    long got = futex(&shared->a, LOCK, 0, NULL, NULL, 0);
    check(shared->a == me());
    say("free: %s, the word is mine\n", problem(got));
    const char *again = problem(futex(&shared->a, LOCK, 0, NULL, NULL, 0));
    const char *freed = problem(futex(&shared->a, UNLOCK, 0, NULL, NULL, 0));
    check(shared->a == 0);
    say("again: %s, unlocked: %s, again: %s\n", again, freed,
        problem(futex(&shared->a, UNLOCK, 0, NULL, NULL, 0)));
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    join(pid);
    shared->a = (unsigned int)pid;
    say("owner gone: %s\n", problem(futex(&shared->a, LOCK, 0, NULL, NULL, 0)));
    shared->a = 0;
    hand_over();
    time_out();
    circle();
    requeue();
    const char *same = problem(futex(&shared->a, WAIT_REQUEUE, 0, NULL, &shared->a, ~0u));
    const char *two = problem(futex(&shared->a, CMP_REQUEUE, 2, (void *)1, &shared->b, 0));
    const char *changed = problem(futex(&shared->a, WAIT_REQUEUE, 5, NULL, &shared->b, ~0u));
    shared->a = 7;
    say("wrong: %s %s %s %s\n", same, two, changed,
        problem(futex(&shared->a, CMP_REQUEUE, 1, (void *)1, &shared->b, 0)));
    return 0;
}
