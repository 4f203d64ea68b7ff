/* Robust futexes: who dies with one is found out, and who waits for it is woken; also one that the
 * dead was just about to take, but not one of somebody else.
 *
 * order: any
 * prints:
 *     killed: the owner has died, somebody waits
 *     pending: the owner has died
 *     of another: untouched
 *     executed: the owner has died
 */
#include "guest.h"

#define WAITERS 0x80000000u
#define OWNER_DIED 0x40000000u

struct entry {
    struct entry *next;
    unsigned int word;
};

struct head {
    struct entry *first;
    long offset;
    struct entry *pending;
};

struct shared {
    struct entry locked, pending, other;
    struct head head;
    int ready;
};

static volatile struct shared *shared;

static void nap(void)
{
    struct timespec time = {0, 2000000};
    nanosleep(&time, NULL);
}

static void take(void)
{
    unsigned int tid = (unsigned int)raw_syscall(NR_gettid, 0, 0, 0, 0, 0, 0);
    struct head *head = (struct head *)&shared->head;
    shared->locked.word = tid | WAITERS;
    shared->pending.word = tid;
    shared->other.word = tid + 1;
    shared->locked.next = (struct entry *)&shared->other;
    shared->other.next = (struct entry *)head;
    head->first = (struct entry *)&shared->locked;
    head->offset = offsetof(struct entry, word);
    head->pending = (struct entry *)&shared->pending;
    check(raw_syscall(NR_set_robust_list, (long)head, sizeof *head, 0, 0, 0, 0) == 0);
    shared->ready = 1;
}

int main(int argc, char **argv)
{
    int status;
    if (argc > 1)
        return atoi(argv[1]);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        take();
        for (;;)
            pause();
    }
    while (!shared->ready)
        nap();
    pid_t killer = fork();
    if (killer == 0) {
        nap();
        nap();
        check(kill(pid, SIGKILL) == 0);
        _exit(0);
    }
    unsigned int was = shared->locked.word;
    long result = raw_syscall(NR_futex, (long)&shared->locked.word, 0, was, 0, 0, 0);
    check(result == 0 && shared->locked.word == (WAITERS | OWNER_DIED));
    say("killed: the owner has died, somebody waits\n");
    check(waitpid(pid, &status, 0) == pid && waitpid(killer, &status, 0) == killer && status == 0);
    check(shared->pending.word == OWNER_DIED);
    say("pending: the owner has died\n");
    check(shared->other.word == (unsigned int)pid + 1);
    say("of another: untouched\n");
    pid = fork();
    if (pid == 0) {
        char *arguments[] = {"again", "5", NULL};
        take();
        execve("/proc/self/exe", arguments, environ);
        _exit(1);
    }
    check(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
    check(shared->locked.word == (WAITERS | OWNER_DIED));
    say("executed: the owner has died\n");
    (void)argv;
    return 0;
}
