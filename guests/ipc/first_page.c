/* A segment goes on the very first page for who may map it (CAP_SYS_RAWIO), and for nobody else.
 *
 * prints:
 *     at 0, holding 42
 *     with user 1000's rights: EPERM
 */
#include "sysv.h"

int main(void)
{
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);
    check(id >= 0);
    long first = (long)shmat(id, (void *)1, SHM_RND);
    long other = (long)shmat(id, NULL, 0);
    check(other != -1);
    *(volatile int *)other = 42;
    cr_point();
    int word = 0, ends[2];
    check(pipe(ends) == 0); /* the kernel reads it: a compiler makes nothing good of a pointer to 0 */
    check(raw_syscall(NR_write, ends[1], first, sizeof word, 0, 0, 0) == sizeof word);
    check(read(ends[0], &word, sizeof word) == sizeof word);
    say("at %ld, holding %d\n", first, word);
    check(shmdt((void *)first) == 0);
    int status;
    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        check(raw_syscall(NR_setresuid, 1000, 1000, 1000, 0, 0, 0) == 0);
        first = (long)shmat(id, (void *)1, SHM_RND);
        _exit(first == -1 ? errno : 0);
    }
    check(waitpid(child, &status, 0) == child);
    say("with user 1000's rights: %s\n", status == EPERM << 8 ? "EPERM" : "something else");
    check(shmctl(id, IPC_RMID, NULL) == 0);
    return 0;
}
