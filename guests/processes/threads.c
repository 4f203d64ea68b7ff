/* Threads of the C library: a mutex, a condition variable, join, and thread-local data.
 *
 * libc: musl
 * order: any
 * prints:
 *     4 threads counted to 400
 *     sum of thread-local values 10
 *     consumer took 20 items, sum 190
 */
#include "guest.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int total;
static __thread int own;
static int slot = -1, taken, sum;

static void *count(void *argument)
{
    own = (int)(long)argument;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&lock);
        total++;
        if (i % 25 == 0)
            cr_point();
        pthread_mutex_unlock(&lock);
    }
    return (void *)(long)own;
}

static void *consume(void *argument)
{
    while (taken < 20) {
        pthread_mutex_lock(&lock);
        while (slot < 0)
            pthread_cond_wait(&changed, &lock);
        sum += slot;
        slot = -1;
        taken++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[4];
    for (long i = 0; i < 4; i++)
        check(pthread_create(&threads[i], NULL, count, (void *)(i + 1)) == 0);
    long values = 0;
    for (int i = 0; i < 4; i++) {
        void *result;
        check(pthread_join(threads[i], &result) == 0);
        values += (long)result;
    }
    say("4 threads counted to %d\n", total);
    say("sum of thread-local values %ld\n", values);
    pthread_t consumer;
    check(pthread_create(&consumer, NULL, consume, NULL) == 0);
    for (int i = 0; i < 20; i++) {
        pthread_mutex_lock(&lock);
        while (slot >= 0)
            pthread_cond_wait(&changed, &lock);
        slot = i;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    check(pthread_join(consumer, NULL) == 0);
    say("consumer took %d items, sum %d\n", taken, sum);
    return 0;
}
