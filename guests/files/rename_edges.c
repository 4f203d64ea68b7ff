/* rename at its edges: onto itself, onto another name of the same file, a directory onto an empty
 * one and a full one, into itself, over what is not of its kind.
 *
 * prints:
 *     onto itself: ok
 *     onto another name of it: ok, both are there
 *     over a file: ok, the old one is gone for who has it open: old 0
 *     a directory over an empty one: ok
 *     over a full one: ENOTEMPTY
 *     into itself: EINVAL
 *     a file over a directory: EISDIR
 *     a directory over a file: ENOTDIR
 *     what is not there: ENOENT
 *     a slash behind a file: ENOTDIR
 *     the dots: EBUSY EBUSY
 *     a link, not its target: ok, still a link
 */
#include "guest.h"

static const char *problem(int result)
{
    return result == 0 ? "ok" : errno == ENOTEMPTY ? "ENOTEMPTY" : errno == EINVAL ? "EINVAL"
         : errno == EISDIR ? "EISDIR" : errno == ENOTDIR ? "ENOTDIR" : errno == ENOENT ? "ENOENT"
         : errno == EBUSY ? "EBUSY" : "another";
}

static void make(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

int main(void)
{
    struct stat one, other;
    char text[8] = "";
    make("a", "new");
    check(stat("a", &one) == 0);
    say("onto itself: %s\n", problem(rename("a", "a")));
    check(link("a", "b") == 0);
    const char *same = problem(rename("a", "b"));
    check(stat("a", &one) == 0 && stat("b", &other) == 0 && one.st_ino == other.st_ino);
    say("onto another name of it: %s, both are there\n", same);
    check(unlink("b") == 0);
    make("c", "old");
    int fd = open("c", O_RDONLY);
    const char *over = problem(rename("a", "c"));
    check(read(fd, text, 3) == 3 && fstat(fd, &other) == 0);
    say("over a file: %s, the old one is gone for who has it open: %s %d\n", over, text,
        (int)other.st_nlink);
    check(mkdir("full", 0755) == 0 && mkdir("empty", 0755) == 0 && mkdir("third", 0755) == 0);
    make("full/file", "x");
    say("a directory over an empty one: %s\n", problem(rename("full", "empty")));
    check(stat("empty/file", &one) == 0);
    say("over a full one: %s\n", problem(rename("third", "empty")));
    say("into itself: %s\n", problem(rename("empty", "empty/below")));
    say("a file over a directory: %s\n", problem(rename("c", "third")));
    say("a directory over a file: %s\n", problem(rename("third", "c")));
    say("what is not there: %s\n", problem(rename("nothing", "c")));
    say("a slash behind a file: %s\n", problem(rename("c", "d/")));
    const char *dot = problem(rename("third/.", "x"));
    say("the dots: %s %s\n", dot, problem(rename("third", "empty/..")));
    check(symlink("c", "link") == 0);
    const char *of_link = problem(rename("link", "moved"));
    check(lstat("moved", &one) == 0 && S_ISLNK(one.st_mode));
    say("a link, not its target: %s, still a link\n", of_link);
    return 0;
}
