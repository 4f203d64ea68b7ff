/* Makes system calls at random, with arguments that may mean something: `any_calls SEED COUNT`.
 *
 * Descriptors of every kind, pointers to bytes that look like structures, numbers at the ends of
 * their types. Nothing is checked: the question is what the kernel does.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BYTES 8192

static uint64_t state;
static unsigned char *memory;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static void on_signal(int signal)
{
    (void)signal;
}

static int tcp(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM, 0), caller = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&here, sizeof here);
    listen(listener, 3);
    getsockname(listener, (struct sockaddr *)&here, &length);
    connect(caller, (struct sockaddr *)&here, sizeof here);
    return accept(listener, NULL, NULL);
}

/* Some 40 descriptors, from 3 on. */
static void open_everything(void)
{
    int pair[2], unlock = 0;
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    mkdir("/dir", 0777);
    chdir("/dir");
    open("file", O_CREAT | O_RDWR, 0666);
    open(".", O_RDONLY | O_DIRECTORY);
    symlink("file", "link");
    mkfifo("fifo", 0666);
    open("fifo", O_RDWR);
    open("gone", O_CREAT | O_RDWR, 0600);
    unlink("gone");
    pipe(pair);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
    tcp();
    socket(AF_INET, SOCK_DGRAM, 0);
    socket(AF_INET6, SOCK_STREAM, 0);
    socket(AF_NETLINK, SOCK_RAW, 0);
    eventfd(3, 0);
    timerfd_create(CLOCK_MONOTONIC, 0);
    epoll_create1(0);
    inotify_init();
    signalfd(-1, &mask, 0);
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    ioctl(master, TIOCSPTLCK, &unlock);
    open(ptsname(master), O_RDWR | O_NOCTTY);
    syscall(SYS_memfd_create, "memory", 0);
    open("/proc/self/maps", O_RDONLY);
    open("/proc/self/ns/net", O_RDONLY);
    open("/dev/zero", O_RDWR);
    mkdir("/freezer", 0777);
    mount("x", "/freezer", "cgroup", 0, "freezer");
    open("/freezer/tasks", O_RDWR);
    semget(77, 3, IPC_CREAT | 0600);
    msgget(77, IPC_CREAT | 0600);
    shmget(77, 8192, IPC_CREAT | 0600);
}

static const char *const names[] = {"file", "link", "fifo", ".", "/", "/proc/self/fd", "new", "/dev",
                                    "", "/dir/file", "tmpfs", "size=4k", "/dir/no/where", "freezer"};

/* What a pointer points to: names, small numbers, large ones, addresses of other places. */
static void fill(unsigned char *place)
{
    switch (draw(5)) {
    case 0:
        strcpy((char *)place, names[draw(sizeof names / sizeof *names)]);
        break;
    case 1:
        for (int i = 0; i < 32; i++)
            ((uint32_t *)place)[i] = draw(64);
        break;
    case 2:
        for (int i = 0; i < 16; i++)
            ((unsigned long *)place)[i] =
                draw(2) ? (unsigned long)(memory + draw(BYTES - 512)) : draw(300);
        break;
    case 3:
        for (int i = 0; i < 128; i++)
            place[i] = (unsigned char)draw(256);
        break;
    default:
        memset(place, draw(2) ? 0xff : 0, 128);
    }
}

static long argument(void)
{
    unsigned char *place = memory + (draw(BYTES - 512) & ~7u);
    switch (draw(12)) {
    case 0:
    case 1:
    case 2:
        fill(place);
        return (long)place;
    case 3:
    case 4:
    case 5:
        return draw(48);
    case 6:
        return draw(1024);
    case 7:
        return 1l << draw(8 * sizeof(long));
    case 8:
        return -(long)draw(200);
    case 9:
        return draw(2) ? (long)(~0ul >> 1) : (long)(~(~0ul >> 1));
    case 10:
        return (long)draw(0x7fffffff) << draw(33);
    default:
        return 0;
    }
}

static int ends_the_game(long number)
{
    return number == SYS_exit || number == SYS_exit_group || number == SYS_pause
        || number == SYS_vfork || number == SYS_rt_sigsuspend || number == SYS_reboot;
}

int main(int argc, char **argv)
{
    struct itimerval often = {{0, 2000}, {0, 2000}};
    struct sigaction action = {.sa_handler = on_signal};
    if (argc != 3)
        return 2;
    state = strtoull(argv[1], NULL, 10) * 2 + 1;
    memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    open_everything();
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGIO, &action, NULL);
    pid_t me = getpid();
    for (long left = atol(argv[2]); left > 0; left--) {
        long number = draw(400);
        if (ends_the_game(number))
            continue;
        setitimer(ITIMER_REAL, &often, NULL);
        syscall(number, argument(), argument(), argument(), argument(), argument(), argument());
        if (syscall(SYS_getpid) != me)
            _exit(0);
    }
    return 0;
}
