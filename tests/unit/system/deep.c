/* Things that lie in things: mounts, processes, sockets in messages, directories. `deep WHAT N`. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int mount_again(void)
{
    return mount("x", "/m", "tmpfs", 0, "");
}

static int group_again(void)
{
    static int begun;
    if (!begun++ && (mount("x", "/m", "cgroup", 0, "freezer") || chdir("/m")))
        return 1;
    return mkdir("g", 0777) || chdir("g");
}

static int go_down(void)
{
    return mkdir("d", 0777) || chdir("d");
}

/* The parent waits, the child goes on. */
static int fork_again(void)
{
    pid_t pid = fork();
    if (pid <= 0)
        return pid;
    int status;
    if (waitpid(pid, &status, 0) != pid)
        status = 1;
    _exit(status != 0);
}

/* Both ends of a pair go into a message of the next pair. */
static int wrap(void)
{
    static int inner[2] = {-1, -1};
    int outer[2];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof inner)];
    } control = {{.cmsg_len = CMSG_LEN(sizeof inner), .cmsg_level = SOL_SOCKET,
                  .cmsg_type = SCM_RIGHTS}};
    struct iovec byte = {"x", 1};
    struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    if (inner[0] < 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, inner))
        return 1;
    memcpy(CMSG_DATA(&control.head), inner, sizeof inner);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, outer) || sendmsg(outer[0], &message, 0) != 1)
        return 1;
    close(inner[0]);
    close(inner[1]);
    memcpy(inner, outer, sizeof inner);
    return 0;
}

static const struct {
    const char *name;
    int (*deeper)(void);
} kinds[] = {{"mounts", mount_again}, {"directories", go_down}, {"processes", fork_again},
             {"messages", wrap}, {"groups", group_again}};

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[2]) : 0;
    for (unsigned i = 0; count && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(argv[1], kinds[i].name) == 0) {
            mkdir("/m", 0777);
            for (int k = 0; k < count; k++)
                if (kinds[i].deeper())
                    return 1;
            usleep(1000000);
            printf("%d\n", count);
            return 0;
        }
    return 2;
}
