/* Keys that are signals: to the foreground group, flushing what was typed, echoed as ^C.
 *
 * prints:
 *     typed: [typed in vain]
 *     signal 2
 *     shown: [^C]
 *     signal 3
 *     shown: [^\134]
 *     signal 20
 *     shown: [^Z]
 *     signal 2
 *     shown: [kept^C]
 *     the rest: [kept!\n]
 *     shown: [!\r\n]
 *     just bytes: [a\003b\n]
 */
#include "tty.h"

static volatile int last;
static int report[2];

static void handler(int signal) { last = signal; }

static void child(void)
{
    struct sigaction action;
    sigset_t set, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    for (int i = 0; i < 3; i++)
        check(sigaction(i == 0 ? SIGINT : i == 1 ? SIGQUIT : SIGTSTP, &action, NULL) == 0);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGTSTP);
    check(sigprocmask(SIG_BLOCK, &set, &before) == 0);
    lead_session();
    for (int i = 0; i < 4; i++) {
        last = 0;
        check(write(report[1], "r", 1) == 1);
        sigsuspend(&before);
        say("signal %d\n", last);
    }
    check(write(report[1], "r", 1) == 1);
    got("the rest", 100);
    _exit(0);
}

static void key(const char *keys)
{
    char byte;
    struct timespec moment = {0, 20000000};
    check(read(report[0], &byte, 1) == 1);
    nanosleep(&moment, NULL);
    type(keys);
    shown("shown");
}

int main(void)
{
    char byte;
    check(pipe(report) == 0);
    open_pty();
    pid_t pid = fork();
    if (pid == 0)
        child();
    type("typed in vain");
    shown("typed");
    key("\003");
    key("\034");
    key("\032");
    cr_point();
    local(0, NOFLSH);
    key("kept\003");
    check(read(report[0], &byte, 1) == 1);
    type("!\n");
    check(end_of(pid) == 0);
    shown("shown");
    local(ISIG, 0);
    type("a\003b\n");
    got("just bytes", 100);
    return 0;
}
