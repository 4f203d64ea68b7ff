/* System V IPC for freestanding stories: direct calls where the mode has them, else the one call
 * that is all of them. Structures are the kernel's own. */
#ifndef GUEST_SYSV_H
#define GUEST_SYSV_H

#include "guest.h"

enum {
    IPC_PRIVATE = 0, IPC_CREAT = 01000, IPC_EXCL = 02000, IPC_NOWAIT = 04000,
    IPC_RMID = 0, IPC_SET = 1, IPC_STAT = 2,
    SHM_RDONLY = 010000, SHM_RND = 020000, SHM_REMAP = 040000,
    GETPID = 11, GETVAL = 12, GETALL = 13, GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17,
    SEM_UNDO = 0x1000, MSG_NOERROR = 010000, MSG_EXCEPT = 020000,
    ENOMSG = 42, EIDRM = 43,
};

/* Which number in the one call; where the mode has a call of its own, that. */
enum { CALL_SEMOP = 1, CALL_SEMGET, CALL_SEMCTL, CALL_SEMTIMEDOP };
enum { CALL_MSGSND = 11, CALL_MSGRCV, CALL_MSGGET, CALL_MSGCTL };
enum { CALL_SHMAT = 21, CALL_SHMDT, CALL_SHMGET, CALL_SHMCTL };

#ifdef __x86_64__
enum { WITH_VERSION = 0 };
#else
enum { WITH_VERSION = 0x100 };
#endif

struct ipc64_perm {
    int key;
    unsigned int uid, gid, cuid, cgid;
#ifdef __powerpc__
    unsigned int mode, seq, pad;
    unsigned long long unused[2];
#else
    unsigned int mode;
    unsigned short seq, pad;
    unsigned long unused[2];
#endif
};

/* A time: 32-bit modes have a high half before or behind it. */
#if defined(__LP64__)
#define GUEST_TIME(name) long name
#elif defined(__powerpc__)
#define GUEST_TIME(name) unsigned long name##_high, name
#else
#define GUEST_TIME(name) unsigned long name, name##_high
#endif

struct shmid_ds {
    struct ipc64_perm perm;
#ifndef __powerpc__
    size_t shm_segsz;
#endif
    GUEST_TIME(shm_atime);
    GUEST_TIME(shm_dtime);
    GUEST_TIME(shm_ctime);
#ifdef __powerpc__
#ifndef __LP64__
    unsigned long unused;
#endif
    size_t shm_segsz;
#endif
    pid_t shm_cpid, shm_lpid;
    unsigned long shm_nattch, unused_tail[2];
};

static inline long sysv_answer(long result)
{
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

#define SYSV(direct_args, call, a, b, c, p, e)                                        \
    sysv_answer(NR_ipc < 0 ? raw_syscall direct_args                                          \
                           : raw_syscall(NR_ipc, call, (long)(a), (long)(b), (long)(c),       \
                                         (long)(p), (long)(e)))

static inline int shmget(int key, size_t size, int flags)
{
    return (int)SYSV((NR_shmget, key, (long)size, flags, 0, 0, 0), CALL_SHMGET, key,
                     size, flags, 0, 0);
}

static inline void *shmat(int id, const void *at, int flags)
{
    unsigned long where = 0;
    long result = SYSV((NR_shmat, id, (long)at, flags, 0, 0, 0), CALL_SHMAT, id, flags,
                       &where, at, 0);
    if (NR_ipc < 0 || result < 0)
        return (void *)result;
    return (void *)where;
}

static inline int shmdt(const void *at)
{
    return (int)SYSV((NR_shmdt, (long)at, 0, 0, 0, 0, 0), CALL_SHMDT, 0, 0, 0, at, 0);
}

static inline int shmctl(int id, int command, void *to)
{
    command |= WITH_VERSION;
    return (int)SYSV((NR_shmctl, id, command, (long)to, 0, 0, 0), CALL_SHMCTL, id,
                     command, 0, to, 0);
}

struct sembuf {
    unsigned short sem_num;
    short sem_op, sem_flg;
};

/* What semctl takes: through the one call it lies in memory. */
union semun {
    int val;
    void *buf;
    unsigned short *array;
};

static inline int semget(int key, int count, int flags)
{
    return (int)SYSV((NR_semget, key, count, flags, 0, 0, 0), CALL_SEMGET, key, count, flags, 0,
                     0);
}

static inline int semop(int id, struct sembuf *operations, size_t count)
{
    return (int)SYSV((NR_semop, id, (long)operations, (long)count, 0, 0, 0), CALL_SEMOP, id, count,
                     0, operations, 0);
}

static inline int semtimedop(int id, struct sembuf *operations, size_t count,
                             const struct timespec *limit)
{
    return (int)SYSV((NR_semtimedop, id, (long)operations, (long)count, (long)limit, 0, 0),
                     CALL_SEMTIMEDOP, id, count, 0, operations, limit);
}

static inline int semctl(int id, int number, int command, union semun argument)
{
    command |= WITH_VERSION;
    return (int)SYSV((NR_semctl, id, number, command, (long)argument.buf, 0, 0), CALL_SEMCTL, id,
                     number, command, &argument, 0);
}

static inline int msgget(int key, int flags)
{
    return (int)SYSV((NR_msgget, key, flags, 0, 0, 0, 0), CALL_MSGGET, key, flags, 0, 0, 0);
}

static inline int msgsnd(int id, const void *message, size_t size, int flags)
{
    return (int)SYSV((NR_msgsnd, id, (long)message, (long)size, flags, 0, 0), CALL_MSGSND, id,
                     size, flags, message, 0);
}

static inline int msgrcv(int id, void *message, size_t size, long type, int flags)
{
    struct {
        void *message;
        long type;
    } both = {message, type};
    return (int)SYSV((NR_msgrcv, id, (long)message, (long)size, type, flags, 0), CALL_MSGRCV, id,
                     size, flags, &both, 0);
}

static inline int msgctl(int id, int command, void *to)
{
    command |= WITH_VERSION;
    return (int)SYSV((NR_msgctl, id, command, (long)to, 0, 0, 0), CALL_MSGCTL, id, command, 0, to,
                     0);
}

#endif
