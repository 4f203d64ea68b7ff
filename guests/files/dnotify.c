/* dnotify: a signal says that something has happened in a directory, once or again and again,
 * until the directory is closed.
 *
 * prints:
 *     made: SIGIO
 *     only once
 *     again and again: 44 44, descriptor 7
 *     what was not asked for: nothing
 *     a child makes and goes: told
 *     closed: nothing
 *     not a directory: ENOTDIR
 */
#include "guest.h"

#define DN_CREATE 4
#define DN_DELETE 8
#define DN_MULTISHOT 0x80000000u

static volatile int count, number, descriptor;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    char *fields = (char *)info + (sizeof(long) == 8 ? 16 : 12);
    (void)context;
    count++;
    number = signal;
    descriptor = *(int *)(fields + sizeof(long));
}

static int came(void)
{
    int n = count;
    count = 0;
    return n;
}

static void make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    check(fd >= 0 && close(fd) == 0);
}

int main(void)
{
    struct sigaction action;
    int status;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    check(sigaction(29, &action, NULL) == 0 && sigaction(44, &action, NULL) == 0);
    check(mkdir("d", 0755) == 0);
    int fd = open("d", O_RDONLY);
    check(dup2(fd, 7) == 7 && close(fd) == 0);
    check(fcntl(7, F_NOTIFY, (long)DN_CREATE) == 0 && fcntl(7, F_GETOWN) == getpid());
    make("d/a");
    check(came() == 1 && number == 29);
    say("made: SIGIO\n");
    make("d/b");
    check(came() == 0);
    say("only once\n");
    check(fcntl(7, F_SETSIG, 44) == 0);
    check(fcntl(7, F_NOTIFY, (long)(DN_CREATE | DN_DELETE | DN_MULTISHOT)) == 0);
    make("d/c");
    check(came() == 1);
    int first = number;
    check(unlink("d/c") == 0 && came() == 1);
    say("again and again: %d %d, descriptor %d\n", first, number, descriptor);
    check(chmod("d/a", 0600) == 0 && came() == 0);
    say("what was not asked for: nothing\n");
    pid_t pid = fork();
    if (pid == 0) {
        make("d/of-child");
        _exit(0);
    }
    check(waitpid(pid, &status, 0) == pid && status == 0);
    check(came() == 1);
    say("a child makes and goes: told\n");
    check(close(7) == 0);
    make("d/d");
    check(came() == 0);
    say("closed: nothing\n");
    fd = open("plain", O_RDWR | O_CREAT, 0600);
    check(fcntl(fd, F_NOTIFY, (long)DN_CREATE) == -1 && errno == ENOTDIR);
    say("not a directory: ENOTDIR\n");
    return 0;
}
