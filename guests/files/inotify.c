/* inotify: what happens to files is told to who watches them, or the directory that they are in:
 * equal news only once, moves as pairs, the end of the watched, one-shot watches, masks.
 *
 * prints:
 *     make: dir CREATE a, dir OPEN a, dir MODIFY a, dir CLOSE_WRITE a
 *     look: dir OPEN a, dir ACCESS a, dir CLOSE_NOWRITE a
 *     attributes: dir ATTRIB a, file ATTRIB, dir MODIFY a, file MODIFY
 *     directories: dir CREATE ISDIR sub, dir DELETE ISDIR sub
 *     links: file ATTRIB, dir CREATE b, dir CREATE s
 *     move: dir MOVED_FROM b, dir MOVED_TO c, file MOVE_SELF, a pair
 *     unlink: file ATTRIB, dir DELETE c
 *     the last: file ATTRIB, file DELETE_SELF, file IGNORED, dir DELETE a
 *     removed: dir IGNORED
 *     one shot: once OPEN, once IGNORED
 *     bytes: 32, poll says readable
 *     add: dir ATTRIB ISDIR, and the first mask again
 *     wrong: EINVAL EINVAL EBADF ENOTDIR ENOENT EINVAL EAGAIN
 */
#include "guest.h"

enum { IN_ONLYDIR = 0x01000000, IN_MASK_ADD = 0x20000000, FIONREAD_X86 = 0x541b };
#ifdef __powerpc__
#define FIONREAD 0x4004667ful
#else
#define FIONREAD 0x541bul
#endif
#ifndef POLLIN
#define POLLIN 1
struct pollfd {
    int fd;
    short events, revents;
};
#endif

struct event {
    int wd;
    unsigned int mask, cookie, length;
};

static int notes;
static int wds[4];
static const char *const wd_names[] = {"dir", "file", "once"};
static const char *const words[] = {"ACCESS", "MODIFY", "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE",
                                    "OPEN", "MOVED_FROM", "MOVED_TO", "CREATE", "DELETE",
                                    "DELETE_SELF", "MOVE_SELF"};
static unsigned int cookies[2];

static int watch(const char *path, unsigned int mask)
{
    long wd = raw_syscall(NR_inotify_add_watch, notes, (long)path, mask, 0, 0, 0);
    return (int)wd;
}

static void add(char *text, const char *word)
{
    char *end = text + strlen(text);
    if (end != text && end[-1] != ' ')
        *end++ = ' ';
    strcpy(end, word);
}

static void tell(const char *title)
{
    static char raw[4096];
    char text[400];
    int pairs = 0;
    text[0] = 0;
    long size = read(notes, raw, sizeof raw);
    for (long at = 0; at < size;) {
        struct event *event = (struct event *)(raw + at);
        if (at)
            strcpy(text + strlen(text), ", ");
        for (int i = 0; i < 3; i++)
            if (event->wd == wds[i] && wds[i])
                add(text, wd_names[i]);
        for (int i = 0; i < 12; i++)
            if (event->mask >> i & 1)
                add(text, words[i]);
        if (event->mask & 0x8000)
            add(text, "IGNORED");
        if (event->mask & 0x40000000)
            add(text, "ISDIR");
        if (event->length)
            add(text, raw + at + sizeof *event);
        if (event->cookie && pairs < 2)
            cookies[pairs++] = event->cookie;
        at += (long)sizeof *event + event->length;
    }
    if (pairs == 2)
        strcpy(text + strlen(text), cookies[0] == cookies[1] ? ", a pair" : ", no pair");
    say("%s: %s\n", title, text);
}

static const char *problem(long result)
{
    return result >= 0 ? "none" : result == -EINVAL ? "EINVAL" : result == -EBADF ? "EBADF"
         : result == -ENOTDIR ? "ENOTDIR" : result == -ENOENT ? "ENOENT"
         : result == -EAGAIN ? "EAGAIN" : "another";
}

int main(void)
{
    char byte;
    notes = (int)raw_syscall(NR_inotify_init1, O_NONBLOCK | O_CLOEXEC, 0, 0, 0, 0, 0);
    check(notes >= 0 && (fcntl(notes, F_GETFL) & O_NONBLOCK));
    check(mkdir("d", 0755) == 0);
    wds[0] = watch("d", 0xfff);
    check(wds[0] == 1);
    int fd = open("d/a", O_RDWR | O_CREAT, 0644);
    check(write(fd, "xy", 2) == 2 && write(fd, "z", 1) == 1 && close(fd) == 0);
    tell("make");
    fd = open("d/a", O_RDONLY);
    check(read(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1 && close(fd) == 0);
    tell("look");
    wds[1] = watch("d/a", 0xfff);
    check(wds[1] == 2);
    check(chmod("d/a", 0600) == 0 && truncate("d/a", 1) == 0);
    tell("attributes");
    check(mkdir("d/sub", 0700) == 0 && rmdir("d/sub") == 0);
    tell("directories");
    check(link("d/a", "d/b") == 0 && symlink("a", "d/s") == 0);
    tell("links");
    check(rename("d/b", "d/c") == 0);
    tell("move");
    check(unlink("d/c") == 0);
    tell("unlink");
    check(unlink("d/a") == 0);
    wds[3] = wds[1];
    tell("the last");
    wds[1] = 0;
    check(raw_syscall(NR_inotify_rm_watch, notes, wds[0], 0, 0, 0, 0) == 0);
    tell("removed");
    wds[2] = watch("d", 0x80000020);
    check(wds[2] == 3);
    fd = open("d", O_RDONLY | O_DIRECTORY);
    check(fd >= 0 && close(fd) == 0);
    struct pollfd wanted = {notes, POLLIN, 0};
    int bytes = 0;
    check(ioctl(notes, FIONREAD, &bytes) == 0);
    if (NR_poll >= 0)
        check(raw_syscall(NR_poll, (long)&wanted, 1, 0, 0, 0, 0) == 1);
    char text[400];
    (void)text;
    wds[0] = 0;
    {
        static char raw[64];
        long size = read(notes, raw, sizeof raw);
        struct event *event = (struct event *)raw;
        check(size == 32 && event[0].wd == 3 && (event[0].mask & 0x20) && event[1].mask == 0x8000);
        say("one shot: once OPEN, once IGNORED\n");
    }
    say("bytes: %d, poll says %s\n", bytes, wanted.revents & POLLIN ? "readable" : "nothing");
    wds[0] = watch("d", 0x4);
    check(wds[0] == 4 && watch("d", 0x100 | IN_MASK_ADD) == 4);
    check(chmod("d", 0700) == 0);
    {
        static char raw[64];
        struct event *event = (struct event *)raw;
        check(read(notes, raw, sizeof raw) == 16 && event->mask == 0x40000004);
    }
    say("add: dir ATTRIB ISDIR, and the first mask again\n");
    const char *empty = problem(watch("d", 0));
    const char *flags = problem(raw_syscall(NR_inotify_init1, 1, 0, 0, 0, 0, 0));
    const char *closed = problem(raw_syscall(NR_inotify_add_watch, 99, (long)"d", 1, 0, 0, 0));
    fd = open("plain", O_RDWR | O_CREAT, 0600);
    const char *plain = problem(watch("plain", 1 | IN_ONLYDIR));
    const char *nothing = problem(watch("nothing", 1));
    const char *number = problem(raw_syscall(NR_inotify_rm_watch, notes, 77, 0, 0, 0, 0));
    long again = read(notes, &byte, 1);
    say("wrong: %s %s %s %s %s %s %s\n", empty, flags, closed, plain, nothing, number,
        problem(again < 0 ? -errno : again));
    return 0;
}
