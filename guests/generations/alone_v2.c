/* In August 2008 a process saved itself and nobody else: its child is not in the image, and who it
 * says it is does not matter.
 *
 * abi: v2
 * arches: x86_32
 * prints:
 *     of process 4000, of nobody: both are its own
 *     the child is still there
 */
#include "guest.h"

enum { NR_checkpoint_then = GUEST_COLUMN(333, -1, -1, -1) };

static int saved(void)
{
    int ends[2], status;
    char byte;
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 7 : 8);
    }
    close(ends[0]);
    /* A pipe could not be saved, so it is away for a while. */
    pid_t parent = getpid(), keeper = fork();
    if (keeper == 0) {
        struct stat at;
        while (stat("/tmp/done", &at) < 0 && getppid() == parent)
            sched_yield();
        _exit(0);
    }
    close(ends[1]);
    check(raw_syscall(NR_checkpoint_then, 4000, image, 0, 0, 0, 0) > 0);
    check(raw_syscall(NR_checkpoint_then, 0, image, 0, 0, 0, 0) > 0);
    close(open("/tmp/done", O_WRONLY | O_CREAT, 0600));
    check(waitpid(child, &status, 0) == child && status == 7 << 8);
    return 0;
}

int main(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(saved());
    check(waitpid(child, &status, 0) == child && status == 0);
    say("of process 4000, of nobody: both are its own\n");
    say("the child is still there\n");
    return 0;
}
