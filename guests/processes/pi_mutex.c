/* Mutexes of the C library with PTHREAD_PRIO_INHERIT, robust ones too: the kernel arbitrates, and a
 * dead owner's mutex comes with EOWNERDEAD.
 *
 * libc: musl
 * order: any
 * prints:
 *     4 threads, 200 turns
 *     busy: EBUSY, in time: ETIMEDOUT
 *     a dead owner: EOWNERDEAD, made consistent, 0
 */
#include "guest.h"
#include <pthread.h>

enum { THREADS = 4, TURNS = 50 };
static pthread_mutex_t mutex, robust;
static volatile int turns;

static void *take_turns(void *argument)
{
    for (int i = 0; i < TURNS; i++) {
        check(pthread_mutex_lock(&mutex) == 0);
        int before = turns;
        if (i % 10 == 0)
            sched_yield();
        turns = before + 1;
        check(pthread_mutex_unlock(&mutex) == 0);
    }
    return argument;
}

static void *find_busy(void *argument)
{
    struct timespec soon;
    int busy = pthread_mutex_trylock(&mutex);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 5000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_sec++;
        soon.tv_nsec -= 1000000000;
    }
    int late = pthread_mutex_timedlock(&mutex, &soon);
    say("busy: %s, in time: %s\n", busy == EBUSY ? "EBUSY" : "another",
        late == ETIMEDOUT ? "ETIMEDOUT" : "another");
    return argument;
}

static void *die_with_it(void *argument)
{
    check(pthread_mutex_lock(&robust) == 0);
    return argument;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    pthread_t threads[THREADS];
    pthread_mutexattr_init(&attributes);
    check(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0);
    check(pthread_mutex_init(&mutex, &attributes) == 0);
    check(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    check(pthread_mutex_init(&robust, &attributes) == 0);
    for (int i = 0; i < THREADS; i++)
        check(pthread_create(&threads[i], NULL, take_turns, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        check(pthread_join(threads[i], NULL) == 0);
    say("%d threads, %d turns\n", THREADS, turns);
    check(pthread_mutex_lock(&mutex) == 0);
    check(pthread_create(&threads[0], NULL, find_busy, NULL) == 0);
    check(pthread_join(threads[0], NULL) == 0);
    check(pthread_create(&threads[0], NULL, die_with_it, NULL) == 0);
    check(pthread_join(threads[0], NULL) == 0);
    int died = pthread_mutex_lock(&robust);
    int consistent = pthread_mutex_consistent(&robust);
    check(pthread_mutex_unlock(&robust) == 0 && pthread_mutex_lock(&robust) == 0);
    say("a dead owner: %s, made consistent, %d\n", died == EOWNERDEAD ? "EOWNERDEAD" : "another",
        consistent);
    return 0;
}
