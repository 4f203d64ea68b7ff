/* restart IMAGE: bring back the tree of an image, with the numbers that its tasks had, and wait for
 * its root. The exit status is the root's.
 *
 * The image may come through a pipe (IMAGE is -): the sections before the tasks are read here, to
 * know whom to make, and a feeder hands everything on to the kernel.
 */
#include "forest.h"

static void feed(struct image *image, int to)
{
    static char piece[65536];
    size_t done = 0;
    ssize_t got;
    while (done < image->length) {
        got = write(to, image->prefix + done, image->length - done);
        check(got > 0);
        done += got;
    }
    while ((got = read(image->fd, piece, sizeof piece)) > 0)
        check(write(to, piece, got) == got);
    _exit(0);
}

int main(int argc, char **argv)
{
    static struct image image;
    int ends[2], status;
    if (argc != 2) {
        say("usage: restart IMAGE\n");
        return 2;
    }
    int fd = strcmp(argv[1], "-") ? open(argv[1], O_RDONLY) : 0;
    if (fd < 0)
        give_up("the image cannot be opened");
    read_prefix(&image, fd);
    check(pipe(ends) == 0);
    pid_t root = grow_forest(&image);
    pid_t feeder = fork();
    if (feeder == 0) {
        close(ends[0]);
        feed(&image, ends[1]);
    }
    close(ends[1]);
    long result = raw_syscall(NR_restart, root, ends[0], 0, 2, 0, 0);
    if (result < 0) {
        say("restart: error %ld\n", -result);
        return 1;
    }
    close(ends[0]);
    check(waitpid(feeder, &status, 0) == feeder);
    check(waitpid(root, &status, 0) == root);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
