/* What ipcs asks: limits, how much is in use, every slot in turn; and segments that are locked.
 *
 * prints:
 *     segments: at least 1 byte; semaphores: up to 32767; a message: up to 8192 bytes
 *     2 segments of 4 pages, some of them in memory: 1; the highest slot is 1
 *     1 set of 3 semaphores, 1 queue of 2 messages with 9 bytes
 *     slot 0: 4096 bytes, slot 1: 12288 bytes, slot 2: 22
 *     locked by the owner: mode 2600, and to be seen: 1
 *     by another: 1, and unlocked: 1
 *     unlocked by its owner: mode 600
 *     set 0: 3 semaphores, queue 0: 2 messages
 *     no such command: 22 22 22
 */
#include "sysv.h"

enum {
    IPC_INFO = 3, SHM_LOCK = 11, SHM_UNLOCK = 12, SHM_STAT = 13, SHM_INFO = 14, MSG_STAT = 11,
    MSG_INFO = 12, SEM_STAT = 18, SEM_INFO = 19, NEWIPC = 0x8000000,
};

static union {
    struct { unsigned long most, least, segments, of_a_process, pages, unused[4]; } shm_limits;
    struct { int used; unsigned long pages, resident, swapped, unused[2]; } shm_usage;
    struct { int map, sets, of_all, undo, of_a_set, operations, entries, size, most, adjust; } sem;
    struct { int pool, map, longest, bytes, queues, segment, total; unsigned short segments; } msg;
    struct shmid_ds segment;
    char room[256];
} told;

static struct {
    long type;
    char text[8];
} message = {1, "message"};

static union semun pointer(void)
{
    union semun argument = {0};
    argument.buf = &told;
    return argument;
}

static void usage(void)
{
    int highest = shmctl(0, SHM_INFO, &told);
    int resident = told.shm_usage.resident > 0 && told.shm_usage.resident <= told.shm_usage.pages;
    say("%d segments of %d pages, some of them in memory: %d; the highest slot is %d\n",
        told.shm_usage.used, (int)told.shm_usage.pages, resident, highest);
    check(semctl(0, 0, SEM_INFO, pointer()) == 0);
    say("%d set of %d semaphores, ", told.sem.size, told.sem.adjust);
    check(msgctl(0, MSG_INFO, &told) == 0);
    say("%d queue of %d messages with %d bytes\n", told.msg.pool, told.msg.map, told.msg.total);
}

static void limits(void)
{
    check(shmctl(0, IPC_INFO, &told) == 0);
    say("segments: at least %d byte; ", (int)told.shm_limits.least);
    check(semctl(0, 0, IPC_INFO, pointer()) == 0);
    say("semaphores: up to %d; ", told.sem.most);
    check(msgctl(0, IPC_INFO, &told) == 0);
    say("a message: up to %d bytes\n", told.msg.longest);
}

static int mode_of(int id)
{
    check(shmctl(id, IPC_STAT, &told) == 0);
    return (int)told.segment.perm.mode;
}

static void slots(int first, int second)
{
    check(shmctl(0, SHM_STAT, &told) == first);
    say("slot 0: %d bytes, ", (int)told.segment.shm_segsz);
    check(shmctl(1, SHM_STAT, &told) == second);
    say("slot 1: %d bytes, ", (int)told.segment.shm_segsz);
    check(shmctl(2, SHM_STAT, &told) == -1);
    say("slot 2: %d\n", errno);
}

static void locks(int id)
{
    int status;
    check(shmctl(id, SHM_LOCK, NULL) == 0);
    cr_point();
    int mode = mode_of(id);
    check(shmctl(0, SHM_STAT, &told) == id);
    say("locked by the owner: mode %d%d%d%d, and to be seen: %d\n", mode >> 9, mode >> 6 & 7,
        mode >> 3 & 7, mode & 7, (told.segment.perm.mode & 02000) != 0);
    pid_t pid = fork();
    if (pid == 0) {
        check(raw_syscall(NR_setuid, 12345, 0, 0, 0, 0, 0) == 0);
        check(shmctl(id, SHM_LOCK, NULL) == -1);
        say("by another: %d, ", errno);
        check(shmctl(id, SHM_UNLOCK, NULL) == -1);
        say("and unlocked: %d\n", errno);
        _exit(0);
    }
    check(waitpid(pid, &status, 0) == pid && status == 0 && shmctl(id, SHM_UNLOCK, NULL) == 0);
    mode = mode_of(id);
    say("unlocked by its owner: mode %d%d%d\n", mode >> 6, mode >> 3 & 7, mode & 7);
}

int main(void)
{
    check(raw_syscall(NR_unshare, NEWIPC, 0, 0, 0, 0, 0) == 0);
    limits();
    int first = shmget(IPC_PRIVATE, 4096, 0600), second = shmget(0x51, 12288, IPC_CREAT | 0600);
    int set = semget(IPC_PRIVATE, 3, 0600), queue = msgget(IPC_PRIVATE, 0600);
    check(first >= 0 && second >= 0 && set >= 0 && queue >= 0);
    char *area = shmat(second, NULL, 0);
    check((long)area != -1);
    area[5000] = 1;
    check(msgsnd(queue, &message, 8, 0) == 0 && msgsnd(queue, &message, 1, 0) == 0);
    cr_point();
    usage();
    slots(first, second);
    locks(first);
    check(semctl(0, 0, SEM_STAT, pointer()) == set && msgctl(0, MSG_STAT, &told) == queue);
    check(semctl(set, 0, SEM_INFO, pointer()) == 0);
    say("set 0: %d semaphores, ", told.sem.adjust);
    check(msgctl(queue, MSG_INFO, &told) == 0);
    say("queue 0: %d messages\n", told.msg.map);
    check(shmctl(first, 99, &told) == -1);
    say("no such command: %d ", errno);
    check(semctl(set, 0, 99, pointer()) == -1);
    say("%d ", errno);
    check(msgctl(queue, 99, &told) == -1);
    say("%d\n", errno);
    return 0;
}
