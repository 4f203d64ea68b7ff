/* The part of POSIX that freestanding stories use, straight on top of the kernel's own structures.
 * Constants are Linux's; where PowerPC has its own number, both are written here. */
#ifndef GUEST_POSIX_H
#define GUEST_POSIX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/this.h"

typedef long ssize_t;
typedef long long off_t;
typedef int pid_t;
typedef unsigned int mode_t;

extern int errno;
extern char **environ;

/* ---- errors ---- */
enum {
    EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, E2BIG = 7, EBADF = 9, ECHILD = 10,
    EAGAIN = 11, ENOMEM = 12, EACCES = 13, EFAULT = 14, EBUSY = 16, EEXIST = 17, EXDEV = 18,
    ENOTDIR = 20, EISDIR = 21, EINVAL = 22, EMFILE = 24, ENOTTY = 25, EFBIG = 27, ENOSPC = 28,
    ESPIPE = 29, EROFS = 30, EPIPE = 32, ERANGE = 34, ENAMETOOLONG = 36, ENOSYS = 38,
    ENOTEMPTY = 39, ELOOP = 40, ETXTBSY = 26, EDEADLK = 35, EOVERFLOW = 75,
};

/* ---- strings ---- */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int byte);
char *strstr(const char *s, const char *part);
char *strcpy(char *to, const char *from);
int atoi(const char *s);
int vsnprintf(char *to, size_t size, const char *format, va_list args);
int snprintf(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- files ---- */
enum {
    STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO,
    SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2,
    O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3,
    O_CREAT = 0100, O_EXCL = 0200, O_NOCTTY = 0400, O_TRUNC = 01000, O_APPEND = 02000,
    O_NONBLOCK = 04000, O_CLOEXEC = 02000000,
#ifdef __powerpc__
    O_DIRECTORY = 040000, O_NOFOLLOW = 0100000, O_LARGEFILE = 0200000,
#else
    O_DIRECTORY = 0200000, O_NOFOLLOW = 0400000, O_LARGEFILE = 0100000,
#endif
    F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, FD_CLOEXEC = 1,
    F_SETPIPE_SZ = 1031,
    F_DUPFD_CLOEXEC = 1030, F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11,
    F_GETLK = sizeof(long) == 4 ? 12 : 5, F_SETLK = sizeof(long) == 4 ? 13 : 6,
    F_SETLKW = sizeof(long) == 4 ? 14 : 7, F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2,
    F_SETLEASE = 1024, F_GETLEASE = 1025, F_NOTIFY = 1026, O_ASYNC = 020000,
    R_OK = 4, W_OK = 2, X_OK = 1, F_OK = 0,
    S_IFMT = 0170000, S_IFDIR = 0040000, S_IFCHR = 0020000, S_IFREG = 0100000,
    S_IFIFO = 0010000, S_IFLNK = 0120000,
    DT_FIFO = 1, DT_CHR = 2, DT_DIR = 4, DT_REG = 8, DT_LNK = 10,
};
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISCHR(mode) (((mode) & S_IFMT) == S_IFCHR)
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_ISLNK(mode) (((mode) & S_IFMT) == S_IFLNK)
struct iovec {
    void *iov_base;
    size_t iov_len;
};
struct flock {
    short l_type, l_whence;
    off_t l_start, l_len;
    pid_t l_pid;
};
int open(const char *path, int flags, ...);
int close(int fd);
ssize_t read(int fd, void *to, size_t n);
ssize_t write(int fd, const void *from, size_t n);
ssize_t readv(int fd, const struct iovec *parts, int count);
ssize_t writev(int fd, const struct iovec *parts, int count);
ssize_t pread(int fd, void *to, size_t n, off_t at);
ssize_t pwrite(int fd, const void *from, size_t n, off_t at);
off_t lseek(int fd, off_t offset, int whence);
int truncate(const char *path, off_t size);
int ftruncate(int fd, off_t size);
int fsync(int fd);
int dup(int fd);
int dup2(int fd, int to);
int pipe(int fds[2]);
int fcntl(int fd, int command, ...);
int ioctl(int fd, unsigned long request, ...);
int stat(const char *path, struct stat *to);
int lstat(const char *path, struct stat *to);
int fstat(int fd, struct stat *to);
int access(const char *path, int mode);
int chmod(const char *path, mode_t mode);
int fchmod(int fd, mode_t mode);
mode_t umask(mode_t mask);
int mkdir(const char *path, mode_t mode);
int rmdir(const char *path);
int unlink(const char *path);
int rename(const char *from, const char *to);
int link(const char *from, const char *to);
int symlink(const char *target, const char *path);
ssize_t readlink(const char *path, char *to, size_t size);
int chdir(const char *path);
int fchdir(int fd);
char *getcwd(char *to, size_t size);

/* ---- memory ---- */
enum {
    PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, PROT_SEM = 8,
    MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
    MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2,
    MS_ASYNC = 1, MS_SYNC = 4, MADV_DONTNEED = 4,
};
#define MAP_FAILED ((void *)-1)
void *mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset);
int munmap(void *addr, size_t size);
void *mremap(void *addr, size_t old_size, size_t new_size, int flags, ...);
int mprotect(void *addr, size_t size, int prot);
int msync(void *addr, size_t size, int flags);
int madvise(void *addr, size_t size, int advice);
int brk(void *addr);
void *sbrk(intptr_t increment);

/* ---- signals ---- */
enum {
    SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7,
    SIGFPE = 8, SIGKILL = 9, SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14,
    SIGTERM = 15, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20, SIGVTALRM = 26,
    SIGPROF = 27,
    SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2,
    SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2, SA_SIGINFO = 4, SA_ONSTACK = 0x08000000,
    SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000,
    SS_ONSTACK = 1, SS_DISABLE = 2,
    SEGV_MAPERR = 1, SEGV_ACCERR = 2, SI_USER = 0, SI_QUEUE = -1, SI_TKILL = -6,
    SIGRTMIN = 32,
};
#define SA_RESETHAND 0x80000000u
typedef struct {
    unsigned long words[8 / sizeof(unsigned long)];
} sigset_t;
union sigval {
    int sival_int;
    void *sival_ptr;
};
typedef struct {
    int si_signo, si_errno, si_code;
    union {
        struct {
            pid_t pid;
            unsigned int uid;
            union sigval value;
        } sender;
        void *addr;
        struct {
            int timer_id, overrun;
        } timer;
        char whole[128 - 4 * sizeof(long)];
    } guest_fields;
} siginfo_t;
#define si_pid guest_fields.sender.pid
#define si_uid guest_fields.sender.uid
#define si_value guest_fields.sender.value
#define si_addr guest_fields.addr
typedef struct {
    void *ss_sp;
    int ss_flags;
    size_t ss_size;
} stack_t;
struct sigaction {
    union {
        void (*plain)(int);
        void (*full)(int, siginfo_t *, void *);
    } guest_handler;
    unsigned long sa_flags;
    sigset_t sa_mask;
};
#define sa_handler guest_handler.plain
#define sa_sigaction guest_handler.full
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int signal);
int sigdelset(sigset_t *set, int signal);
int sigismember(const sigset_t *set, int signal);
int sigaction(int signal, const struct sigaction *action, struct sigaction *old);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sigpending(sigset_t *set);
int sigsuspend(const sigset_t *mask);
int sigaltstack(const stack_t *stack, stack_t *old);
int raise(int signal);
int kill(pid_t pid, int signal);
int sigqueue(pid_t pid, int signal, const union sigval value);
int pause(void);

/* ---- time ---- */
enum {
    CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1,
    ITIMER_REAL = 0, ITIMER_VIRTUAL = 1, ITIMER_PROF = 2,
};
struct timespec {
    long tv_sec, tv_nsec;
};
struct timeval {
    long tv_sec, tv_usec;
};
struct itimerval {
    struct timeval it_interval, it_value;
};
int clock_gettime(int clock, struct timespec *to);
int nanosleep(const struct timespec *asked, struct timespec *left);
int setitimer(int which, const struct itimerval *value, struct itimerval *old);
int getitimer(int which, struct itimerval *value);
unsigned int alarm(unsigned int seconds);

/* ---- processes ---- */
enum {
    RLIMIT_CPU = 0, RLIMIT_FSIZE = 1, RLIMIT_DATA = 2, RLIMIT_STACK = 3, RLIMIT_CORE = 4,
    RLIMIT_NOFILE = 7, RLIMIT_AS = 9,
    WNOHANG = 1, WUNTRACED = 2,
    AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_ENTRY = 9, AT_UID = 11,
    AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_HWCAP = 16, AT_CLKTCK = 17, AT_RANDOM = 25,
};
#define RLIM_INFINITY (~0ul)
#define WIFEXITED(status) (((status) & 0x7f) == 0)
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WIFSIGNALED(status) (((status) & 0x7f) != 0 && ((status) & 0x7f) != 0x7f)
#define WTERMSIG(status) ((status) & 0x7f)
#define WIFSTOPPED(status) (((status) & 0xff) == 0x7f)
#define WSTOPSIG(status) WEXITSTATUS(status)
typedef unsigned long rlim_t;
struct rlimit {
    rlim_t rlim_cur, rlim_max;
};
struct utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
void exit(int status) __attribute__((noreturn));
void _exit(int status) __attribute__((noreturn));
pid_t fork(void);
pid_t waitpid(pid_t pid, int *status, int options);
int execve(const char *path, char *const argv[], char *const envp[]);
pid_t getpid(void);
pid_t getppid(void);
pid_t getpgrp(void);
int setpgid(pid_t pid, pid_t group);
pid_t setsid(void);
unsigned int getuid(void);
unsigned int getgid(void);
int sched_yield(void);
int uname(struct utsname *to);
int getrlimit(int which, struct rlimit *to);
int setrlimit(int which, const struct rlimit *limit);
char *getenv(const char *name);
unsigned long getauxval(unsigned long type);

#endif
