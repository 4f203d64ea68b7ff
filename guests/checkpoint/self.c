/* Checkpoints itself into a file, goes on, then becomes the saved task: the call returns twice.
 *
 * libc: both
 * prints:
 *     before: 1
 *     original: the call returned 1, counter is 7
 *     copy: the call returned 0, counter is 1
 *     copy: the file position is 5
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define RESTART_TASKSELF 1

static int counter = 1;

int main(void)
{
    int data = open("/tmp/data", O_RDWR | O_CREAT, 0600);
    check(data >= 0 && write(data, "0123456789", 10) == 10);
    check(lseek(data, 5, SEEK_SET) == 5);
    int image = open("/tmp/image", O_RDWR | O_CREAT | O_TRUNC, 0600);
    check(image >= 0);
    say("before: %d\n", counter);
    long result = raw_syscall(NR_checkpoint, 0, image, CHECKPOINT_SUBTREE, -1, 0, 0);
    if (result == 0) {
        say("copy: the call returned 0, counter is %d\n", counter);
        say("copy: the file position is %d\n", (int)lseek(data, 0, SEEK_CUR));
        return 0;
    }
    check(result > 0);
    counter = 7;
    check(lseek(data, 9, SEEK_SET) == 9);
    say("original: the call returned %d, counter is %d\n", (int)result, counter);
    check(lseek(image, 0, SEEK_SET) == 0);
    raw_syscall(NR_restart, getpid(), image, RESTART_TASKSELF, -1, 0, 0);
    check(!"restart came back");
    return 1;
}
