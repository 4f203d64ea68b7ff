/* What the stories about terminals share: the kernel's structs and numbers, and short names.
 * They work without a C library; the numbers of PowerPC differ in nearly everything. */
#ifndef GUEST_TTY_H
#define GUEST_TTY_H

#include "guest.h"

enum {
    SIGTTIN = 21, SIGTTOU = 22, SIGWINCH = 28, WCONTINUED = 8,
    POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLERR = 8, POLLHUP = 16,
    TIOCEXCL = 0x540c, TIOCNXCL = 0x540d, TIOCSCTTY = 0x540e, TIOCPKT = 0x5420,
    TIOCNOTTY = 0x5422, TIOCGSID = 0x5429,
    ISTRIP = 0x20, INLCR = 0x40, IGNCR = 0x80, ICRNL = 0x100, IXANY = 0x800, OPOST = 1,
    OCRNL = 8, ECHO = 8,
    VINTR = 0, VQUIT = 1, VERASE = 2, VKILL = 3, VEOF = 4,
};
#ifdef __powerpc__
enum {
    TCGETS = 0x402c7413, TCXONC = 0x2000741e, TCFLSH = 0x2000741f, TIOCGPGRP = 0x40047477,
    TIOCGWINSZ = 0x40087468, FIONREAD = 0x4004667f, TIOCGPTN = 0x40045430,
    IXON = 0x200, IUCLC = 0x1000, ONLCR = 2, OLCUC = 4, XTABS = 0xc00,
    ISIG = 0x80, ICANON = 0x100, ECHOE = 2, ECHOK = 4, ECHONL = 0x10, TOSTOP = 0x400000,
    ECHOCTL = 0x40, ECHOPRT = 0x20, ECHOKE = 1, IEXTEN = 0x400,
    VMIN = 5, VEOL = 6, VTIME = 7, VEOL2 = 8, VWERASE = 10, VREPRINT = 11, VSUSP = 12,
    VSTART = 13, VSTOP = 14, VLNEXT = 15,
};
#define TCSETS 0x802c7414u
#define TCSETSF 0x802c7416u
#define TIOCSPGRP 0x80047476u
#define TIOCSWINSZ 0x80087467u
#define TIOCSPTLCK 0x80045431u
#define TCGETA 0x40147417u
#define NOFLSH 0x80000000u
#else
enum {
    TCGETS = 0x5401, TCSETS = 0x5402, TCSETSF = 0x5404, TCXONC = 0x540a, TCFLSH = 0x540b,
    TIOCGPGRP = 0x540f, TIOCSPGRP = 0x5410, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414,
    FIONREAD = 0x541b, TIOCSPTLCK = 0x40045431, TCGETA = 0x5405,
    IXON = 0x400, IUCLC = 0x200, ONLCR = 4, OLCUC = 2, XTABS = 0x1800,
    ISIG = 1, ICANON = 2, ECHOE = 0x10, ECHOK = 0x20, ECHONL = 0x40, NOFLSH = 0x80, TOSTOP = 0x100,
    ECHOCTL = 0x200, ECHOPRT = 0x400, ECHOKE = 0x800, IEXTEN = 0x8000,
    VTIME = 5, VMIN = 6, VSTART = 8, VSTOP = 9, VSUSP = 10, VEOL = 11, VREPRINT = 12,
    VWERASE = 14, VLNEXT = 15, VEOL2 = 16,
};
#define TIOCGPTN 0x80045430u
#endif

struct termios {
    unsigned int c_iflag, c_oflag, c_cflag, c_lflag;
#ifdef __powerpc__
    unsigned char c_cc[19], c_line;
    unsigned int c_ispeed, c_ospeed;
#else
    unsigned char c_line, c_cc[19];
#endif
};

struct winsize {
    unsigned short rows, columns, x_pixels, y_pixels;
};

struct pollfd {
    int fd;
    short events, revents;
};

/* A pty: the number of its slave, which is unlocked. */
static int master, slave, number;

static inline void slave_name(char *name)
{
    check(ioctl(master, TIOCGPTN, &number) == 0);
    snprintf(name, 32, "/dev/pts/%d", number);
}

static inline int open_slave(int flags)
{
    char name[32];
    slave_name(name);
    return open(name, O_RDWR | flags);
}

static inline void open_pty(void)
{
    int off = 0;
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    check(master >= 0);
    check(ioctl(master, TIOCSPTLCK, &off) == 0);
    slave = open_slave(O_NOCTTY);
    check(slave >= 0);
}

/* Settings: clear and set bits of the slave. */
static inline void local(unsigned int clear, unsigned int set)
{
    struct termios t;
    check(ioctl(slave, TCGETS, &t) == 0);
    t.c_lflag = (t.c_lflag & ~clear) | set;
    check(ioctl(slave, TCSETS, &t) == 0);
}

static inline void input(unsigned int clear, unsigned int set)
{
    struct termios t;
    check(ioctl(slave, TCGETS, &t) == 0);
    t.c_iflag = (t.c_iflag & ~clear) | set;
    check(ioctl(slave, TCSETS, &t) == 0);
}

static inline void output(unsigned int clear, unsigned int set)
{
    struct termios t;
    check(ioctl(slave, TCGETS, &t) == 0);
    t.c_oflag = (t.c_oflag & ~clear) | set;
    check(ioctl(slave, TCSETS, &t) == 0);
}

static inline void character(int place, int byte)
{
    struct termios t;
    check(ioctl(slave, TCGETS, &t) == 0);
    t.c_cc[place] = (unsigned char)byte;
    check(ioctl(slave, TCSETS, &t) == 0);
}

static inline int ready(int fd, int events, int ms)
{
    struct timespec limit = {ms / 1000, ms % 1000 * 1000000L};
    struct pollfd one = {fd, (short)events, 0};
    long n = raw_syscall(NR_ppoll, (long)&one, 1, (long)&limit, 0, 0, 0);
    check(n >= 0);
    return one.revents;
}

static inline void type(const char *text)
{
    check(write(master, text, strlen(text)) == (ssize_t)strlen(text));
}

/* One line about bytes: what cannot be seen is \ooo or a letter. */
static inline void say_bytes(const char *what, const char *bytes, ssize_t n)
{
    char line[400];
    size_t at = 0;
    if (n < 0) {
        say("%s: error %d\n", what, errno);
        return;
    }
    for (ssize_t i = 0; i < n && at < sizeof line - 8; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\r' || c == '\n') {
            line[at++] = '\\';
            line[at++] = c == '\r' ? 'r' : 'n';
        } else if (c < 32 || c > 126 || c == '\\') {
            line[at++] = '\\';
            line[at++] = (char)('0' + (c >> 6));
            line[at++] = (char)('0' + (c >> 3 & 7));
            line[at++] = (char)('0' + (c & 7));
        } else {
            line[at++] = (char)c;
        }
    }
    line[at] = 0;
    say("%s: [%s]\n", what, line);
}

/* What the master sees now: echoes and output. On a real Linux they take a moment. */
static inline void shown(const char *what)
{
    char bytes[300];
    ssize_t n = 0;
    while (ready(master, POLLIN, 50) & POLLIN) {
        ssize_t more = read(master, bytes + n, sizeof bytes - (size_t)n);
        if (more <= 0)
            break;
        n += more;
    }
    say_bytes(what, bytes, n);
}

static inline void got(const char *what, size_t most)
{
    char bytes[300];
    say_bytes(what, bytes, read(slave, bytes, most));
}

/* In a child: a session of its own, with the slave as controlling terminal. */
static inline void lead_session(void)
{
    check(setsid() == getpid());
    check(ioctl(slave, TIOCSCTTY, 0) == 0);
}

static inline pid_t foreground(void)
{
    pid_t group = 0;
    check(ioctl(slave, TIOCGPGRP, &group) == 0);
    return group;
}

static inline int make_foreground(pid_t group) { return ioctl(slave, TIOCSPGRP, &group); }

static inline int end_of(pid_t pid)
{
    int status = 0;
    check(waitpid(pid, &status, 0) == pid);
    return status;
}

#endif
