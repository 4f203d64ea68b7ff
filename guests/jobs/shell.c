/* What a shell does: a job in front, ^Z, in the background, in front again, ^C.
 *
 * prints:
 *     job read: [one\n]
 *     job is stopped by 20
 *     in the background
 *     job is stopped by 21
 *     in front
 *     job read: [two\n]
 *     job ended by 2
 *     shell: 0
 *     seen: [one\r\n^Ztwo\r\n^C]
 */
#include "tty.h"

static int report[2];

static void job(void)
{
    char bytes[20];
    check(setpgid(0, 0) == 0);
    check(make_foreground(getpid()) == 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    check(sigaction(SIGTTOU, &action, NULL) == 0);
    for (;;) {
        check(write(report[1], "r", 1) == 1);
        ssize_t n = read(slave, bytes, sizeof bytes);
        say_bytes("job read", bytes, n);
    }
}

static void shell(void)
{
    struct sigaction action;
    int status;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_IGN;
    lead_session();
    check(sigaction(SIGTTOU, &action, NULL) == 0 && sigaction(SIGTSTP, &action, NULL) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        action.sa_handler = SIG_DFL;
        check(sigaction(SIGTSTP, &action, NULL) == 0);
        job();
    }
    check(waitpid(pid, &status, WUNTRACED) == pid);
    say("job is stopped by %d\n", WSTOPSIG(status));
    check(make_foreground(getpid()) == 0);
    cr_point();
    say("in the background\n");
    check(kill(-pid, SIGCONT) == 0);
    check(waitpid(pid, &status, WUNTRACED) == pid);
    say("job is stopped by %d\n", WSTOPSIG(status));
    check(make_foreground(pid) == 0 && kill(-pid, SIGCONT) == 0);
    say("in front\n");
    check(write(report[1], "r", 1) == 1);
    check(waitpid(pid, &status, WUNTRACED) == pid);
    say("job ended by %d\n", WTERMSIG(status));
    check(make_foreground(getpid()) == 0);
    _exit(0);
}

static void key(const char *keys)
{
    char byte;
    struct timespec moment = {0, 30000000};
    check(read(report[0], &byte, 1) == 1);
    nanosleep(&moment, NULL);
    type(keys);
}

int main(void)
{
    check(pipe(report) == 0);
    open_pty();
    pid_t pid = fork();
    if (pid == 0)
        shell();
    key("one\n");
    key("\032");
    key("two\n");
    key("\003");
    say("shell: %d\n", end_of(pid));
    shown("seen");
    return 0;
}
