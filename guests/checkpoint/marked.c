/* A process does what cannot be saved, undoes it, and has a child: who can be checkpointed then?
 * (On a kernel that sets PF_NOCR nobody: tests/unit/cr/test_nocr.py.)
 *
 * cr: never (between unlink and close it is refused)
 * prints:
 *     parent: 1
 *     child: 2
 *     0
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1

static void try(const char *who)
{
    int image = open("/tmp/image", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    check(image >= 0);
    say("%s: %d\n", who, (int)raw_syscall(NR_checkpoint, 0, image, CHECKPOINT_SUBTREE, -1, 0, 0));
    close(image);
}

int main(void)
{
    check(raw_syscall(NR_mknod, (long)"/tmp/null", S_IFCHR | 0600, 1 << 8 | 3, 0, 0, 0) == 0);
    int fd = open("/tmp/null", O_RDWR);
    check(fd >= 0 && unlink("/tmp/null") == 0 && close(fd) == 0);
    try("parent");
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        try("child");
        return 0;
    }
    int status;
    check(waitpid(child, &status, 0) == child);
    say("%d\n", status);
    return 0;
}
