/* A thread is woken at a futex, and stopped with its process before it could look: when it goes on,
 * it was woken all the same.
 *
 * libc: musl
 * prints:
 *     stopped
 *     one was woken, its call returned 0
 */
#include "guest.h"
#include <pthread.h>

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

static volatile int word;

static void *waiter(void *result)
{
    *(long *)result = raw_syscall(NR_futex, (long)&word, FUTEX_WAIT, 0, 0, 0, 0);
    return result;
}

static void process(void)
{
    struct timespec moment = {0, 2000000};
    pthread_t thread;
    long result = -1, woken;
    check(pthread_create(&thread, NULL, waiter, &result) == 0);
    do {
        nanosleep(&moment, NULL);
        woken = raw_syscall(NR_futex, (long)&word, FUTEX_WAKE, 1, 0, 0, 0);
    } while (!woken);
    check(raise(SIGSTOP) == 0);
    check(pthread_join(thread, NULL) == 0);
    say("one was woken, its call returned %d\n", (int)result);
    _exit(0);
}

int main(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        process();
    check(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    say("stopped\n");
    check(kill(child, SIGCONT) == 0);
    check(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
