"""Differences that are known: the call, what a Linux of today answers, what the model answers.

The model is a Linux of 2010 to 2012. A `*` stands for any number.
"""

from __future__ import annotations

import re

_YOUNGER = """
_llseek 0 ESPIPE; accept4 EBADF EINVAL; clock_getres 0 EINVAL; clock_gettime 0 EINVAL
clock_nanosleep 0 EINVAL; clock_nanosleep EFAULT EINVAL; clock_nanosleep EINVAL 0
clock_nanosleep ENOTSUP EINVAL; clock_nanosleep signal-14 EINVAL; fallocate EBADF ENOTSUP
fallocate ENODEV ENOTSUP; fallocate ESPIPE ENOTSUP; fcntl 0 EINVAL; fcntl EFAULT EINVAL
fcntl ESRCH 0; fcntl64 EFAULT EINVAL; fcntl64 ESRCH 0; flock 0 EBADF; flock 0 ENOSYS
fstatat64 0 EINVAL; futex 0 ENOSYS; futex EINVAL EAGAIN; futex EINVAL ENOSYS; futex ESRCH ENOSYS
getsockopt 0 ENOPROTOOPT; ioctl EINVAL ENOTTY; ioprio_get * *; ioprio_get ESRCH *
ioprio_set 0 EINVAL; ioprio_set ESRCH EINVAL; ioprio_set ESRCH EPERM; link EPERM 0
linkat EACCES ENOENT; linkat EBADF ENOENT; linkat EEXIST ENOENT; linkat ENAMETOOLONG ENOENT
linkat ENOTDIR ENOENT; linkat EPERM 0; lseek 0 ESPIPE; madvise 0 EINVAL; madvise EACCES EINVAL
madvise ENOMEM EINVAL; membarrier * *; membarrier 0 EINVAL; membarrier EPERM EINVAL
memfd_create * EINVAL; mlockall 0 EINVAL; mmap2 * ENODEV; mmap2 ENODEV EINVAL; mount EINVAL EPERM
mremap EFAULT 0; mremap EFAULT EINVAL; mremap EFAULT large; msgctl * EINVAL; msgrcv EINVAL ENOMSG
newfstatat 0 EINVAL; newfstatat ELOOP EINVAL; prctl 0 EINVAL; readahead EINVAL 0
recvfrom EAGAIN ENOTCONN; recvfrom EAGAIN signal-14; recvmsg EAGAIN EINVAL
recvmsg EAGAIN ENOTCONN; recvmsg EAGAIN signal-14; rt_sigqueueinfo E2BIG EPERM
rt_sigqueueinfo EPERM EFAULT; rt_tgsigqueueinfo 0 EFAULT; rt_tgsigqueueinfo E2BIG EINVAL
rt_tgsigqueueinfo E2BIG EPERM; rt_tgsigqueueinfo EINVAL EFAULT; rt_tgsigqueueinfo EPERM EFAULT
sched_get_priority_max 0 EINVAL; sched_get_priority_min 0 EINVAL; semctl * EINVAL
semctl EFAULT EINVAL; semget * EINVAL; semget ENOENT EINVAL; semop EAGAIN E2BIG
semop EFAULT E2BIG; semop EFBIG E2BIG; semtimedop EFAULT E2BIG; semtimedop EFBIG E2BIG
semtimedop EINVAL E2BIG; sendfile * EINVAL; sendfile EDESTADDRREQ EINVAL; sendfile EINVAL *
sendfile EINVAL signal-13; sendfile EISDIR EINVAL; sendfile ENOTCONN EINVAL
sendfile EOVERFLOW EINVAL; sendfile signal-13 EINVAL; sendfile signal-14 EINVAL
sendfile64 * EINVAL; sendfile64 EDESTADDRREQ EINVAL; sendfile64 EINVAL *
sendfile64 ENOTCONN EINVAL; sendfile64 EOVERFLOW EINVAL; sendfile64 signal-13 EINVAL
sendfile64 signal-14 EINVAL; setsockopt 0 ENOPROTOOPT; setsockopt EINVAL ENOPROTOOPT
shmat EINVAL EPERM; shmctl * EINVAL; shmctl EFAULT EINVAL; shmget * EINVAL; shmget EINVAL ENOSYS
shmget EPERM ENOSYS; sigaltstack 0 ENOMEM; splice EAGAIN signal-14; timer_create 0 EINVAL
timer_create 0 ENOSYS; timer_create EFAULT ENOTSUP; timer_create EINVAL ENOSYS
timer_create ENOTSUP EINVAL; timerfd_create * EINVAL; timerfd_create EPERM EINVAL
unshare EPERM EINVAL; utimensat 0 EINVAL; waitid ECHILD EINVAL; write EINVAL 8
"""
"""Linux has it, or says it in this way, since 2013 or later."""

_ORDER = """
clock_getres EFAULT EINVAL; connect EFAULT ENOTSOCK; connect EINVAL ENOTSOCK
epoll_pwait EBADF EINVAL; epoll_wait EBADF EINVAL; flock EINVAL EBADF; fstatat64 EBADF EINVAL
fstatat64 ENOENT EINVAL; fstatat64 ENOTDIR EINVAL; inotify_add_watch EINVAL EBADF
ioctl EFAULT ENOTTY; mmap EAGAIN EINVAL; mmap ENODEV EINVAL; mmap EPERM EINVAL; mmap EPERM ENODEV
mmap2 EAGAIN EINVAL; mmap2 EPERM EINVAL; mmap2 EPERM ENODEV; newfstatat EACCES EINVAL
newfstatat EBADF EINVAL; newfstatat EFAULT EINVAL; newfstatat ENOENT EINVAL
newfstatat ENOTDIR EINVAL; pidfd_send_signal EBADF EINVAL; pselect6 EFAULT EINVAL
pwrite64 ESPIPE EBADF; pwritev ESPIPE EBADF; recvfrom EFAULT EINVAL; recvfrom EFAULT ENOTSOCK
recvfrom EFAULT ENOTSUP; recvfrom EINVAL ENOTSUP; recvmmsg EAGAIN signal-14; recvmmsg EINVAL 0
recvmmsg EINVAL EMSGSIZE; recvmmsg EINVAL ENOTCONN; recvmmsg EINVAL ENOTSOCK
recvmmsg EINVAL ENOTSUP; recvmmsg EINVAL signal-14; recvmsg EINVAL EAGAIN; recvmsg EINVAL EBADF
recvmsg EINVAL EMSGSIZE; recvmsg EINVAL ENOTSOCK; recvmsg EINVAL ENOTSUP; rmdir EPERM EACCES
sched_getaffinity EFAULT *; sched_setaffinity EFAULT EINVAL; sched_setaffinity EFAULT EPERM
sched_setaffinity EFAULT ESRCH; semctl ERANGE EINVAL; semtimedop EFAULT EINVAL
sendfile EINVAL EBADF; sendfile64 EINVAL EBADF; sendmmsg EFAULT EMSGSIZE; sendmmsg EINVAL EMSGSIZE
sendmmsg EINVAL ENOTSOCK; sendmmsg EINVAL ENOTSUP; sendmsg EFAULT EMSGSIZE; sendmsg EINVAL EBADF
sendmsg EINVAL EMSGSIZE; sendmsg EINVAL ENOTSOCK; sendmsg EINVAL ENOTSUP; sendto EFAULT ENOTSOCK
sendto EINVAL EMSGSIZE; sendto EINVAL EPIPE; sendto ENOTSUP EMSGSIZE; signalfd4 EFAULT EINVAL
socket EINVAL EPROTONOSUPPORT; socket EINVAL ESOCKTNOSUPPORT; socketpair EFAULT EAFNOSUPPORT
socketpair EFAULT EINVAL; socketpair EFAULT EPROTONOSUPPORT; socketpair EFAULT ESOCKTNOSUPPORT
socketpair EINVAL ESOCKTNOSUPPORT; splice EFAULT EBADF; splice EFAULT EINVAL; splice ESPIPE EBADF
sync_file_range EBADF EINVAL; timer_create EFAULT EINVAL; umount EPERM EINVAL
umount2 EPERM EINVAL; unlink EPERM EACCES; unlinkat EPERM EACCES; utimensat EBADF EINVAL
utimensat EFAULT EINVAL; utimensat ENOENT EINVAL; utimensat ENOTDIR EINVAL; utimensat EPERM EINVAL
vmsplice * EBADF; vmsplice EBADF *; vmsplice EBADF EINVAL; vmsplice EFAULT EBADF
vmsplice EINVAL EBADF; waitid EFAULT EINVAL
"""
"""Two things are wrong, and Linux says another one first today than it did then."""

_PATHS = """
access faccessat fchownat fstatat64 inotify_add_watch link linkat memfd_create mkdirat mknod
mknodat mount newfstatat pivot_root readlink readlinkat rename renameat statfs64 symlink
symlinkat truncate umount2 unlinkat utimensat utimes
"""
"""Calls with a path: one that cannot be read is EFAULT here before anything else is looked at."""

_BUFFERS = """
futex EFAULT EAGAIN; futex EINVAL EFAULT; getdents EINVAL EFAULT; getdents64 EINVAL EFAULT
mincore EFAULT ENOMEM; mkdirat EFAULT ENOENT; preadv EINVAL EFAULT; pwritev EINVAL EFAULT
read signal-14 EFAULT; readv EINVAL EFAULT; recvmmsg EINVAL EFAULT; recvmsg EINVAL EFAULT
rt_sigqueueinfo signal-16 EFAULT; sendmmsg EINVAL EFAULT; sendmsg EINVAL EFAULT
sendto EAFNOSUPPORT EFAULT; sendto EDESTADDRREQ EFAULT; sendto EFAULT *; sendto EFAULT ENOTSUP
sendto EINVAL EFAULT; sendto EISCONN EFAULT; sendto EMSGSIZE EFAULT; sendto ENOTCONN EFAULT
write EDESTADDRREQ EFAULT; write EFAULT *; write EINVAL EFAULT; write EMSGSIZE EFAULT
write signal-14 *; writev EINVAL EFAULT; writev EMSGSIZE EFAULT
"""
"""A bad buffer is seen at another moment; or a part of it is sent by TCP, as in 2010."""

_NOT_MODELLED = """
ioctl EPERM ENOTTY; linkat EPERM EXDEV; rename 0 EACCES; rename EACCES EXDEV; rename EBUSY EXDEV
rename ENAMETOOLONG EXDEV; rename ENOENT EXDEV; rename ENOTDIR EXDEV; renameat 0 EACCES
renameat EACCES EXDEV; renameat ENAMETOOLONG EXDEV; renameat ENOTDIR EXDEV; sendmmsg * ENOTSUP
sendmsg * ENOTSUP; sendmsg EISCONN ENOTSUP; sendto * ENOTSUP; sendto EISCONN ENOTSUP
sendto ENOTCONN ENOTSUP; socket EPERM EAFNOSUPPORT; socketpair EPERM EAFNOSUPPORT
"""
"""Urgent data, FIBMAP, other families; and /dev is a file system of its own, /proc is made anew."""

_MACHINE = """
_newselect * *; _newselect * EBADF; _newselect * signal-14; _newselect EBADF *; access 0 EACCES
clock_nanosleep 0 signal-14; clock_nanosleep EINVAL signal-14; faccessat 0 EACCES
fallocate ENOSPC 0; fallocate signal-14 0; futimesat 0 EACCES; getdents * *; getdents64 * *
getpriority * *; getpriority ESRCH *; kill ESRCH 0; kill ESRCH EINVAL; mlockall 0 ENOMEM
msgctl * *; msgctl * large; msgget * *; msgget * large; open * EACCES; pread64 * *; pselect6 * *
pselect6 * signal-14; read * *; sched_getaffinity * *; sched_setaffinity 0 EINVAL; select * *
select * signal-14; semget * *; semget * large; setpgid EPERM 0; setpriority EACCES 0
setpriority ESRCH EPERM; shmctl * *; shmctl * large; shmget * *; shmget * large; utime 0 EACCES
utimensat 0 EACCES; utimes 0 EACCES
"""
"""What the machine is: whose the folder is, limits, processors, numbers, descriptors 0 to 2."""

_WIDE_KERNEL = """
epoll_pwait EBADF EFAULT; epoll_pwait EINVAL EFAULT; epoll_wait EINVAL EFAULT
mincore ENOMEM EFAULT; mlock ENOMEM *; mlock ENOMEM EINVAL; mprotect EINVAL ENOMEM; msync ENOMEM 0
munlock ENOMEM *; munlock ENOMEM EINVAL; pread64 * EFAULT; pread64 EISDIR EFAULT; preadv * EFAULT
pwrite64 * EFAULT; pwritev * EFAULT; read * EFAULT; readv * EFAULT; readv signal-14 EFAULT
write large EFAULT; writev * EFAULT; writev large EFAULT
"""
"""A 32-bit program on a 64-bit kernel: no address is behind user space, no range comes round."""


def _words(text: str) -> list[str]:
    return [kind.strip() for line in text.strip().splitlines() for kind in line.split(";")]


def _pattern(kinds: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(kind).replace(r"\*", r"-?\d+") for kind in kinds))


_EVERYWHERE = [
    *(k for text in (_YOUNGER, _ORDER, _BUFFERS, _NOT_MODELLED, _MACHINE) for k in _words(text))
]
_EARLY_PATH = re.compile(rf"({'|'.join(_PATHS.split())}) E\w+ EFAULT")
_KNOWN = {
    "x86_64": _pattern(_EVERYWHERE),
    "x86_32": _pattern(_EVERYWHERE + _words(_WIDE_KERNEL)),
}


def is_known(arch: str, kind: str) -> bool:
    """Whether a difference, in three words, is one of these."""
    return bool(_KNOWN[arch].fullmatch(kind) or _EARLY_PATH.fullmatch(kind))
