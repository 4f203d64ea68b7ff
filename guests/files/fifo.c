/* FIFOs: who opens one side waits for the other; not with O_NONBLOCK, nor for both sides at once;
 * the end of the last writer is the end.
 *
 * order: any
 * prints:
 *     a FIFO of mode 640
 *     nobody reads: 6; to read without waiting: ok, read 0
 *     both sides at once: ok
 *     the writer waited for the reader: said
 *     the reader waited for the writer
 *     interrupted: 4
 *     the end: 0, a new writer, and more: again
 *     without readers: 32, signal 13
 */
#include "guest.h"

static volatile int came;

static void on_signal(int signal)
{
    came = signal;
}

static void nap(void)
{
    struct timespec time = {0, 5000000};
    nanosleep(&time, NULL);
}

static pid_t child(int flags, int send)
{
    pid_t pid = fork();
    if (pid == 0) {
        char text[8];
        int fd = open("fifo", flags);
        check(fd >= 0);
        if (flags == O_WRONLY)
            check(write(fd, send ? "again" : "said", 6) == 6);
        else
            check(read(fd, text, 6) == 6);
        _exit(0);
    }
    return pid;
}

int main(void)
{
    struct stat st;
    struct sigaction action;
    char text[8];
    int status;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGPIPE, &action, NULL) == 0);
    check(raw_syscall(NR_mknod, (long)"fifo", S_IFIFO | 0640, 0, 0, 0, 0) == 0);
    check(stat("fifo", &st) == 0 && (st.st_mode & S_IFMT) == S_IFIFO);
    say("a FIFO of mode %o\n", st.st_mode & 0777);
    int nobody = open("fifo", O_WRONLY | O_NONBLOCK) < 0 ? errno : 0;
    int fd = open("fifo", O_RDONLY | O_NONBLOCK);
    say("nobody reads: %d; to read without waiting: %s, read %d\n", nobody, fd >= 0 ? "ok" : "no",
        (int)read(fd, text, 1));
    close(fd);
    fd = open("fifo", O_RDWR);
    check(write(fd, "z", 1) == 1 && read(fd, text, 1) == 1);
    say("both sides at once: ok\n");
    close(fd);
    pid_t pid = child(O_WRONLY, 0);
    nap();
    fd = open("fifo", O_RDONLY);
    check(read(fd, text, 6) == 6);
    say("the writer waited for the reader: %s\n", text);
    close(fd);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    pid = child(O_RDONLY, 0);
    nap();
    fd = open("fifo", O_WRONLY);
    check(write(fd, "hello", 6) == 6);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    say("the reader waited for the writer\n");
    close(fd);
    pid = fork();
    if (pid == 0) {
        nap();
        check(kill(getppid(), SIGUSR1) == 0);
        _exit(0);
    }
    say("interrupted: %d\n", open("fifo", O_RDONLY) < 0 ? errno : 0);
    check(waitpid(pid, &status, 0) == pid && status == 0);
    pid = child(O_WRONLY, 0);
    fd = open("fifo", O_RDONLY);
    check(read(fd, text, 6) == 6 && waitpid(pid, &status, 0) == pid);
    int end = (int)read(fd, text, 1);
    pid = child(O_WRONLY, 1);
    check(waitpid(pid, &status, 0) == pid && read(fd, text, 6) == 6);
    say("the end: %d, a new writer, and more: %s\n", end, text);
    int out = open("fifo", O_WRONLY);
    close(fd);
    ssize_t n = write(out, "x", 1);
    say("without readers: %d, signal %d\n", n < 0 ? errno : 0, came);
    return 0;
}
