/* setns: a process enters the uts, ipc and net namespaces of another, by /proc/PID/ns.
 *
 * prints:
 *     child: elsewhere, key 2
 *     parent before: here, no key
 *     parent inside: elsewhere, key 2
 *     the name is still there when the child is gone: elsewhere
 *     back: here
 *     wrong: 9 22 22 22
 *     no rights: 1
 */
#include "mounts.h"
#include "sysv.h"

enum { KEY = 0x7532 };

static int ready[2], done[2];

static const char *host(void)
{
    static struct utsname names;
    check(uname(&names) == 0);
    return names.nodename;
}

static const char *key(void)
{
    int set = semget(KEY, 0, 0);
    union semun argument = {0};
    if (set < 0)
        return "no key";
    return semctl(set, 0, 12, argument) == 2 ? "key 2" : "another key";
}

static int set_ns(int fd, long kind)
{
    return (int)-raw_syscall(NR_setns, fd, kind, 0, 0, 0, 0);
}

static void child(void)
{
    char byte;
    union semun argument = {0};
    check(unshare_of(NEWUTS | NEWIPC | NEWNET) == 0);
    check(raw_syscall(NR_sethostname, (long)"elsewhere", 9, 0, 0, 0, 0) == 0);
    int set = semget(KEY, 1, 0600 | 01000);
    argument.val = 2;
    check(set >= 0 && semctl(set, 0, 16, argument) == 0);
    say("child: %s, %s\n", host(), key());
    check(write(ready[1], "x", 1) == 1 && read(done[0], &byte, 1) == 1);
    _exit(0);
}

static int open_ns(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
    int fd = open(path, O_RDONLY);
    check(fd >= 0);
    return fd;
}

int main(void)
{
    char byte;
    check(unshare_of(NEWUTS | NEWIPC) == 0);
    check(raw_syscall(NR_sethostname, (long)"here", 4, 0, 0, 0, 0) == 0);
    check(pipe(ready) == 0 && pipe(done) == 0);
    int own = open_ns(getpid(), "uts");
    long pid = fork();
    if (pid == 0)
        child();
    check(read(ready[0], &byte, 1) == 1);
    int uts = open_ns((pid_t)pid, "uts"), ipc = open_ns((pid_t)pid, "ipc");
    int net = open_ns((pid_t)pid, "net");
    cr_point();
    say("parent before: %s, %s\n", host(), key());
    check(set_ns(uts, NEWUTS) == 0 && set_ns(ipc, 0) == 0 && set_ns(net, NEWNET) == 0);
    cr_point();
    say("parent inside: %s, %s\n", host(), key());
    check(set_ns(own, 0) == 0 && write(done[1], "x", 1) == 1);
    await(pid);
    cr_point();
    check(set_ns(uts, 0) == 0);
    say("the name is still there when the child is gone: %s\n", host());
    check(set_ns(own, NEWUTS) == 0);
    say("back: %s\n", host());
    int bad = set_ns(99, 0), other = set_ns(ipc, NEWUTS), none = set_ns(ready[0], 0);
    say("wrong: %d %d %d %d\n", bad, other, none, set_ns(uts, 1));
    check(raw_syscall(NR_setresuid, 1000, 1000, 1000, 0, 0, 0) == 0);
    say("no rights: %d\n", set_ns(uts, NEWUTS));
    return 0;
}
