/* Sets what can be set to the furthest that the kernel takes. Its argument says of what.
 *
 * Each step must succeed, so that the state is really there when the next call is done.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

static int line_of_failure;

#define must(condition)                                  \
    do {                                                 \
        if (!(condition) && line_of_failure == 0)        \
            line_of_failure = __LINE__;                  \
    } while (0)

static void set(int fd, int option, int value)
{
    must(setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) == 0);
}

static void of_sockets(void)
{
    int pair[2];
    char *bytes = calloc(1, 1 << 20);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    set(pair[0], SO_PRIORITY, INT_MIN);
    set(pair[0], SO_SNDBUFFORCE, INT_MAX);
    set(pair[1], SO_RCVBUFFORCE, INT_MAX);
    must(fcntl(pair[0], F_SETOWN, -getpgrp()) == 0 && fcntl(pair[0], F_SETSIG, 64) == 0);
    for (int i = 0; i < 17; i++)
        must(write(pair[0], bytes, 1 << 20) == 1 << 20);
}

static void queue(int signal, int code)
{
    siginfo_t info;
    memset(&info, 0xa5, sizeof info);
    info.si_signo = signal;
    info.si_code = code;
    must(syscall(SYS_rt_sigqueueinfo, getpid(), signal, &info) == 0);
}

static void of_signals(void)
{
    static const int codes[] = {-77, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO, INT_MIN};
    struct { void *handler; unsigned long flags; void *restorer; unsigned long mask[2]; } action = {
        (void *)5, ~0ul, (void *)-1l, {~0ul, ~0ul}};
    stack_t stack = {.ss_sp = (void *)ULONG_MAX, .ss_size = 0xffffffff};
    sigset_t all;
    siginfo_t info;
    sigfillset(&all);
    must(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
    must(syscall(SYS_rt_sigaction, 64, &action, NULL, 8) == 0);
    must(sigaltstack(&stack, NULL) == 0);
    must(syscall(SYS_set_robust_list, -1l, 3 * sizeof(long)) == 0);
    must(syscall(SYS_set_tid_address, 1) > 0);
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        queue(40 + i, codes[i]);
    queue(SIGSEGV, 0x80);
    queue(SIGCHLD, CLD_EXITED);
    for (unsigned i = 0; i < sizeof codes / sizeof *codes + 2; i++) {
        unsigned sum = 0;
        memset(&info, 0, sizeof info);
        must(sigwaitinfo(&all, &info) > 0);
        for (unsigned k = 0; k < sizeof info; k++)
            sum = 31 * sum + ((unsigned char *)&info)[k];
        printf("%d %d %x\n", info.si_signo, info.si_code, sum);
    }
}

/* What the record of linux-cr has no room for: `cr` must say so. */
static void of_a_wide_poll(void)
{
    sigset_t all;
    sigfillset(&all);
    must(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
    queue(45, 5);
    getppid();
}

static void of_a_wide_stack(void)
{
    stack_t stack = {.ss_sp = (void *)1, .ss_size = ULONG_MAX - 1};
    must(sigaltstack(&stack, NULL) == 0);
    getppid();
}

static void fill(const char *name, int descriptor)
{
    struct stat file;
    off_t most = LLONG_MAX;
    int fd = name ? open(name, O_CREAT | O_RDWR, 0600) : descriptor;
    must(ftruncate(fd, most) == 0 && pwrite(fd, "x", 1, most - 1) == 1);
    must(lseek(fd, 0, SEEK_END) == most && fstat(fd, &file) == 0 && file.st_size == most);
}

static void of_files(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = LLONG_MAX};
    uint64_t count = UINT64_MAX - 1;
    char name[NAME_MAX + 1], link[PATH_MAX];
    int fd = open("/gone", O_CREAT | O_RDWR, 0600);
    memset(name, 0xff, NAME_MAX);
    memset(link, 'y', PATH_MAX - 1);
    name[NAME_MAX] = link[PATH_MAX - 1] = 0;
    memcpy(name + 3, "\n\"\\\1\33[31m", 9);
    must(unlink("/gone") == 0);
    fill(NULL, fd);
    must(fcntl(fd, F_SETLK, &lock) == 0);
    lock.l_start = 0;
    lock.l_len = LLONG_MAX;
    must(fcntl(fd, F_SETLK, &lock) == 0);
    fill(NULL, memfd_create(name + 6, 0));
    must(mkdir("/m", 0777) == 0 && mount("x", "/m", "tmpfs", 0, "size=1M") == 0);
    fill("/m/file", -1);
    must(chdir("/m") == 0 && mkdir(name, 0777) == 0 && chdir(name) == 0);
    must(symlink(link, name) == 0);
    must(write(eventfd(0, 0), &count, sizeof count) == sizeof count);
    must(prctl(PR_SET_NAME, "\xff\n\33[31m \"'\\") == 0);
}

static void try_mount(const char *kind, const char *options, int taken)
{
    int result = mount("x", "/m", kind, 0, options);
    must(taken == (result == 0));
    if (result == 0)
        must(umount("/m") == 0);
}

static void of_mounts(void)
{
    must(mkdir("/m", 0777) == 0);
    try_mount("tmpfs", "size=4611686018427383808", 1);
    try_mount("tmpfs", "nr_blocks=1125899906842623", 1);
    try_mount("tmpfs", "size=0,uid=2147483647,gid=2147483647,mode=7777777", 1);
    try_mount("devpts", "newinstance,uid=2147483647,mode=7777777,ptmxmode=7777777", 1);
    try_mount("tmpfs", "size=18446744073709551615", 0);
    try_mount("tmpfs", "nr_blocks=4611686018427387903", 0);
    try_mount("tmpfs", "size=99999999999999999999%", 0);
    try_mount("tmpfs", "size=-5", 0);
    try_mount("tmpfs", "size=1_0", 0);
    try_mount("tmpfs", "uid=-1", 0);
    try_mount("tmpfs", "gid=4294967295", 0);
    try_mount("tmpfs", "mode=8", 0);
    try_mount("devpts", "newinstance,uid=-5", 0);
}

static void of_memory(void)
{
    char *small = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t more = sizeof(long) == 8 ? 8ull << 30 : 1 << 28, most = more << 12;
    must(small != MAP_FAILED && mremap(small, 4096, more, MREMAP_MAYMOVE) != MAP_FAILED);
    if (sizeof(long) == 8)
        must(mmap(NULL, most, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

union semun {
    int value;
    void *place;
};

static void of_ipc(void)
{
    struct { long type; char text[1]; } message = {LONG_MAX, {1}};
    struct sembuf operation = {249, -32767, SEM_UNDO};
    struct msqid_ds told;
    int queue_id = msgget(IPC_PRIVATE, 0777), set_id = semget(INT_MIN, 250, IPC_CREAT | 0777);
    must(msgctl(queue_id, IPC_STAT, &told) == 0);
    told.msg_qbytes = ULONG_MAX;
    told.msg_perm.uid = 0xfffffffe;
    must(msgctl(queue_id, IPC_SET, &told) == 0 && msgsnd(queue_id, &message, 0, 0) == 0);
    must(semctl(set_id, 249, SETVAL, (union semun){32767}) == 0);
    must(semop(set_id, &operation, 1) == 0);
}

static void of_a_task(void)
{
    static gid_t groups[65536];
    struct rlimit limit = {RLIM_INFINITY - 1, RLIM_INFINITY};
    struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = UINT64_MAX}};
    struct sched_param priority = {.sched_priority = 99};
    char host[64];
    memset(host, 'x', sizeof host);
    for (unsigned i = 0; i < 65536; i++)
        groups[i] = 0xfffffff0 - i;
    for (int i = 0; i < RLIMIT_NLIMITS; i++)
        must(i == RLIMIT_NOFILE || setrlimit(i, &limit) == 0);
    must(sethostname("a\0\xff\n", 4) == 0 && sethostname(host, sizeof host) == 0);
    must(setgroups(65536, groups) == 0 && umask(07777) == 022);
    must(setpriority(PRIO_PROCESS, 0, -20) == 0 && prctl(PR_SET_PDEATHSIG, 64) == 0);
    must(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority) == 0);
    must(epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, eventfd(0, 0), &event) == 0);
    must(dup2(1, 1023) == 1023);
}

static void of_terminals(void)
{
    struct winsize size = {65535, 65535, 65535, 65535};
    struct termios modes;
    int on = 1, off = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    must(ioctl(master, TIOCSWINSZ, &size) == 0 && tcgetattr(master, &modes) == 0);
    modes.c_iflag = modes.c_oflag = modes.c_cflag = modes.c_lflag = UINT_MAX;
    memset(modes.c_cc, 255, sizeof modes.c_cc);
    must(ioctl(master, TCSETS, &modes) == 0 && ioctl(master, TIOCSPTLCK, &off) == 0);
    must(write(master, "abc", 3) == 3);
    must(ioctl(master, TIOCPKT, &on) == 0);
    must(ioctl(master, TIOCEXCL, 0) == 0);
}

static const struct {
    const char *name;
    void (*set)(void);
} topics[] = {
    {"sockets", of_sockets},     {"signals", of_signals},       {"files", of_files},
    {"mounts", of_mounts},       {"memory", of_memory},
    {"ipc", of_ipc},             {"task", of_a_task},           {"terminals", of_terminals},
    {"wide-poll", of_a_wide_poll}, {"wide-stack", of_a_wide_stack},
};

int main(int argc, char **argv)
{
    for (unsigned i = 0; argc == 2 && i < sizeof topics / sizeof *topics; i++)
        if (strcmp(argv[1], topics[i].name) == 0) {
            topics[i].set();
            getppid();
            if (line_of_failure)
                printf("line %d\n", line_of_failure);
            return line_of_failure != 0;
        }
    return 2;
}
