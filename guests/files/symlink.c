/* Symbolic links, hard links, and the current directory, which survives its own renaming.
 *
 * libc: both
 * prints:
 *     link says: deep/er/file
 *     through the link: text
 *     here: /deep/er
 *     here: /deep/moved
 *     file has 2 links
 *     a link to itself: ELOOP
 */
#include "guest.h"

static size_t root_length;

static void here(void)
{
    char path[512];
    check(getcwd(path, sizeof path) != NULL);
    say("here: %s\n", path + root_length);
}

int main(void)
{
    char text[512];
    struct stat status;
    check(getcwd(text, sizeof text) != NULL);
    root_length = strcmp(text, "/") == 0 ? 0 : strlen(text);
    memset(text, 0, sizeof text);
    check(mkdir("deep", 0755) == 0 && mkdir("deep/er", 0755) == 0);
    int fd = open("deep/er/file", O_WRONLY | O_CREAT, 0644);
    check(fd >= 0 && write(fd, "text", 4) == 4 && close(fd) == 0);
    check(symlink("deep/er/file", "link") == 0 && symlink("loop", "loop") == 0);
    cr_point();
    check(readlink("link", text, sizeof text) == 12);
    say("link says: %s\n", text);
    check(lstat("link", &status) == 0 && S_ISLNK(status.st_mode) && status.st_size == 12);
    check(stat("link", &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 4);
    memset(text, 0, sizeof text);
    fd = open("link", O_RDONLY);
    check(fd >= 0 && read(fd, text, sizeof text) == 4 && close(fd) == 0);
    say("through the link: %s\n", text);
    check(chdir("deep/er") == 0);
    cr_point();
    here();
    check(rename("../er", "../moved") == 0);
    cr_point();
    here();
    check(link("file", "second") == 0 && stat("file", &status) == 0);
    say("file has %d links\n", (int)status.st_nlink);
    check(open("../../loop", O_RDONLY) == -1 && errno == ELOOP);
    say("a link to itself: ELOOP\n");
    return 0;
}
