/* Makes the system calls that a file says, and tells their answers: `calls FILE`.
 *
 * A group of calls ends with an empty line. A child of its own, an ordinary user's, makes them, in a
 * folder with files of every kind and with descriptors 3 to 36 of every kind; so no answer depends
 * on another group. An argument is one of
 *
 *     n-5    a number                  p300   that place in a block of things to point to
 *     b0     an address that is bad    S, P   the number of the process, of its parent
 *     q0     its set of semaphores, its queue, its shared memory
 *
 * A line is told for each group: its number, how the child ended, and for each call the result or
 * a negative errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLOT = 256, SLOTS = 80, MOST_CALLS = 50, FIRST_FREE = 37, USER = 1000 };
enum { CALLS_TIME = 250000 }; /* microseconds: who is not done by then waits for ever */

static unsigned char *things, *bad;
static struct answers {
    long count, ids[3], results[MOST_CALLS];
} *answers; /* shared by parent and child */
static pid_t child;

static void too_late(int signal)
{
    (void)signal;
    kill(child, SIGKILL);
}

static void within(int microseconds)
{
    struct timeval left = {microseconds / 1000000, microseconds % 1000000};
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, left}, NULL);
}

static void tcp(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM, 0), caller = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 3);
    getsockname(listener, (struct sockaddr *)&here, &length);
    connect(caller, (struct sockaddr *)&here, sizeof here);
    accept(listener, NULL, NULL);
}

static void bring_loopback_up(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ioctl(fd, SIOCSIFFLAGS, &loopback);
    close(fd);
}

static void prepare_files(int group)
{
    char name[32];
    sprintf(name, "/w/%d", group);
    mkdir(name, 0777);
    chdir(name);
    mkdir("dir", 0777);
    mkdir("shut", 0700);
    close(open("shut/x", O_CREAT | O_RDWR, 0666));
    close(open("secret", O_CREAT | O_RDWR, 0600));
    open("file", O_CREAT | O_RDWR, 0666); /* 3 */
    write(3, "0123456789abcdef", 16);
    lseek(3, 4, SEEK_SET);
    symlink("file", "link");
    symlink("loop", "loop");
    symlink("missing", "dangling");
    mkfifo("fifo", 0666);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){1024, 4096});
    setresgid(USER, USER, USER);
    setgroups(0, NULL);
    setresuid(USER, USER, USER);
}

static void open_everything(void)
{
    int pair[2], unlock = 0;
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    open(".", O_RDONLY | O_DIRECTORY); /* 4 */
    open("fifo", O_RDWR);
    open("gone", O_CREAT | O_RDWR, 0600);
    unlink("gone");
    pipe(pair); /* 7, 8 */
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
    tcp(); /* 15 to 17 */
    socket(AF_INET, SOCK_DGRAM, 0);
    socket(AF_INET6, SOCK_STREAM, 0);
    socket(AF_UNIX, SOCK_STREAM, 0);
    eventfd(3, 0);
    timerfd_create(CLOCK_MONOTONIC, 0);
    epoll_create1(0);
    inotify_init();
    signalfd(-1, &mask, 0);
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY); /* 26 */
    ioctl(master, TIOCSPTLCK, &unlock);
    open(ptsname(master), O_RDWR | O_NOCTTY);
    syscall(SYS_memfd_create, "memory", 0);
    open("/proc/self/status", O_RDONLY);
    open("/dev/zero", O_RDWR);
    open("file", O_RDONLY);
    open("file", O_WRONLY | O_APPEND);
    open("file", O_PATH); /* 33 */
    open("/dev/null", O_RDWR);
    pipe2(pair, O_NONBLOCK);
    answers->ids[0] = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
    answers->ids[1] = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    answers->ids[2] = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
    int free = dup(0);
    if (free != FIRST_FREE)
        _exit(98);
    close(free);
}

#define THING(slot, type, ...)                                                     \
    do {                                                                           \
        type thing_[] = {__VA_ARGS__};                                             \
        memcpy(things + (slot) * SLOT, thing_, sizeof thing_);                     \
    } while (0)

static void lay_out_things(void)
{
    static const char *const names[] = {
        "file", "link", "fifo", ".", "dir", "missing", "missing/x", "file/x", "", "loop",
        "/dev/null", "/proc/self/status", "dangling", "secret", "shut/x", "dir/", "..", "/",
        "dir/new", "file/"};
    unsigned char *text = things + 60 * SLOT, *more = things + 61 * SLOT;
    memset(things, 0, SLOT * SLOTS);
    memset(things + SLOT, 0xff, SLOT);
    for (int i = 0; i < 20; i++)
        strcpy((char *)things + (2 + i) * SLOT, names[i]);
    memset(things + 22 * SLOT, 'a', 2 * SLOT - 1); /* too long for a name */
    THING(24, struct timespec, {0, 1000}, {0, -1});
    THING(25, struct timespec, {0, -1}, {-1, 0});
    THING(26, struct timespec, {-1, 0}, {0, 1000000000});
    THING(27, struct timespec, {0, 1000000000}, {0, 0x3ffffffe});
    THING(28, struct timespec, {0, 0x3ffffffe}, {0, 0x3fffffff});
    THING(29, struct timespec, {0, 0x3fffffff}, {0, 1000});
    THING(30, struct itimerval, {{0, 0}, {0, 1000}});
    THING(31, struct iovec, {text, 8}, {more, 5});
    THING(32, struct iovec, {text, 8}, {(void *)16, 5});
    THING(33, struct iovec, {text, 8}, {more, (size_t)-1});
    THING(34, struct sockaddr_in, {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}});
    THING(35, struct sockaddr_in,
          {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr = {htonl(INADDR_LOOPBACK)}});
    THING(36, struct sockaddr_un, {AF_UNIX, "sock"});
    THING(37, struct sockaddr_un, {AF_UNIX, "file"});
    THING(38, struct sockaddr_un, {999, "sock"});
    THING(39, int, 1);
    THING(40, int, 4);
    THING(41, int, 16);
    THING(42, int, 128);
    THING(43, int, 1000);
    THING(44, int, -2);
    THING(45, struct msghdr, {.msg_iov = (void *)(things + 31 * SLOT), .msg_iovlen = 2});
    THING(46, struct msghdr,
          {.msg_name = things + 34 * SLOT, .msg_namelen = 16,
           .msg_iov = (void *)(things + 31 * SLOT), .msg_iovlen = 1});
    THING(47, struct msghdr, {.msg_iov = (void *)16, .msg_iovlen = 2000});
    THING(48, struct flock, {.l_type = F_RDLCK, .l_len = 10});
    THING(49, struct flock, {.l_type = F_WRLCK, .l_start = -5, .l_len = 10});
    THING(50, struct sembuf, {0, 1, IPC_NOWAIT}, {1, 2, 0});
    THING(51, struct sembuf, {0, 1, IPC_NOWAIT}, {1, -5, IPC_NOWAIT});
    THING(52, struct sembuf, {7, 1, IPC_NOWAIT});
    THING(53, long, 1 << (SIGUSR1 - 1));
    THING(54, void *, SIG_IGN);
    THING(55, struct epoll_event, {EPOLLIN, {.u64 = 5}});
    THING(56, struct pollfd, {3, POLLIN | POLLOUT, 0}, {8, POLLOUT, 0}, {99, POLLIN, 0});
    THING(57, long, 100, 200);
    THING(58, long, 200, 100);
    THING(59, long long, 100, 200);
    strcpy((char *)text, "hello, world; here is a text");
    strcpy((char *)more, "and more");
    THING(62, long, 1);
    THING(63, long, -1);
    THING(64, short, 24, 80);
    THING(66, long, 0x3ff8);
    THING(67, int, 8, 0);
    THING(68, int, 0x19980330, 0);
    THING(69, int, 0x20080522, 0);
    THING(70, struct sigevent, {.sigev_notify = SIGEV_NONE});
    THING(71, struct sigevent, {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1});
    THING(72, struct itimerspec, {{0, 0}, {0, 1000000}});
    THING(73, siginfo_t, {.si_signo = SIGUSR1, .si_code = SI_QUEUE});
    THING(74, stack_t, {.ss_sp = things, .ss_size = 100});
    THING(75, stack_t, {.ss_sp = things, .ss_size = 8192});
    THING(76, stack_t, {.ss_sp = things, .ss_size = 8192, .ss_flags = SS_DISABLE});
    THING(78, void *, text);
}

static long value(const char *token, pid_t me)
{
    long number = strtol(token + 1, NULL, 0);
    switch (*token) {
    case 'n':
        return number;
    case 'p':
        return (long)(things + number);
    case 'b':
        return (long[]){0, 16, (long)bad - 4, -1, (long)bad, (long)bad - 64}[number];
    case 'S':
        return me;
    case 'P':
        return getppid();
    default:
        return answers->ids[number];
    }
}

static void make_calls(char *lines)
{
    pid_t me = getpid();
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char token[7][32];
        long number[7];
        lay_out_things();
        sscanf(line, "%31s %31s %31s %31s %31s %31s %31s", token[0], token[1], token[2], token[3],
               token[4], token[5], token[6]);
        for (int i = 0; i < 7; i++)
            number[i] = value(token[i], me);
        long result = syscall(number[0], number[1], number[2], number[3], number[4], number[5],
                              number[6]);
        int error = errno;
        if (syscall(SYS_getpid) != me)
            _exit(0);
        answers->results[answers->count++] = result == -1 ? -error : result;
    }
}

static void run_group(int group, char *lines)
{
    char line[32 * MOST_CALLS];
    int status, length;
    memset(answers, 0, sizeof *answers);
    child = fork();
    if (child == 0) {
        signal(SIGALRM, SIG_DFL);
        setpgid(0, 0);
        prepare_files(group);
        open_everything();
        within(CALLS_TIME);
        make_calls(lines);
        _exit(0);
    }
    within(3 * CALLS_TIME);
    while (waitpid(child, &status, 0) < 0)
        ;
    within(0);
    semctl(answers->ids[0], 0, IPC_RMID);
    msgctl(answers->ids[1], IPC_RMID, NULL);
    shmctl(answers->ids[2], IPC_RMID, NULL);
    length = sprintf(line, "%d %d", group, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    for (int i = 0; i < answers->count && i < MOST_CALLS; i++)
        length += sprintf(line + length, " %ld", answers->results[i]);
    line[length] = '\n';
    write(1, line, length + 1);
}

int main(int argc, char **argv)
{
    static char text[1 << 20];
    int fd = open(argv[argc - 1], O_RDONLY), group = 0;
    long size = 0, got;
    while ((got = read(fd, text + size, sizeof text - 1 - size)) > 0)
        size += got;
    close(fd);
    umask(0);
    mkdir("/w", 0777);
    bring_loopback_up();
    signal(SIGALRM, too_late);
    things = mmap((void *)0x30000000, SLOT * SLOTS + 8192, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    bad = things + SLOT * SLOTS + 4096;
    munmap(bad, 4096);
    answers = mmap((void *)0x31000000, 4096, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (char *start = text, *end; (end = strstr(start, "\n\n")) != NULL; start = end + 2) {
        *end = 0;
        run_group(group++, start);
    }
    return 0;
}
