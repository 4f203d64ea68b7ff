/* Clocks of executed code: of this process, of a thread, of another process; timers on them, which
 * a sleep does not bring nearer.
 *
 * prints:
 *     work takes time, sleep takes none
 *     a child's clock goes on while it works: yes
 *     a timer of the process: signal 10 after its time
 *     a timer of the thread: signal 12 after its time, again after as much
 *     off: nothing
 *     no such task: 22, no such clock: 22
 */
#include "guest.h"

enum { PROCESS = 2, THREAD = 3 };
struct spec {
    struct timespec interval, value;
};
struct event {
    union sigval value;
    int signo, notify, tid;
    char rest[64];
};

static volatile int seen, times;

static void on_signal(int signal)
{
    seen = signal;
    times++;
}

static long long clock_of(long id)
{
    struct timespec now = {0, 0};
    long result = raw_syscall(NR_clock_gettime, id, (long)&now, 0, 0, 0, 0);
    return result < 0 ? result : now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* The number of the clock of a process. */
static long number_of(long pid)
{
    return (-pid - 1) * 8 + 2;
}

static void work(void)
{
    for (volatile int i = 0; i < 20000; i++)
        ;
}

static void timer_on(int clock, int signo, int again)
{
    struct event event;
    struct spec spec;
    int timer;
    long long begin = clock_of(clock);
    memset(&event, 0, sizeof event);
    memset(&spec, 0, sizeof spec);
    event.signo = signo;
    spec.value.tv_nsec = 300000;
    spec.interval.tv_nsec = again ? 300000 : 0;
    check(raw_syscall(NR_timer_create, clock, (long)&event, (long)&timer, 0, 0, 0) == 0);
    check(raw_syscall(NR_timer_settime, timer, 0, (long)&spec, 0, 0, 0) == 0);
    for (int turn = 1; turn <= 1 + again; turn++) {
        while (times < turn)
            work();
        check(clock_of(clock) - begin >= 300000ll * turn && seen == signo);
    }
    check(raw_syscall(NR_timer_delete, timer, 0, 0, 0, 0, 0) == 0);
    times = 0;
    work();
    check(times == 0);
}

int main(void)
{
    struct sigaction action;
    struct timespec nap = {0, 50000000};
    int status, ready[2];
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGUSR2, &action, NULL) == 0);
    long long first = clock_of(PROCESS), own = clock_of(THREAD);
    work();
    long long second = clock_of(PROCESS);
    check(second > first && clock_of(THREAD) > own);
    nanosleep(&nap, NULL);
    check(clock_of(PROCESS) - second < 40000000);
    say("work takes time, sleep takes none\n");
    check(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            work();
    }
    long long before = clock_of(number_of(pid)), after = before;
    while (after == before) {
        nap.tv_nsec = 2000000;
        nanosleep(&nap, NULL);
        after = clock_of(number_of(pid));
    }
    check(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    say("a child's clock goes on while it works: %s\n", after > before ? "yes" : "no");
    timer_on(PROCESS, SIGUSR1, 0);
    say("a timer of the process: signal %d after its time\n", seen);
    timer_on(THREAD, SIGUSR2, 1);
    say("a timer of the thread: signal %d after its time, again after as much\n", seen);
    say("off: nothing\n");
    int gone = (int)-clock_of(number_of(999999));
    say("no such task: %d, no such clock: %d\n", gone, (int)-clock_of(77));
    return 0;
}
