/* A thread that is not the leader executes a program: the others end, the number stays.
 *
 * libc: musl
 * prints:
 *     3 threads
 *     the same process 1, one thread 1
 *     parent: 5
 */
#include "guest.h"
#include <pthread.h>

static void *rest(void *argument)
{
    for (;;)
        pause();
    return argument;
}

static void *run_again(void *argument)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    char *words[] = {"again", pid, NULL};
    execv("/proc/self/exe", words);
    check(!"execv came back");
    return argument;
}

int main(int argc, char **argv)
{
    pthread_t one, two;
    int status;
    if (argc == 2) {
        struct stat info;
        check(stat("/proc/self", &info) == 0);
        say("the same process %d, one thread %d\n", getpid() == atoi(argv[1]),
            (pid_t)raw_syscall(NR_gettid, 0, 0, 0, 0, 0, 0) == getpid());
        return 5;
    }
    pid_t child = fork();
    if (child == 0) {
        check(pthread_create(&one, NULL, rest, NULL) == 0);
        say("3 threads\n");
        check(pthread_create(&two, NULL, run_again, NULL) == 0);
        pause();
    }
    check(waitpid(child, &status, 0) == child);
    say("parent: %d\n", WEXITSTATUS(status));
    return 0;
}
