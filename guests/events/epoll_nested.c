/* epoll sets in epoll sets: news travel upwards, circles are refused; waiting ends in time.
 *
 * prints:
 *     inner: 0
 *     outer: 0
 *     outer, after the child wrote: 1 2/1
 *     inner: 1 1/1
 *     outer, emptied: 0
 *     a circle: 40
 *     half a second later: 0
 *     interrupted: 4
 */
#include "epoll.h"

static void nothing(int signal)
{
    (void)signal;
}

int main(void)
{
    int pair[2], status;
    char byte;
    struct sigaction action;
    struct event event;
    struct itimerval timer;
    int inner = set_new(), outer = set_new();
    check(pipe(pair) == 0);
    check(control(inner, ADD, pair[0], IN, 1) == 0 && control(outer, ADD, inner, IN, 2) == 0);
    news(inner, "inner", 8, 0);
    news(outer, "outer", 8, 0);
    pid_t child = fork();
    if (child == 0) {
        check(write(pair[1], "x", 1) == 1);
        _exit(0);
    }
    news(outer, "outer, after the child wrote", 8, -1);
    check(waitpid(child, &status, 0) == child && status == 0);
    news(inner, "inner", 8, 0);
    check(read(pair[0], &byte, 1) == 1);
    news(outer, "outer, emptied", 8, 0);
    say("a circle: %d\n", control(inner, ADD, outer, IN, 3));
    news(outer, "half a second later", 8, 500);
    memset(&action, 0, sizeof action);
    memset(&timer, 0, sizeof timer);
    action.sa_handler = nothing;
    action.sa_flags = SA_RESTART;
    check(sigaction(SIGALRM, &action, NULL) == 0);
    timer.it_value.tv_usec = 50000;
    check(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    say("interrupted: %ld\n", -raw_syscall(NR_epoll_wait, outer, (long)&event, 1, -1, 0, 0));
    return 0;
}
