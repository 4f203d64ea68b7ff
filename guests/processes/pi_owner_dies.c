/* A process ends with a robust PTHREAD_PRIO_INHERIT mutex that another one waits for: it really
 * ends, and who waits gets the mutex, with EOWNERDEAD.
 *
 * libc: musl
 * order: any
 * prints:
 *     EOWNERDEAD 1
 *     owner: exit status 4
 *     unlocked 0
 */
#include "guest.h"
#include <pthread.h>

static void nap(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

int main(void)
{
    int status;
    pthread_mutexattr_t kind;
    pthread_mutex_t *mutex =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(mutex != MAP_FAILED);
    check(pthread_mutexattr_init(&kind) == 0);
    check(pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0);
    check(pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0);
    check(pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT) == 0);
    check(pthread_mutex_init(mutex, &kind) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        check(pthread_mutex_lock(mutex) == 0);
        nap(100);
        _exit(4);
    }
    nap(30);
    say("EOWNERDEAD %d\n", pthread_mutex_lock(mutex) == EOWNERDEAD);
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    say("owner: exit status %d\n", WEXITSTATUS(status));
    check(pthread_mutex_consistent(mutex) == 0);
    say("unlocked %d\n", pthread_mutex_unlock(mutex));
    return 0;
}
