/* Priority inheritance: who owns what somebody more urgent waits for runs before those in between;
 * who waits longest does not get it, but who is the most urgent.
 *
 * prints:
 *     low owns it
 *     low gives it up
 *     high has it
 *     middle ran
 *     order: 30 20 10
 */
#include "guest.h"

enum { LOCK = 6, UNLOCK = 7, FIFO = 1 };

struct shared {
    unsigned int word, said, order[3], count;
};

static volatile struct shared *shared;

static long futex(int operation)
{
    return raw_syscall(NR_futex, (long)&shared->word, operation, 0, 0, 0, 0);
}

static void become(int priority)
{
    check(raw_syscall(NR_sched_setscheduler, 0, FIFO, (long)&priority, 0, 0, 0) == 0);
}

static void pin(void)
{
    unsigned long one[16] = {1};
    if (NR_sched_setaffinity >= 0)
        raw_syscall(NR_sched_setaffinity, 0, sizeof one, (long)one, 0, 0, 0);
}

static void nap(void)
{
    struct timespec time = {0, 20000000};
    nanosleep(&time, NULL);
}

static pid_t low(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        become(10);
        check(futex(LOCK) == 0);
        say("low owns it\n");
        shared->said = 1;
        while (shared->said < 2)
            nap();
        for (volatile int i = 0; i < 20000; i++)
            ;
        say("low gives it up\n");
        check(futex(UNLOCK) == 0);
        _exit(0);
    }
    return pid;
}

static pid_t waiter(int priority)
{
    pid_t pid = fork();
    if (pid == 0) {
        become(priority);
        check(futex(LOCK) == 0);
        if (shared->said < 5)
            say("high has it\n");
        else
            shared->order[shared->count++] = (unsigned int)priority;
        check(futex(UNLOCK) == 0);
        _exit(0);
    }
    return pid;
}

static pid_t middle(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        become(20);
        while (shared->said < 2)
            nap();
        nap();
        say("middle ran\n");
        _exit(0);
    }
    return pid;
}

int main(void)
{
    int status;
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pin();
    become(40);
    pid_t pids[3] = {low(), 0, 0};
    while (shared->said < 1)
        nap();
    pids[1] = waiter(30);
    pids[2] = middle();
    nap();
    shared->said = 2;
    for (int i = 0; i < 3; i++)
        check(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
    check(futex(LOCK) == 0);
    shared->said = 5;
    for (int i = 0; i < 3; i++) {
        pids[i] = waiter(10 + 10 * i);
        nap();
    }
    check(futex(UNLOCK) == 0);
    for (int i = 0; i < 3; i++)
        check(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
    say("order: %d %d %d\n", shared->order[0], shared->order[1], shared->order[2]);
    return 0;
}
