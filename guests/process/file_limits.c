/* Limits on files: how many descriptors, and how long a file may become; SIGXFSZ, and who may
 * raise them again.
 *
 * prints:
 *     five more, then 24; dup 24, dup2 above: 9, fcntl above: 22, pipe: 24
 *     what is open above stays open
 *     a file of 100: wrote 10, then 0 and signal 25, errno 27
 *     ignored: errno 27
 *     a child has them: 24
 *     soft above hard: 22, back to hard: 0
 */
#include "guest.h"

static volatile int came;

static void on_signal(int signal)
{
    came = signal;
}

int main(void)
{
    struct rlimit limit = {8, 12}, shown;
    struct sigaction action;
    int ends[2], opened = 0, status;
    int high = open("file", O_RDWR | O_CREAT, 0644);
    check(high == 3 && dup2(high, 11) == 11 && close(3) == 0);
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (open("/dev/null", O_RDONLY) >= 0)
        opened++;
    int error = errno, again = dup(0) < 0 ? errno : 0, above = dup2(0, 8) < 0 ? errno : 0;
    int from = fcntl(0, F_DUPFD, 8) < 0 ? errno : 0, made = pipe(ends) < 0 ? errno : 0;
    check(opened == 5);
    say("five more, then %d; dup %d, dup2 above: %d, fcntl above: %d, pipe: %d\n", error, again,
        above, from, made);
    check(write(11, "x", 1) == 1);
    say("what is open above stays open\n");
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    check(sigaction(25, &action, NULL) == 0);
    limit.rlim_cur = 100;
    limit.rlim_max = RLIM_INFINITY;
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    check(lseek(11, 90, SEEK_SET) == 90);
    ssize_t part = write(11, "a text of more than ten", 23);
    ssize_t none = write(11, "more", 4);
    say("a file of 100: wrote %d, then %d and signal %d, errno %d\n", (int)part,
        none < 0 ? 0 : (int)none, came, errno);
    action.sa_handler = (void (*)(int))1;
    check(sigaction(25, &action, NULL) == 0 && write(11, "more", 4) == -1);
    say("ignored: errno %d\n", errno);
    pid_t pid = fork();
    if (pid == 0)
        _exit(open("/dev/null", O_RDONLY) < 0 ? errno : 0);
    check(waitpid(pid, &status, 0) == pid);
    say("a child has them: %d\n", WEXITSTATUS(status));
    check(getrlimit(RLIMIT_NOFILE, &shown) == 0 && shown.rlim_cur == 8 && shown.rlim_max == 12);
    limit.rlim_cur = 13;
    limit.rlim_max = 12;
    int wrong = setrlimit(RLIMIT_NOFILE, &limit) < 0 ? errno : 0;
    limit.rlim_cur = 12;
    say("soft above hard: %d, back to hard: %d\n", wrong, setrlimit(RLIMIT_NOFILE, &limit));
    return 0;
}
