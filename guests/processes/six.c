/* Six processes at once: two pipes between three of them, a futex lock in shared memory that all
 * take, and signals to and fro between one of them and the parent.
 *
 * order: any
 * prints:
 *     sum of 20 doubled numbers 420
 *     counted to 36 under the lock
 *     6 rounds of signals
 *     five children, all well
 */
#include "sysv.h"

enum { NUMBERS = 20, COUNTS = 12, ROUNDS = 6, FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

struct shared {
    int lock, counter, sum, taken, pad[1024];
    int pong;
};

static volatile struct shared *shared;
static volatile int signals_seen;

static long futex(volatile int *word, int operation, int value)
{
    return raw_syscall(NR_futex, (long)word, operation, value, 0, 0, 0);
}

/* 0 free, 1 taken, 2 taken and somebody waits. */
static void take(volatile int *lock)
{
    int seen = __sync_val_compare_and_swap(lock, 0, 1);
    if (seen == 0)
        return;
    if (seen != 2)
        seen = __sync_lock_test_and_set(lock, 2);
    while (seen != 0) {
        futex(lock, FUTEX_WAIT, 2);
        seen = __sync_lock_test_and_set(lock, 2);
    }
}

static void give(volatile int *lock)
{
    if (__sync_fetch_and_sub(lock, 1) != 1) {
        __sync_lock_release(lock);
        futex(lock, FUTEX_WAKE, 1);
    }
}

/* All of it, however little comes at a time; 0 at the end. */
static int read_all(int fd, void *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(fd, (char *)to + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        check(n >= 0);
        if (n == 0)
            return 0;
        done += (size_t)n;
    }
    return 1;
}

static void produce(int to)
{
    for (int number = 1; number <= NUMBERS; number++)
        check(write(to, &number, sizeof number) == sizeof number);
}

static void twice(int from, int to)
{
    int number;
    while (read_all(from, &number, sizeof number)) {
        number *= 2;
        check(write(to, &number, sizeof number) == sizeof number);
    }
}

static void add_up(int from)
{
    int number;
    while (read_all(from, &number, sizeof number)) {
        take(&shared->lock);
        shared->sum += number;
        shared->taken++;
        give(&shared->lock);
    }
}

static void count(void)
{
    for (int i = 0; i < COUNTS; i++) {
        take(&shared->lock);
        int before = shared->counter;
        if (i % 4 == 0)
            sched_yield();
        shared->counter = before + 1;
        give(&shared->lock);
    }
}

static void seen(int signal)
{
    (void)signal;
    signals_seen++;
}

static void wait_for_signals(int wanted, const sigset_t *open)
{
    while (signals_seen < wanted)
        sigsuspend(open);
}

static void ping(pid_t parent, const sigset_t *open)
{
    for (int round = 1; round <= ROUNDS; round++) {
        check(kill(parent, SIGUSR1) == 0);
        wait_for_signals(round, open);
    }
}

int main(void)
{
    int id = shmget(IPC_PRIVATE, sizeof(struct shared), IPC_CREAT | 0600);
    check(id >= 0);
    shared = shmat(id, NULL, 0);
    check((long)shared != -1);
    int first[2], second[2];
    check(pipe(first) == 0 && pipe(second) == 0);
    struct sigaction action = {0};
    action.sa_handler = seen;
    check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
    sigset_t closed, open;
    sigemptyset(&closed);
    sigaddset(&closed, SIGUSR1);
    sigaddset(&closed, SIGUSR2);
    check(sigprocmask(SIG_BLOCK, &closed, &open) == 0);
    pid_t parent = getpid(), pids[5];
    for (int child = 0; child < 5; child++) {
        pids[child] = fork();
        check(pids[child] >= 0);
        if (pids[child])
            continue;
        if (child != 0)
            close(first[1]);
        if (child != 1)
            close(second[1]);
        if (child == 0)
            produce(first[1]);
        if (child == 1)
            twice(first[0], second[1]);
        if (child == 2)
            add_up(second[0]);
        if (child >= 3)
            count();
        if (child == 4)
            ping(parent, &open);
        _exit(10 + child);
    }
    close(first[0]);
    close(first[1]);
    close(second[0]);
    close(second[1]);
    for (int round = 1; round <= ROUNDS; round++) {
        wait_for_signals(round, &open);
        check(kill(pids[4], SIGUSR2) == 0);
        shared->pong++;
    }
    count();
    for (int child = 0; child < 5; child++) {
        int status;
        while (waitpid(pids[child], &status, 0) < 0)
            check(errno == EINTR);
        check(WIFEXITED(status) && WEXITSTATUS(status) == 10 + child);
    }
    check(shared->taken == NUMBERS && shared->lock == 0);
    say("sum of %d doubled numbers %d\n", NUMBERS, shared->sum);
    say("counted to %d under the lock\n", shared->counter);
    say("%d rounds of signals\n", shared->pong);
    check(shmctl(id, IPC_RMID, NULL) == 0 && shmdt((void *)shared) == 0);
    say("five children, all well\n");
    return 0;
}
