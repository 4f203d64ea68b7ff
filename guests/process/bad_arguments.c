/* Numbers and lengths that no call takes: each is refused with the errno of its man page.
 *
 * prints:
 *     ids that nobody has: 22 22
 *     a group below zero: 22
 *     a clock without timers: 95 95
 *     a descriptor comes first: 9
 *     a pipe of four gigabytes: 22
 *     a device mode with the highest bit: 22
 *     random bytes to nowhere: 14
 *     a program without a name: 2
 *     an argument of 200 kilobytes: 7
 *     shrink what reaches out of user space: refused
 *     a file that grows downwards: 22
 *     unknown requests of System V: 22 22 22
 *     the oldest futex operation: 38
 */
#include "guest.h"
#include "sysv.h"

#define CLOCK_RAW 4
#define GROWSDOWN 0x100
#define ANY(call, ...) (int)-raw_syscall(NR_##call, __VA_ARGS__)

static char big[200000];
static char *arguments[] = {"x", big, NULL};
static char *nothing[] = {NULL};

int main(void)
{
    int ends[2], word = 0;
    struct timespec moment = {0, 1};
    long page = 4096;
    union semun none = {0};
    say("ids that nobody has: %d %d\n", ANY(setuid, -1, 0, 0, 0, 0, 0),
        ANY(setgid, -1, 0, 0, 0, 0, 0));
    say("a group below zero: %d\n", ANY(setpgid, -1, 0, 0, 0, 0, 0));
    say("a clock without timers: %d %d\n",
        ANY(clock_nanosleep, CLOCK_RAW, 0, (long)&moment, 0, 0, 0),
        ANY(timer_create, CLOCK_RAW, 0, (long)&word, 0, 0, 0));
    say("a descriptor comes first: %d\n", ANY(fallocate, 99, 0, 0, 0, 0, 0));
    check(pipe(ends) == 0);
    say("a pipe of four gigabytes: %d\n", ANY(fcntl, ends[0], F_SETPIPE_SZ, -1, 0, 0, 0));
    say("a device mode with the highest bit: %d\n",
        ANY(mknod, (long)"node", (long)0xFFFFFFFFu, 0, 0, 0, 0));
    say("random bytes to nowhere: %d\n", ANY(getrandom, 8, 10, 0, 0, 0, 0));
    say("a program without a name: %d\n",
        ANY(execve, (long)"", (long)nothing, (long)nothing, 0, 0, 0));
    memset(big, 'x', sizeof big - 1);
    check(close(open("program", O_WRONLY | O_CREAT, 0755)) == 0);
    say("an argument of 200 kilobytes: %d\n",
        ANY(execve, (long)"program", (long)arguments, (long)nothing, 0, 0, 0));
    char *area = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(area != MAP_FAILED);
    check(ANY(mremap, (long)area, -(2 * page), page, 0, 0, 0) > 0 && area[page] == 0);
    say("shrink what reaches out of user space: refused\n");
    int file = open("file", O_RDWR | O_CREAT, 0644);
    void *down = mmap(NULL, page, PROT_READ, MAP_SHARED | GROWSDOWN, file, 0);
    check(down == MAP_FAILED);
    say("a file that grows downwards: %d\n", errno);
    int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    int set = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    int segment = shmget(IPC_PRIVATE, page, IPC_CREAT | 0600);
    check(queue >= 0 && set >= 0 && segment >= 0);
    int one = msgctl(queue, 99, NULL) == -1 ? errno : 0;
    int two = semctl(set, 0, 99, none) == -1 ? errno : 0;
    int three = shmctl(segment, 99, NULL) == -1 ? errno : 0;
    say("unknown requests of System V: %d %d %d\n", one, two, three);
    check(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID, none) == 0);
    check(shmctl(segment, IPC_RMID, NULL) == 0);
    say("the oldest futex operation: %d\n", ANY(futex, (long)&word, 2, 0, 0, 0, 0));
    return 0;
}
