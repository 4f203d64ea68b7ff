/* Who may do what: mode bits for the owner, the group and others, directories that can be searched
 * or read, the sticky bit, and that a new owner loses set-user-id.
 *
 * prints:
 *     root may: read write, not execute; with a bit: execute
 *     the owner with no bits: -1 -1
 *     the group's bits, not those of others: read
 *     others: write
 *     a directory to be listed only: stat 13, list 0
 *     a directory to be searched only: stat 0, list 13
 *     sticky: not mine 1, mine 0
 *     chmod of another's file: 1
 *     given away: 1, by root: mode 755
 *     access asks for the real user: 13
 */
#include "guest.h"

static int as(int uid, int gid, int (*action)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        check(raw_syscall(NR_setgroups, 0, 0, 0, 0, 0, 0) == 0 || NR_setgroups < 0);
        check(raw_syscall(NR_setresgid, gid, gid, gid, 0, 0, 0) == 0);
        check(raw_syscall(NR_setresuid, uid, uid, uid, 0, 0, 0) == 0);
        _exit(action());
    }
    check(waitpid(pid, &status, 0) == pid);
    return WEXITSTATUS(status);
}

static int number(int result)
{
    return result < 0 ? errno : 0;
}

static int can_read(void)
{
    return number(open("file", O_RDONLY));
}

static int can_write(void)
{
    return number(open("file", O_WRONLY));
}

static int can_stat(void)
{
    struct stat st;
    return number(stat("dir/inner", &st));
}

static int can_list(void)
{
    return number(open("dir", O_RDONLY));
}

static int remove_not_mine(void)
{
    return number(unlink("sticky/of-2000"));
}

static int remove_mine(void)
{
    return number(unlink("sticky/of-1000"));
}

static int change_mode(void)
{
    return number(chmod("file", 0777));
}

static int give_away(void)
{
    return raw_syscall(NR_chown, (long)"file", 1, 1, 0, 0, 0) == -EPERM;
}

static void make(const char *path, int uid, int gid, int mode)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    check(fd >= 0 && close(fd) == 0);
    check(raw_syscall(NR_chown, (long)path, uid, gid, 0, 0, 0) == 0 && chmod(path, (mode_t)mode) == 0);
}

int main(void)
{
    struct stat st;
    char here[256];
    check(getcwd(here, sizeof here) != NULL);
    /* The way to here may be closed to others on a real machine. */
    check(raw_syscall(NR_chroot, (long)here, 0, 0, 0, 0, 0) == 0 && chdir("/") == 0);
    check(chmod("/", 0777) == 0);
    make("file", 1000, 2000, 0);
    int reads = access("file", R_OK | W_OK) == 0, runs = access("file", X_OK) == 0;
    check(chmod("file", 010) == 0);
    say("root may: %s, %s; with a bit: %s\n", reads ? "read write" : "nothing",
        runs ? "execute" : "not execute", access("file", X_OK) == 0 ? "execute" : "nothing");
    check(chmod("file", 0046) == 0);
    say("the owner with no bits: %d %d\n", as(1000, 1, can_read) == EACCES ? -1 : 0,
        as(1000, 1, can_write) == EACCES ? -1 : 0);
    check(as(1001, 2000, can_write) == EACCES && as(1001, 2000, can_read) == 0);
    say("the group's bits, not those of others: read\n");
    check(as(1001, 1, can_write) == 0);
    say("others: write\n");
    check(mkdir("dir", 0755) == 0);
    make("dir/inner", 0, 0, 0644);
    check(chmod("dir", 0744) == 0);
    int found = as(1000, 1, can_stat), listed = as(1000, 1, can_list);
    say("a directory to be listed only: stat %d, list %d\n", found, listed);
    check(chmod("dir", 0711) == 0);
    found = as(1000, 1, can_stat);
    listed = as(1000, 1, can_list);
    say("a directory to be searched only: stat %d, list %d\n", found, listed);
    check(mkdir("sticky", 0700) == 0 && chmod("sticky", 01777) == 0);
    make("sticky/of-1000", 1000, 1, 0666);
    make("sticky/of-2000", 2000, 1, 0666);
    int other = as(1000, 1, remove_not_mine), mine = as(1000, 1, remove_mine);
    say("sticky: not mine %d, mine %d\n", other, mine);
    say("chmod of another's file: %d\n", as(1001, 1, change_mode));
    check(chmod("file", 04755) == 0);
    int refused = as(1000, 2000, give_away);
    check(raw_syscall(NR_chown, (long)"file", 1001, -1, 0, 0, 0) == 0 && stat("file", &st) == 0);
    say("given away: %d, by root: mode %o\n", refused, st.st_mode & 07777);
    check(chmod("file", 0600) == 0);
    check(raw_syscall(NR_setresuid, 1000, 0, 0, 0, 0, 0) == 0);
    say("access asks for the real user: %d\n", number(access("file", R_OK)));
    return 0;
}
