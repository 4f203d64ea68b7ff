/* Places that no name leads to: a file below a mount, a working directory in a mount that was taken
 * away, a mapping, a FIFO and a socket in a tmpfs; and what is in a file bound over another.
 *
 * libc: none
 * prints:
 *     below the mount: old, above: new
 *     in a directory that is gone: 1 name
 *     mapped: written through memory
 *     through the FIFO: 3
 *     through the socket: 5
 *     a file over a file: other
 *     in /dev/shm: kept
 *     unlinked there: kept too
 */
#include "mounts.h"
#include "sockets.h"

static int hidden, fifo, listener, client, unlinked;
static char *memory;

static void set_up(void)
{
    check(mkdir("place", 0755) == 0 && mkdir("away", 0755) == 0);
    store("place/file", "old");
    hidden = open("place/file", O_RDONLY);
    check(mount_at("t", "place", "tmpfs", 0, 0) == 0 && mount_at("t", "away", "tmpfs", 0, 0) == 0);
    store("place/file", "new");
    check(mkdir("away/in", 0755) == 0);
    store("away/in/one", "");
    check(chdir("away/in") == 0 && umount_at("../../away", MNT_DETACH) == 0);
    int fd = open("/proc/self/root/dev/shm/story", O_CREAT | O_RDWR, 0600);
    check(fd >= 0 && write(fd, "kept", 4) == 4);
    close(fd);
    unlinked = open("/dev/shm/second", O_CREAT | O_RDWR, 0600);
    check(unlinked >= 0 && write(unlinked, "kept too", 8) == 8 && unlink("/dev/shm/second") == 0);
}

static int names_here(void)
{
    char entries[1024];
    int fd = open(".", O_RDONLY | O_DIRECTORY), names = 0;
    long n = raw_syscall(NR_getdents64, fd, (long)entries, sizeof entries, 0, 0, 0);
    for (long at = 0; at < n; at += *(unsigned short *)(entries + at + 16))
        names += entries[at + 19] != '.';
    close(fd);
    return names;
}

/* In a tmpfs that is the working directory: names of sockets are short. */
static void inside(const char *top)
{
    check(chdir(top) == 0 && chdir("place") == 0);
    int fd = open("mapped", O_CREAT | O_RDWR, 0600);
    check(ftruncate(fd, 8192) == 0);
    memory = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(memory != MAP_FAILED);
    close(fd);
    strcpy(memory + 4096, "written through memory");
    check(raw_syscall(NR_mknod, (long)"fifo", S_IFIFO | 0600, 0, 0, 0, 0) == 0);
    fifo = open("fifo", O_RDWR);
    check(fifo >= 0 && write(fifo, "abc", 3) == 3);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind_unix(listener, "name") == 0 && listen(listener, 1) == 0);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    check(connect_unix(client, "name") == 0 && write(client, "hello", 5) == 5);
    store("one", "one");
    store("other", "other");
    check(mount_at("other", "one", 0, MS_BIND, 0) == 0);
}

int main(void)
{
    char text[64] = "", top[256];
    own_mounts();
    check(getcwd(top, sizeof top) != NULL);
    set_up();
    cr_point();
    check(read(hidden, text, 3) == 3);
    say("below the mount: %s,", text);
    strcpy(text, top);
    strcpy(text + strlen(text), "/place/file");
    say(" above: %s\n", load(text));
    say("in a directory that is gone: %d name\n", names_here());
    inside(top);
    cr_point();
    int fd = open("mapped", O_RDONLY);
    memset(text, 0, sizeof text);
    check(pread(fd, text, 22, 4096) == 22);
    say("mapped: %s\n", text);
    say("through the FIFO: %d\n", (int)read(fifo, text, sizeof text));
    int other = accept(listener, NULL, NULL);
    say("through the socket: %d\n", (int)read(other, text, sizeof text));
    say("a file over a file: %s\n", load("one"));
    say("in /dev/shm: %s\n", load("/dev/shm/story"));
    memset(text, 0, sizeof text);
    check(pread(unlinked, text, sizeof text, 0) == 8 && unlink("/dev/shm/story") == 0);
    say("unlinked there: %s\n", text);
    return 0;
}
