/* Two processes take turns with two semaphores; SEM_UNDO gives back what a dead one held; a set
 * removed under a sleeper wakes it with EIDRM.
 *
 * order: any
 * prints:
 *     parent 0
 *     child 0
 *     parent 1
 *     child 1
 *     the dead child's semaphore is 1 again
 *     would wait, and time is over
 *     the set was removed under the child
 */
#include "sysv.h"

static int set;

static int change(int number, int by, int flags)
{
    struct sembuf one = {(unsigned short)number, (short)by, (short)flags};
    return semop(set, &one, 1);
}

static int value_of(int number)
{
    union semun none = {.buf = NULL};
    return semctl(set, number, GETVAL, none);
}

static pid_t child(void (*body)(void))
{
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    return pid;
}

static void wait_for(pid_t pid)
{
    int status;
    check(waitpid(pid, &status, 0) == pid && status == 0);
}

static void takes_turns(void)
{
    for (int i = 0; i < 2; i++) {
        check(change(1, -1, 0) == 0);
        say("child %d\n", i);
        check(change(0, 1, 0) == 0);
    }
}

static void dies_with_it(void)
{
    check(change(0, -1, SEM_UNDO) == 0 && value_of(0) == 0);
}

static void waits_for_ever(void)
{
    check(change(1, -1, 0) == -1 && errno == EIDRM);
    say("the set was removed under the child\n");
}

int main(void)
{
    set = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
    check(set >= 0);
    unsigned short values[2] = {1, 0};
    union semun all = {.array = values}, none = {.buf = NULL};
    check(semctl(set, 0, SETALL, all) == 0);
    pid_t pid = child(takes_turns);
    for (int i = 0; i < 2; i++) {
        check(change(0, -1, 0) == 0);
        say("parent %d\n", i);
        check(change(1, 1, 0) == 0);
    }
    wait_for(pid);
    check(value_of(0) == 1);
    wait_for(child(dies_with_it));
    say("the dead child's semaphore is %d again\n", value_of(0));
    struct timespec soon = {0, 1000000};
    struct sembuf take = {1, -1, 0};
    check(change(1, -1, IPC_NOWAIT) == -1 && errno == EAGAIN);
    check(semtimedop(set, &take, 1, &soon) == -1 && errno == EAGAIN);
    say("would wait, and time is over\n");
    pid = child(waits_for_ever);
    while (semctl(set, 1, GETNCNT, none) == 0)
        nanosleep(&soon, NULL);
    check(semctl(set, 0, IPC_RMID, none) == 0);
    wait_for(pid);
    return 0;
}
