/* Sockets for freestanding stories: direct calls where the mode has them, else socketcall.
 * Hosted, the C library's own. */
#ifndef GUEST_SOCKETS_H
#define GUEST_SOCKETS_H

#include "guest.h"

#ifdef GUEST_HOSTED
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#else

enum {
    AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10,
    SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5,
    SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000,
    SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_BROADCAST = 6,
    SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9, SO_LINGER = 13, SO_ACCEPTCONN = 30,
#ifdef __powerpc__
    SO_RCVLOWAT = 16, SO_RCVTIMEO = 18, SO_SNDTIMEO = 19, SO_PASSCRED = 20, SO_PEERCRED = 21,
    FIONREAD = 0x4004667F,
#else
    SO_PASSCRED = 16, SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21,
    FIONREAD = 0x541B,
#endif
    MSG_OOB = 1, MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40,
    MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000,
    SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2,
    SCM_RIGHTS = 1, SCM_CREDENTIALS = 2,
    IPPROTO_TCP = 6, IPPROTO_UDP = 17, TCP_NODELAY = 1,
    POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLRDHUP = 0x2000,
    S_IFSOCK = 0140000,
    ENOTSOCK = 88, EMSGSIZE = 90, EPROTOTYPE = 91, EPROTONOSUPPORT = 93, ESOCKTNOSUPPORT = 94,
    EOPNOTSUPP = 95, EAFNOSUPPORT = 97, EADDRINUSE = 98, EADDRNOTAVAIL = 99, ECONNRESET = 104,
    EISCONN = 106, ENOTCONN = 107, ECONNREFUSED = 111, EALREADY = 114, EINPROGRESS = 115,
};
#define INADDR_LOOPBACK 0x7f000001u
#define INADDR_ANY 0u

typedef unsigned int socklen_t;
typedef unsigned short sa_family_t;
typedef unsigned short in_port_t;
struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};
struct sockaddr_un {
    sa_family_t sun_family;
    char sun_path[108];
};
struct in_addr {
    uint32_t s_addr;
};
struct sockaddr_in {
    sa_family_t sin_family;
    in_port_t sin_port;
    struct in_addr sin_addr;
    char sin_zero[8];
};
struct in6_addr {
    unsigned char s6_addr[16];
};
struct sockaddr_in6 {
    sa_family_t sin6_family;
    in_port_t sin6_port;
    uint32_t sin6_flowinfo;
    struct in6_addr sin6_addr;
    uint32_t sin6_scope_id;
};
struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};
struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level, cmsg_type;
};
struct ucred {
    pid_t pid;
    unsigned int uid, gid;
};
struct linger {
    int l_onoff, l_linger;
};
struct pollfd {
    int fd;
    short events, revents;
};
#define CMSG_ALIGN(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_SPACE(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + CMSG_ALIGN(n))
#define CMSG_LEN(n) (CMSG_ALIGN(sizeof(struct cmsghdr)) + (n))
#define CMSG_DATA(c) ((unsigned char *)(c) + CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_FIRSTHDR(m) \
    ((m)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(m)->msg_control : NULL)

static inline uint16_t htons(uint16_t number)
{
    unsigned char bytes[2] = {(unsigned char)(number >> 8), (unsigned char)number};
    uint16_t word;
    memcpy(&word, bytes, 2);
    return word;
}
#define ntohs htons

static inline uint32_t htonl(uint32_t number)
{
    unsigned char bytes[4] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                              (unsigned char)(number >> 8), (unsigned char)number};
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

static inline long socket_answer(long result)
{
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* The modes that have socketcall use it: the other way is tested by the C library's build. */
static inline long socket_call(long direct, int number, long a, long b, long c, long d, long e,
                               long f)
{
    long arguments[6] = {a, b, c, d, e, f};
    if (NR_socketcall < 0)
        return socket_answer(raw_syscall(direct, a, b, c, d, e, f));
    return socket_answer(raw_syscall(NR_socketcall, number, (long)arguments, 0, 0, 0, 0));
}

#define SOCKET_CALL(name, number, a, b, c, d, e, f)                                              \
    socket_call(NR_##name, number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline int socket(int family, int type, int protocol)
{
    return (int)SOCKET_CALL(socket, 1, family, type, protocol, 0, 0, 0);
}
static inline int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)SOCKET_CALL(bind, 2, fd, address, length, 0, 0, 0);
}
static inline int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)SOCKET_CALL(connect, 3, fd, address, length, 0, 0, 0);
}
static inline int listen(int fd, int backlog)
{
    return (int)SOCKET_CALL(listen, 4, fd, backlog, 0, 0, 0, 0);
}
static inline int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return (int)SOCKET_CALL(accept, 5, fd, address, length, 0, 0, 0);
}
static inline int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
    return (int)SOCKET_CALL(getsockname, 6, fd, address, length, 0, 0, 0);
}
static inline int getpeername(int fd, struct sockaddr *address, socklen_t *length)
{
    return (int)SOCKET_CALL(getpeername, 7, fd, address, length, 0, 0, 0);
}
static inline int socketpair(int family, int type, int protocol, int fds[2])
{
    return (int)SOCKET_CALL(socketpair, 8, family, type, protocol, fds, 0, 0);
}
static inline ssize_t sendto(int fd, const void *from, size_t n, int flags,
                             const struct sockaddr *address, socklen_t length)
{
    return SOCKET_CALL(sendto, 11, fd, from, n, flags, address, length);
}
static inline ssize_t recvfrom(int fd, void *to, size_t n, int flags, struct sockaddr *address,
                               socklen_t *length)
{
    return SOCKET_CALL(recvfrom, 12, fd, to, n, flags, address, length);
}
static inline ssize_t send(int fd, const void *from, size_t n, int flags)
{
    return sendto(fd, from, n, flags, NULL, 0);
}
static inline ssize_t recv(int fd, void *to, size_t n, int flags)
{
    return recvfrom(fd, to, n, flags, NULL, NULL);
}
static inline int shutdown(int fd, int how)
{
    return (int)SOCKET_CALL(shutdown, 13, fd, how, 0, 0, 0, 0);
}
static inline int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    return (int)SOCKET_CALL(setsockopt, 14, fd, level, name, value, length, 0);
}
static inline int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
    return (int)SOCKET_CALL(getsockopt, 15, fd, level, name, value, length, 0);
}
static inline ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return SOCKET_CALL(sendmsg, 16, fd, message, flags, 0, 0, 0);
}
static inline ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return SOCKET_CALL(recvmsg, 17, fd, message, flags, 0, 0, 0);
}
static inline int poll(struct pollfd *fds, unsigned long count, int timeout)
{
    return (int)socket_answer(raw_syscall(NR_poll, (long)fds, (long)count, timeout, 0, 0, 0));
}
#endif

/* The name of a UNIX socket; one that begins with '@' is abstract. Answers its length. */
static inline socklen_t unix_address(struct sockaddr_un *to, const char *name)
{
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, name, strlen(name));
    if (name[0] != '@')
        return (socklen_t)(2 + strlen(name) + 1);
    to->sun_path[0] = 0;
    return (socklen_t)(2 + strlen(name));
}

static inline int bind_unix(int fd, const char *name)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, name);
    return bind(fd, (struct sockaddr *)&address, length);
}

static inline int connect_unix(int fd, const char *name)
{
    struct sockaddr_un address;
    socklen_t length = unix_address(&address, name);
    return connect(fd, (struct sockaddr *)&address, length);
}

static inline struct sockaddr_in inet_address(uint32_t host, int port)
{
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(host);
    return address;
}

/* What poll says now, as letters: i o e h r. */
static inline const char *poll_letters(int fd)
{
    static char letters[6];
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    char *to = letters;
    check(poll(&one, 1, 0) >= 0);
    *to = 0;
    if (one.revents & POLLIN)
        *to++ = 'i';
    if (one.revents & POLLOUT)
        *to++ = 'o';
    if (one.revents & POLLERR)
        *to++ = 'e';
    if (one.revents & POLLHUP)
        *to++ = 'h';
    if (one.revents & POLLRDHUP)
        *to++ = 'r';
    *to = 0;
    return letters;
}

/* Send some bytes with descriptors, or receive them. */
static inline ssize_t send_fds(int over, const char *text, const int *fds, int count)
{
    char control[CMSG_SPACE(8 * sizeof(int))] __attribute__((aligned(8)));
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    memset(control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(head), fds, (size_t)count * sizeof(int));
    return sendmsg(over, &message, 0);
}

static inline ssize_t recv_fds(int over, char *text, size_t size, int *fds, int *count, int room,
                               int *flags)
{
    char control[CMSG_SPACE(8 * sizeof(int))] __attribute__((aligned(8)));
    struct iovec part = {text, size};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    memset(control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = room ? control : NULL;
    message.msg_controllen = room ? CMSG_SPACE((size_t)room * sizeof(int)) : 0;
    ssize_t got = recvmsg(over, &message, 0);
    *count = 0;
    *flags = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    if (got < 0)
        return got;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (room && head && head->cmsg_type == SCM_RIGHTS) {
        *count = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(head), (size_t)*count * sizeof(int));
    }
    return got;
}

#endif
