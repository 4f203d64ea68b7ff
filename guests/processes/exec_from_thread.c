/* A thread that is not the first executes a program: all others are gone, it has the process's
 * number, its children and its open files; the parent sees one process that ends once.
 *
 * libc: musl
 * order: any
 * prints:
 *     thread: not the first
 *     new program: the number is the process's, one thread, the child is its own
 *     parent: exit status 7
 */
#include "guest.h"
#include <pthread.h>

static char number[16], child[16];

static void *sleep_on(void *argument)
{
    for (;;)
        pause();
    return argument;
}

static void *run(void *argument)
{
    char *arguments[] = {"new", number, child, NULL};
    check(raw_syscall(NR_gettid, 0, 0, 0, 0, 0, 0) != getpid());
    say("thread: not the first\n");
    execve("/proc/self/exe", arguments, environ);
    _exit(1);
    return argument;
}

static int be_the_new_program(char **argv)
{
    int status;
    check(getpid() == atoi(argv[1]) && raw_syscall(NR_gettid, 0, 0, 0, 0, 0, 0) == getpid());
    check(waitpid(atoi(argv[2]), &status, 0) == atoi(argv[2]) && status == 0);
    check(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
    say("new program: the number is the process's, one thread, the child is its own\n");
    return 7;
}

int main(int argc, char **argv)
{
    pthread_t one, two;
    int status;
    if (argc > 2)
        return be_the_new_program(argv);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(0);
        snprintf(number, sizeof number, "%d", getpid());
        snprintf(child, sizeof child, "%d", grandchild);
        check(pthread_create(&one, NULL, sleep_on, NULL) == 0);
        check(pthread_create(&two, NULL, run, NULL) == 0);
        pause();
    }
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    say("parent: exit status %d\n", WEXITSTATUS(status));
    check(waitpid(pid, &status, 0) == -1 && errno == ECHILD);
    return 0;
}
