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
    moment();
    kill(child, way == STOPPED ? SIGSTOP : SIGUSR1);
    if (way == STOPPED) {
        check(waitpid(child, &status, WUNTRACED) == child);
        kill(child, SIGCONT);
    }
    moment();
    kill(child, SIGKILL);
    check(waitpid(child, &status, 0) == child);
    if ((status & 0x7F) == SIGKILL)
        return "goes on";
    return status == 0x100 ? "EINTR" : "something else";
}
#endif
