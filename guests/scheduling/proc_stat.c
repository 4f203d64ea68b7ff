/* What /proc/PID/stat tells of how a task shares the processor: priority, nice value, real-time
 * priority, policy; and the priority that an owner of a futex has been lent.
 *
 * prints:
 *     at first: 20 0 0 0
 *     nicer: 25 5 0 0
 *     batch: 25 5 0 3
 *     fifo 10: -11 5 10 1
 *     lent 30: -31 5 10 1
 *     given back: -11 5 10 1
 */
#include "guest.h"

enum { LOCK = 6, UNLOCK = 7, FIFO = 1, BATCH = 3 };

static void tell(const char *when, pid_t pid)
{
    static char path[64], text[1024];
    long field[64], fields = 3;
    unsigned int length = 0;
    char digits[12];
    const char *at;
    int fd;
    memcpy(path, "/proc/", 6);
    for (int rest = pid; rest > 0; rest /= 10)
        digits[length++] = (char)('0' + rest % 10);
    for (unsigned int i = 0; i < length; i++)
        path[6 + i] = digits[length - 1 - i];
    memcpy(path + 6 + length, "/stat", 6);
    fd = open(path, O_RDONLY);
    check(fd >= 0);
    long count = read(fd, text, sizeof text - 1);
    check(count > 0 && close(fd) == 0);
    text[count] = 0;
    for (at = text + count; *at != ')'; at--)
        ;
    for (at += 4; *at && fields < 60; at++) { /* behind the state, which is field 3 */
        int minus = *at == '-';
        long value = 0;
        for (at += minus; *at >= '0' && *at <= '9'; at++)
            value = value * 10 + (*at - '0');
        field[++fields] = minus ? -value : value;
    }
    say("%s: %ld %ld %ld %ld\n", when, field[18], field[19], field[40], field[41]);
}

static void become(int policy, int priority)
{
    check(raw_syscall(NR_sched_setscheduler, 0, policy, (long)&priority, 0, 0, 0) == 0);
}

static long futex(volatile unsigned int *word, int operation)
{
    return raw_syscall(NR_futex, (long)word, operation, 0, 0, 0, 0);
}

int main(void)
{
    struct timespec nap = {0, 20000000};
    int status;
    volatile unsigned int *word =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    tell("at first", getpid());
    check(raw_syscall(NR_setpriority, 0, 0, 5, 0, 0, 0) == 0);
    tell("nicer", getpid());
    become(BATCH, 0);
    tell("batch", getpid());
    become(FIFO, 10);
    tell("fifo 10", getpid());
    check(futex(word, LOCK) == 0);
    pid_t child = fork();
    if (child == 0) {
        become(FIFO, 30);
        check(futex(word, LOCK) == 0 && futex(word, UNLOCK) == 0);
        _exit(0);
    }
    nanosleep(&nap, NULL);
    tell("lent 30", getpid());
    check(futex(word, UNLOCK) == 0);
    check(waitpid(child, &status, 0) == child && status == 0);
    tell("given back", getpid());
    return 0;
}
