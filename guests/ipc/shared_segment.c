/* A shared memory segment in two processes: what one stores the other reads; removed while
 * mapped, it lives on until the last one lets go.
 *
 * order: any
 * prints:
 *     one attached, 8192 bytes, mode 600
 *     the child stored 42 and 43, read-only view sees 43
 *     removed, still there: 42
 *     gone
 */
#include "sysv.h"

int main(void)
{
    int id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
    check(id >= 0);
    volatile int *area = shmat(id, NULL, 0);
    check((long)area != -1);
    struct shmid_ds ds;
    check(shmctl(id, IPC_STAT, &ds) == 0);
    check(ds.shm_nattch == 1 && ds.shm_segsz == 8192);
    say("one attached, %d bytes, mode %d%d%d\n", (int)ds.shm_segsz,
        ds.perm.mode >> 6 & 7, ds.perm.mode >> 3 & 7, ds.perm.mode & 7);
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
        check(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 2);
        area[0] = 42;
        volatile int *again = shmat(id, NULL, 0);
        check((long)again != -1 && again != area);
        again[1024] = 43;
        check(shmdt((void *)again) == 0);
        check(shmdt((void *)again) == -1 && errno == EINVAL);
        _exit(0);
    }
    int status;
    check(waitpid(pid, &status, 0) == pid && status == 0);
    volatile int *view = shmat(id, NULL, SHM_RDONLY);
    check((long)view != -1);
    say("the child stored %d and %d, read-only view sees %d\n", area[0], area[1024], view[1024]);
    check(shmctl(id, IPC_STAT, &ds) == 0 && ds.shm_nattch == 2);
    check(shmdt((void *)view) == 0);
    check(shmctl(id, IPC_RMID, NULL) == 0);
    say("removed, still there: %d\n", area[0]);
    check(shmdt((void *)area) == 0);
    check(shmctl(id, IPC_STAT, &ds) == -1 && (errno == EINVAL || errno == EIDRM));
    check(shmget(0x6c637231, 1, 0) == -1 && errno == ENOENT);
    say("gone\n");
    return 0;
}
