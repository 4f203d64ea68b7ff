/* nsexec [-cgimnptuU] [-z PID] [-P FILE] COMMAND [ARGUMENT]...: run a command in new namespaces.
 *
 * -m mounts, -n network, -u host name, -U users, -i System V IPC; -p pids, and with them mounts: the
 * command is process 1, and has a /proc of its own. -t gives it its own ptys. -g puts it into a new
 * freezer group that is named after its number. -z PID is the number that it wants (eclone). -P tells
 * FILE its number as the caller sees it. -c makes a child for the command, as -p, -g, -z and -P do
 * too; without them the namespaces are those of this process, which becomes the command.
 */
#include "guest.h"
#include <getopt.h>
#include <sched.h>
#include <sys/mount.h>

#define FREEZER "/sys/fs/cgroup/freezer"

struct clone_args {
    uint64_t flags_high, stack, stack_size, parent_tid, child_tid;
    uint32_t nr_pids, reserved;
};

static char **command;
static int own_ptys, new_pids;

static _Noreturn void give_up(const char *what)
{
    dprintf(2, "nsexec: %s: %s\n", what, strerror(errno));
    exit(1);
}

static _Noreturn void usage(void)
{
    dprintf(2, "usage: nsexec [-cgimnptuU] [-z PID] [-P FILE] COMMAND [ARGUMENT]...\n");
    exit(2);
}

static _Noreturn void become(void)
{
    if (new_pids && mount("proc", "/proc", "proc", 0, NULL) < 0)
        give_up("/proc");
    if (own_ptys) {
        umount2("/dev/pts", MNT_DETACH);
        if (mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") < 0)
            give_up("/dev/pts");
    }
    execvp(command[0], command);
    give_up(command[0]);
}

static void tell(const char *name, const char *text, int flags)
{
    int fd = open(name, O_WRONLY | flags, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        give_up(name);
    close(fd);
}

static void enter_group(const char *number)
{
    char name[80];
    snprintf(name, sizeof name, FREEZER "/%s", number);
    if (mkdir(name, 0755) < 0)
        give_up(name);
    strcat(name, "/tasks");
    tell(name, number, 0);
}

/* A child that waits until it is told to go on. */
static pid_t make_child(int flags, int wanted, int *go)
{
    struct clone_args arguments = {.nr_pids = wanted > 0};
    int pids[1] = {wanted}, ends[2];
    char byte;
    if (pipe(ends) < 0)
        give_up("pipe");
    pid_t child = raw_syscall(NR_eclone, flags | SIGCHLD, (long)&arguments, sizeof arguments,
                              (long)(wanted > 0 ? pids : NULL), 0, 0);
    if (child < 0) {
        errno = -child;
        give_up("eclone");
    }
    if (child == 0) {
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 1)
            _exit(1);
        close(ends[0]);
        become();
    }
    close(ends[0]);
    *go = ends[1];
    return child;
}

int main(int argc, char **argv)
{
    int flags = 0, in_child = 0, group = 0, wanted = 0, option, go, status;
    const char *file = NULL;
    char number[16];
    while ((option = getopt(argc, argv, "+cgimnptuUz:P:")) != -1)
        switch (option) {
        case 'c': in_child = 1; break;
        case 'g': group = in_child = 1; break;
        case 'i': flags |= CLONE_NEWIPC; break;
        case 'm': flags |= CLONE_NEWNS; break;
        case 'n': flags |= CLONE_NEWNET; break;
        case 'p': flags |= CLONE_NEWPID | CLONE_NEWNS; new_pids = in_child = 1; break;
        case 't': own_ptys = 1; break;
        case 'u': flags |= CLONE_NEWUTS; break;
        case 'U': flags |= CLONE_NEWUSER; break;
        case 'z': wanted = atoi(optarg); in_child = 1; break;
        case 'P': file = optarg; in_child = 1; break;
        default: usage();
        }
    command = argv + optind;
    if (!*command || wanted < 0)
        usage();
    if (!in_child) {
        if (unshare(flags) < 0)
            give_up("unshare");
        become();
    }
    pid_t child = make_child(flags, wanted, &go);
    snprintf(number, sizeof number, "%d", child);
    if (group)
        enter_group(number);
    if (file)
        tell(file, number, O_CREAT | O_TRUNC);
    if (write(go, "g", 1) != 1 || waitpid(child, &status, 0) != child)
        give_up("the command");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
