/* The start of a freestanding program, and POSIX calls as thin wrappers around the bare trap. */
#include "guest.h"

int errno;
char **environ;
static unsigned long *auxiliary;

int main(int argc, char **argv, char **envp);
void guest_start(long *stack) __attribute__((noreturn));

GUEST_START;
GUEST_RESTORER;

void guest_start(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    char **end = environ = argv + argc + 1;
    while (*end)
        end++;
    auxiliary = (unsigned long *)(end + 1);
    exit(main(argc, argv, environ));
}

unsigned long getauxval(unsigned long type)
{
    for (unsigned long *pair = auxiliary; pair[0] != AT_NULL; pair += 2)
        if (pair[0] == type)
            return pair[1];
    errno = ENOENT;
    return 0;
}

char *getenv(const char *name)
{
    size_t n = strlen(name);
    for (char **each = environ; *each; each++)
        if (strncmp(*each, name, n) == 0 && (*each)[n] == '=')
            return *each + n + 1;
    return NULL;
}

/* The kernel's answer becomes POSIX's: -1 and errno. */
static long answer(long result)
{
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

#define CALL0(nr) answer(raw_syscall(nr, 0, 0, 0, 0, 0, 0))
#define CALL1(nr, a) answer(raw_syscall(nr, (long)(a), 0, 0, 0, 0, 0))
#define CALL2(nr, a, b) answer(raw_syscall(nr, (long)(a), (long)(b), 0, 0, 0, 0))
#define CALL3(nr, a, b, c) answer(raw_syscall(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0))
#define CALL6(nr, a, b, c, d, e, f) \
    answer(raw_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))

/* How a 64-bit number travels: whole, or as two registers in the order of the byte order; PowerPC
 * begins such a pair at an odd register, which leaves a hole before it. */
#if defined(__LP64__)
#define CALL_AT(nr, a, b, c, at) CALL6(nr, a, b, c, at, 0, 0)
#define CALL_SIZE(nr, a, size) CALL2(nr, a, size)
#elif defined(__powerpc__)
#define CALL_AT(nr, a, b, c, at) CALL6(nr, a, b, c, 0, (at) >> 32, at)
#define CALL_SIZE(nr, a, size) CALL6(nr, a, 0, (size) >> 32, size, 0, 0)
#else
#define CALL_AT(nr, a, b, c, at) CALL6(nr, a, b, c, at, (at) >> 32, 0)
#define CALL_SIZE(nr, a, size) CALL3(nr, a, size, (size) >> 32)
#endif

/* The name of a call that 32-bit modes have in a wider, younger version. */
#define WIDE(narrow, wide) (NR_##wide >= 0 ? (int)NR_##wide : (int)NR_##narrow)

/* ---- files ---- */

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    if (sizeof(long) == 4)
        flags |= O_LARGEFILE;
    return (int)CALL3(NR_open, path, flags, mode);
}

int close(int fd) { return (int)CALL1(NR_close, fd); }
ssize_t read(int fd, void *to, size_t n) { return CALL3(NR_read, fd, to, n); }
ssize_t write(int fd, const void *from, size_t n) { return CALL3(NR_write, fd, from, n); }
ssize_t readv(int fd, const struct iovec *parts, int n) { return CALL3(NR_readv, fd, parts, n); }
ssize_t writev(int fd, const struct iovec *parts, int n) { return CALL3(NR_writev, fd, parts, n); }

ssize_t pread(int fd, void *to, size_t n, off_t at) { return CALL_AT(NR_pread64, fd, to, n, at); }

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return CALL_AT(NR_pwrite64, fd, from, n, at);
}

off_t lseek(int fd, off_t offset, int whence)
{
    if (NR__llseek < 0)
        return CALL3(NR_lseek, fd, offset, whence);
    off_t result;
    if (CALL6(NR__llseek, fd, offset >> 32, offset, &result, whence, 0) < 0)
        return -1;
    return result;
}

int truncate(const char *path, off_t size)
{
    return (int)CALL_SIZE(WIDE(truncate, truncate64), path, size);
}

int ftruncate(int fd, off_t size) { return (int)CALL_SIZE(WIDE(ftruncate, ftruncate64), fd, size); }
int fsync(int fd) { return (int)CALL1(NR_fsync, fd); }
int dup(int fd) { return (int)CALL1(NR_dup, fd); }
int dup2(int fd, int to) { return (int)CALL2(NR_dup2, fd, to); }
int pipe(int fds[2]) { return (int)CALL1(NR_pipe, fds); }

int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    long argument = va_arg(args, long);
    va_end(args);
    return (int)CALL3(WIDE(fcntl, fcntl64), fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *argument = va_arg(args, void *);
    va_end(args);
    return (int)CALL3(NR_ioctl, fd, request, argument);
}

int stat(const char *path, struct stat *to) { return (int)CALL2(WIDE(stat, stat64), path, to); }
int lstat(const char *path, struct stat *to) { return (int)CALL2(WIDE(lstat, lstat64), path, to); }
int fstat(int fd, struct stat *to) { return (int)CALL2(WIDE(fstat, fstat64), fd, to); }
int access(const char *path, int mode) { return (int)CALL2(NR_access, path, mode); }
int chmod(const char *path, mode_t mode) { return (int)CALL2(NR_chmod, path, mode); }
int fchmod(int fd, mode_t mode) { return (int)CALL2(NR_fchmod, fd, mode); }
mode_t umask(mode_t mask) { return (mode_t)CALL1(NR_umask, mask); }
int mkdir(const char *path, mode_t mode) { return (int)CALL2(NR_mkdir, path, mode); }
int rmdir(const char *path) { return (int)CALL1(NR_rmdir, path); }
int unlink(const char *path) { return (int)CALL1(NR_unlink, path); }
int rename(const char *from, const char *to) { return (int)CALL2(NR_rename, from, to); }
int link(const char *from, const char *to) { return (int)CALL2(NR_link, from, to); }
int symlink(const char *target, const char *path) { return (int)CALL2(NR_symlink, target, path); }

ssize_t readlink(const char *path, char *to, size_t size)
{
    return CALL3(NR_readlink, path, to, size);
}

int chdir(const char *path) { return (int)CALL1(NR_chdir, path); }
int fchdir(int fd) { return (int)CALL1(NR_fchdir, fd); }
char *getcwd(char *to, size_t size) { return CALL2(NR_getcwd, to, size) < 0 ? NULL : to; }

/* ---- memory ---- */

void *mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
    if (NR_mmap2 >= 0 && sizeof(long) == 4)
        return (void *)CALL6(NR_mmap2, addr, size, prot, flags, fd, offset >> 12);
    return (void *)CALL6(NR_mmap, addr, size, prot, flags, fd, offset);
}

int munmap(void *addr, size_t size) { return (int)CALL2(NR_munmap, addr, size); }

void *mremap(void *addr, size_t old_size, size_t new_size, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    void *to = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    return (void *)CALL6(NR_mremap, addr, old_size, new_size, flags, to, 0);
}

int mprotect(void *addr, size_t n, int prot) { return (int)CALL3(NR_mprotect, addr, n, prot); }
int msync(void *addr, size_t n, int flags) { return (int)CALL3(NR_msync, addr, n, flags); }
int madvise(void *addr, size_t n, int advice) { return (int)CALL3(NR_madvise, addr, n, advice); }

/* The kernel answers brk with the break that now holds, and never with an error. */
int brk(void *addr)
{
    if ((void *)raw_syscall(NR_brk, (long)addr, 0, 0, 0, 0, 0) == addr)
        return 0;
    errno = ENOMEM;
    return -1;
}

void *sbrk(intptr_t increment)
{
    char *now = (char *)raw_syscall(NR_brk, 0, 0, 0, 0, 0, 0);
    if (increment && brk(now + increment) < 0)
        return (void *)-1;
    return now;
}

/* ---- signals ---- */

struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    sigset_t mask;
};

enum { BITS_PER_WORD = 8 * sizeof(long), SA_RESTORER = 0x04000000 };

int sigemptyset(sigset_t *set)
{
    memset(set, 0, sizeof *set);
    return 0;
}

int sigfillset(sigset_t *set)
{
    memset(set, 0xff, sizeof *set);
    return 0;
}

int sigaddset(sigset_t *set, int signal)
{
    set->words[(signal - 1) / BITS_PER_WORD] |= 1ul << (signal - 1) % BITS_PER_WORD;
    return 0;
}

int sigdelset(sigset_t *set, int signal)
{
    set->words[(signal - 1) / BITS_PER_WORD] &= ~(1ul << (signal - 1) % BITS_PER_WORD);
    return 0;
}

int sigismember(const sigset_t *set, int signal)
{
    return set->words[(signal - 1) / BITS_PER_WORD] >> (signal - 1) % BITS_PER_WORD & 1;
}

static void add_restorer(struct kernel_sigaction *action)
{
#if GUEST_NEEDS_RESTORER
    extern char guest_restorer[];
    action->restorer = guest_restorer;
    action->flags |= SA_RESTORER;
#endif
#ifdef GUEST_HAS_OLD_FRAME
    extern char guest_old_restorer[];
    if (!(action->flags & SA_SIGINFO))
        action->restorer = guest_old_restorer;
#endif
    (void)action;
}

int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    struct kernel_sigaction in, out;
    if (action) {
        in.handler = (void *)action->sa_handler;
        in.flags = action->sa_flags;
        in.restorer = NULL;
        in.mask = action->sa_mask;
        add_restorer(&in);
    }
    if (CALL6(NR_rt_sigaction, signal, action ? &in : NULL, old ? &out : NULL, sizeof(sigset_t), 0,
              0) < 0)
        return -1;
    if (old) {
        old->sa_handler = (void (*)(int))out.handler;
        old->sa_flags = out.flags & ~(unsigned long)SA_RESTORER;
        old->sa_mask = out.mask;
    }
    return 0;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    return (int)CALL6(NR_rt_sigprocmask, how, set, old, sizeof(sigset_t), 0, 0);
}

int sigpending(sigset_t *set) { return (int)CALL2(NR_rt_sigpending, set, sizeof *set); }
int sigsuspend(const sigset_t *mask) { return (int)CALL2(NR_rt_sigsuspend, mask, sizeof *mask); }

int sigaltstack(const stack_t *stack, stack_t *old)
{
    return (int)CALL2(NR_sigaltstack, stack, old);
}

int kill(pid_t pid, int signal) { return (int)CALL2(NR_kill, pid, signal); }
int raise(int signal) { return (int)CALL2(NR_tkill, CALL0(NR_gettid), signal); }

int sigqueue(pid_t pid, int signal, const union sigval value)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = value;
    return (int)CALL3(NR_rt_sigqueueinfo, pid, signal, &info);
}

int pause(void)
{
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    return NR_pause >= 0 ? (int)CALL0(NR_pause) : sigsuspend(&mask);
}

/* ---- time ---- */

int clock_gettime(int clock, struct timespec *to)
{
    return (int)CALL2(NR_clock_gettime, clock, to);
}

int nanosleep(const struct timespec *asked, struct timespec *left)
{
    return (int)CALL2(NR_nanosleep, asked, left);
}

int setitimer(int which, const struct itimerval *value, struct itimerval *old)
{
    return (int)CALL3(NR_setitimer, which, value, old);
}

int getitimer(int which, struct itimerval *to) { return (int)CALL2(NR_getitimer, which, to); }
unsigned int alarm(unsigned int seconds) { return (unsigned int)CALL1(NR_alarm, seconds); }

/* ---- processes ---- */

void _exit(int status)
{
    for (;;)
        raw_syscall(NR_exit_group, status, 0, 0, 0, 0, 0);
}

void exit(int status) { _exit(status); }
pid_t fork(void) { return (pid_t)CALL0(NR_fork); }

pid_t waitpid(pid_t pid, int *status, int options)
{
    return (pid_t)CALL6(NR_wait4, pid, status, options, 0, 0, 0);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)CALL3(NR_execve, path, argv, envp);
}

pid_t getpid(void) { return (pid_t)CALL0(NR_getpid); }
pid_t getppid(void) { return (pid_t)CALL0(NR_getppid); }
pid_t getpgrp(void) { return (pid_t)CALL0(NR_getpgrp); }
int setpgid(pid_t pid, pid_t group) { return (int)CALL2(NR_setpgid, pid, group); }
pid_t setsid(void) { return (pid_t)CALL0(NR_setsid); }
unsigned int getuid(void) { return (unsigned int)CALL0(WIDE(getuid, getuid32)); }
unsigned int getgid(void) { return (unsigned int)CALL0(WIDE(getgid, getgid32)); }
int sched_yield(void) { return (int)CALL0(NR_sched_yield); }
int uname(struct utsname *to) { return (int)CALL1(NR_uname, to); }

int getrlimit(int which, struct rlimit *to)
{
    return (int)CALL2(WIDE(getrlimit, ugetrlimit), which, to);
}

int setrlimit(int which, const struct rlimit *to) { return (int)CALL2(NR_setrlimit, which, to); }
