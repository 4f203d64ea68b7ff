/* Directories: make, list (sorted here, for Linux promises no order), rename, remove.
 *
 * libc: both
 * prints:
 *     d place/
 *     . d sub
 *     . f one
 *     . f three
 *     . f two
 *     renamed: d place/
 *     . d sub
 *     . f ONE
 *     . f three
 *     not empty, so it stays
 *     empty, so it goes
 */
#include "guest.h"

struct entry {
    uint64_t ino;
    int64_t off;
    unsigned short length;
    unsigned char type;
    char name[];
};

static void list(const char *path)
{
    static char buffer[1024] __attribute__((aligned(8)));
    static char names[16][32];
    int count = 0;
    long n;
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    check(fd >= 0);
    say("d %s/\n", path);
    while ((n = raw_syscall(NR_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0)) > 0) {
        cr_point(); /* in the middle of a listing */
        for (long at = 0; at < n;) {
            struct entry *entry = (struct entry *)(buffer + at);
            at += entry->length;
            if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
                continue;
            check(count < 16);
            snprintf(names[count++], 32, "%c %s", entry->type == 4 ? 'd' : 'f', entry->name);
        }
    }
    check(n == 0 && close(fd) == 0);
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++)
            if (strcmp(names[i], names[j]) > 0) {
                char swap[32];
                strcpy(swap, names[i]);
                strcpy(names[i], names[j]);
                strcpy(names[j], swap);
            }
    for (int i = 0; i < count; i++)
        say(". %s\n", names[i]);
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    check(fd >= 0 && close(fd) == 0);
}

int main(void)
{
    check(mkdir("place", 0755) == 0 && mkdir("place/sub", 0700) == 0);
    check(mkdir("place", 0755) == -1 && errno == EEXIST);
    touch("place/one");
    touch("place/two");
    touch("place/three");
    list("place");
    check(rename("place/one", "place/ONE") == 0);
    check(rename("place/two", "place/sub/two") == 0);
    check(open("place/two", O_RDONLY) == -1 && errno == ENOENT);
    cr_point();
    say("renamed: ");
    list("place");
    check(rmdir("place/sub") == -1 && errno == ENOTEMPTY);
    say("not empty, so it stays\n");
    check(unlink("place/sub/two") == 0 && rmdir("place/sub") == 0);
    check(unlink("place/ONE") == 0 && unlink("place/three") == 0);
    cr_point();
    check(rmdir("place") == 0 && access("place", F_OK) == -1 && errno == ENOENT);
    say("empty, so it goes\n");
    return 0;
}
