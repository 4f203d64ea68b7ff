/* A thread ends while it holds a robust mutex: who waits for it hears of that, and can repair it.
 *
 * libc: musl
 * prints:
 *     owner ends
 *     waiter: owner died 1
 *     consistent: 0
 *     unlocked: 0
 *     another process died with it: 1
 */
#include "guest.h"
#include <pthread.h>

static pthread_mutex_t *lock;
static int ready[2];

static void *owner(void *argument)
{
    check(pthread_mutex_lock(lock) == 0);
    check(write(ready[1], "r", 1) == 1);
    struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
    say("owner ends\n");
    return argument;
}

int main(void)
{
    pthread_mutexattr_t kind;
    pthread_t thread;
    char byte;
    int status;
    lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(lock != MAP_FAILED && pipe(ready) == 0);
    check(pthread_mutexattr_init(&kind) == 0);
    check(pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0);
    check(pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0);
    check(pthread_mutex_init(lock, &kind) == 0);
    check(pthread_create(&thread, NULL, owner, NULL) == 0);
    check(read(ready[0], &byte, 1) == 1);
    status = pthread_mutex_lock(lock);
    say("waiter: owner died %d\n", status == EOWNERDEAD);
    say("consistent: %d\n", pthread_mutex_consistent(lock));
    say("unlocked: %d\n", pthread_mutex_unlock(lock));
    check(pthread_join(thread, NULL) == 0);
    pid_t child = fork();
    if (child == 0) {
        check(pthread_mutex_lock(lock) == 0);
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child);
    say("another process died with it: %d\n", pthread_mutex_lock(lock) == EOWNERDEAD);
    return 0;
}
