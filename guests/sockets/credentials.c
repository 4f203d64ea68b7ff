/* Who has sent it: SO_PASSCRED gives a name to every message, and nobody may lie.
 *
 * libc: both
 * prints:
 *     the child said hello
 *     a message from itself
 *     peers of a pair: itself
 *     nobody asked: no credentials
 *     in the name of a process that is not there: refused
 */
#include "sockets.h"

static char text[16];

static struct ucred receive(int fd, int *with)
{
    struct ucred who = {0, 0, 0};
    char control[CMSG_SPACE(sizeof who)] __attribute__((aligned(8)));
    struct iovec part = {text, sizeof text};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    memset(control, 0, sizeof control);
    memset(text, 0, sizeof text);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    check(recvmsg(fd, &message, 0) > 0 && message.msg_flags == 0);
    *with = message.msg_controllen > 0;
    if (*with) {
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        check(head->cmsg_type == SCM_CREDENTIALS && head->cmsg_len == CMSG_LEN(sizeof who));
        memcpy(&who, CMSG_DATA(head), sizeof who);
    }
    return who;
}

/* Send a byte in the name of `pid`. 0, or the errno. */
static int claim(int fd, pid_t pid)
{
    struct ucred who = {pid, getuid(), getgid()};
    char control[CMSG_SPACE(sizeof who)] __attribute__((aligned(8)));
    struct iovec part = {"x", 1};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    memset(control, 0, sizeof control);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_CREDENTIALS;
    head->cmsg_len = CMSG_LEN(sizeof who);
    memcpy(CMSG_DATA(head), &who, sizeof who);
    return sendmsg(fd, &message, 0) == -1 ? errno : 0;
}

int main(void)
{
    struct ucred who;
    int pair[2], on = 1, off = 0, with, status;
    socklen_t length = sizeof who;
    check(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    check(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        check(write(pair[0], "hello", 5) == 5);
        _exit(0);
    }
    check(waitpid(pid, &status, 0) == pid && status == 0);
    cr_point();
    who = receive(pair[1], &with);
    check(with && who.pid == pid && who.uid == getuid() && who.gid == getgid());
    say("the child said %s\n", text);
    check(write(pair[0], "x", 1) == 1);
    cr_point();
    who = receive(pair[1], &with);
    check(with && who.pid == getpid());
    say("a message from itself\n");
    check(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &length) == 0);
    check(who.pid == getpid() && who.uid == getuid());
    say("peers of a pair: itself\n");
    check(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &off, sizeof off) == 0);
    check(write(pair[0], "x", 1) == 1);
    who = receive(pair[1], &with);
    check(!with);
    say("nobody asked: no credentials\n");
    check(claim(pair[0], getpid()) == 0);
    int error = claim(pair[0], 0x3FFFFFFF);
    int refused = error == (getuid() ? EPERM : ESRCH);
    say("in the name of a process that is not there: %s\n", refused ? "refused" : "taken");
    return 0;
}
