/* A lease on a file: its holder is told by a signal that somebody wants to open the file, who
 * waits until the holder lets go or is content with less.
 *
 * order: any
 * prints:
 *     a write lease: 1, told by F_GETLEASE
 *     not blocking: EAGAIN, and SIGIO came
 *     on its way to a read lease: 0
 *     the child has read
 *     a read lease: 0, a reader does not break it
 *     told for a writer, by the chosen signal, with the descriptor
 *     the child has written
 *     others have it open: EAGAIN EAGAIN
 *     wrong: EINVAL EINVAL EBADF
 */
#include "guest.h"

static volatile int told, band_ok;
static int leased;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    told = signal;
    band_ok = *(int *)((char *)info + 4 * sizeof(int) + (sizeof(long) == 8 ? 8 : 0)) == leased;
}

static const char *problem(int result)
{
    return result >= 0 ? "none" : errno == EAGAIN ? "EAGAIN" : errno == EINVAL ? "EINVAL"
         : errno == EBADF ? "EBADF" : "another";
}

static void nap(void)
{
    struct timespec time = {0, 20000000};
    nanosleep(&time, NULL);
}

static pid_t open_in_child(int flags, const char *text)
{
    pid_t pid = fork();
    if (pid == 0) {
        check(open("leased", flags) >= 0);
        say("%s\n", text);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    struct sigaction action;
    int status, ends[2];
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    check(sigaction(29, &action, NULL) == 0 && sigaction(40, &action, NULL) == 0);
    leased = open("leased", O_RDWR | O_CREAT, 0644);
    check(leased >= 0 && fcntl(leased, F_GETLEASE) == F_UNLCK);
    check(fcntl(leased, F_SETLEASE, F_WRLCK) == 0);
    say("a write lease: %d, told by F_GETLEASE\n", fcntl(leased, F_GETLEASE));
    const char *refused = problem(open("leased", O_RDONLY | O_NONBLOCK));
    check(told == 29);
    say("not blocking: %s, and SIGIO came\n", refused);
    check(fcntl(leased, F_SETLEASE, F_UNLCK) == 0);
    check(fcntl(leased, F_SETLEASE, F_WRLCK) == 0);
    told = 0;
    pid_t pid = open_in_child(O_RDONLY, "the child has read");
    while (!told)
        nap();
    nap();
    say("on its way to a read lease: %d\n", fcntl(leased, F_GETLEASE));
    check(fcntl(leased, F_SETLEASE, F_UNLCK) == 0);
    check(waitpid(pid, &status, 0) == pid && status == 0 && close(leased) == 0);
    leased = open("leased", O_RDONLY);
    check(fcntl(leased, F_SETLEASE, F_RDLCK) == 0 && fcntl(leased, F_SETSIG, 40) == 0);
    check(fcntl(leased, F_GETSIG) == 40);
    told = 0;
    int reader = open("leased", O_RDONLY);
    check(reader >= 0 && !told && close(reader) == 0);
    say("a read lease: %d, a reader does not break it\n", fcntl(leased, F_GETLEASE));
    pid = open_in_child(O_WRONLY, "the child has written");
    while (!told)
        nap();
    check(told == 40 && band_ok);
    say("told for a writer, by the chosen signal, with the descriptor\n");
    check(fcntl(leased, F_SETLEASE, F_UNLCK) == 0);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    int writer = open("leased", O_WRONLY);
    const char *read_lease = problem(fcntl(leased, F_SETLEASE, F_RDLCK));
    say("others have it open: %s %s\n", read_lease, problem(fcntl(leased, F_SETLEASE, F_WRLCK)));
    check(close(writer) == 0 && pipe(ends) == 0);
    const char *kind = problem(fcntl(leased, F_SETLEASE, 7));
    const char *of_pipe = problem(fcntl(ends[0], F_SETLEASE, F_RDLCK));
    say("wrong: %s %s %s\n", kind, of_pipe, problem(fcntl(99, F_SETLEASE, F_RDLCK)));
    return 0;
}
