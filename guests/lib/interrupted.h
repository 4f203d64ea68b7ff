/* A child sleeps in a system call, and something happens to it: what becomes of the call.
 *
 * The story says how to sleep in each of its calls (`sleep_in`).
 */
#ifndef INTERRUPTED_H
#define INTERRUPTED_H
#include "guest.h"

enum { HANDLER, WITH_RESTART, STOPPED, WAYS };

static volatile int seen;

long sleep_in(int call);

static void handler(int signal)
{
    seen = signal;
}

static void moment(void)
{
    struct timespec time = {0, 30000000};
    while (nanosleep(&time, &time) != 0)
        check(errno == EINTR);
}

/* Waits until a process sleeps, by the letter of its state. */
static void until_asleep(pid_t pid)
{
    char path[32], text[64];
    ssize_t size;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    do {
        moment();
        int fd = open(path, O_RDONLY);
        check(fd >= 0 && (size = read(fd, text, sizeof text - 1)) > 0);
        close(fd);
        text[size] = 0;
    } while (strchr(text, ')')[2] != 'S');
}

/* Whether a child ends soon enough, with its status. */
static int ends(pid_t child, int *status)
{
    for (int moments = 0; moments < 10; moments++) {
        moment();
        if (waitpid(child, status, WNOHANG) == child)
            return 1;
    }
    return 0;
}

/* A child sleeps in the call; what the signal does to it. */
static const char *outcome(int call, int way)
{
    int status;
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = handler;
        action.sa_flags = way == WITH_RESTART ? SA_RESTART : 0;
        check(sigaction(SIGUSR1, &action, NULL) == 0);
        long result = sleep_in(call);
        _exit(result == -EINTR ? 1 : 2);
    }
    until_asleep(child);
    kill(child, way == STOPPED ? SIGSTOP : SIGUSR1);
    if (way == STOPPED) {
        check(waitpid(child, &status, WUNTRACED) == child);
        kill(child, SIGCONT);
    }
    if (ends(child, &status))
        return status == 0x100 ? "EINTR" : "something else";
    kill(child, SIGKILL);
    check(waitpid(child, &status, 0) == child && (status & 0x7F) == SIGKILL);
    return "goes on";
}
#endif
