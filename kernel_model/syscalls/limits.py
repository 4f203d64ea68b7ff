"""Resource limits, and what the kernel tells about itself.

Mirrors: Linux kernel/sys.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINVAL, EPERM, ESRCH
from kernel_model.abi.limits import (
    NR_OPEN,
    RLIM_INFINITY,
    RLIM_NLIMITS,
    RLIMIT_AS,
    RLIMIT_CPU,
    RLIMIT_NOFILE,
    NewUtsname,
    Rlimit32,
    Rlimit64,
)
from kernel_model.syscalls.declare import Int, Ptr, Size, UInt, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task

_INFINITY32 = 0xFFFFFFFF
_GRND_KNOWN = 7
_NO_EFFECT = "RLIMIT_RTTIME is kept, and has no effect"
_PER_QUERY = 0xFFFFFFFF


def _limits_of(task: Task, which: int) -> tuple[int, int]:
    if not 0 <= which < RLIM_NLIMITS:
        raise EINVAL(f"there is no resource {which}")
    return task.signal.rlimits[which]


def _set_limit(task: Task, target: Task, which: int, soft: int, hard: int) -> None:
    _, old_hard = _limits_of(target, which)
    if soft > hard:
        raise EINVAL("the soft limit is above the hard one")
    if hard > old_hard and not task.cred.cap("CAP_SYS_RESOURCE"):
        raise EPERM("raising a hard limit needs CAP_SYS_RESOURCE")
    if which == RLIMIT_NOFILE and hard > NR_OPEN:
        raise EPERM(f"more than {NR_OPEN} files")
    if which == RLIMIT_CPU and not soft:
        soft = 1  # a process that was to have no time at all gets a second, whatever the hard limit
    target.signal.rlimits[which] = (soft, hard)
    if which == RLIMIT_AS and target.mm is not None:
        target.mm.limit_bytes = None if soft >= 1 << 63 else soft


def _read_old(task: Task, which: int, addr: int, cap: int) -> int:
    soft, hard = _limits_of(task, which)
    if task.abi.word_bytes == 8:
        task.user.write_record(Rlimit64(rlim_cur=soft, rlim_max=hard), addr)
    else:
        record = Rlimit32(rlim_cur=min(soft, cap), rlim_max=min(hard, cap))
        task.user.write_record(record, addr)
    return 0


@syscall()
def getrlimit(task: Task, which: UInt, limits: Ptr) -> int:
    """A resource limit; on i386 the old call, which knows nothing above 2 GiB."""
    return _read_old(task, which, limits, task.abi.old_rlimit_max)


@syscall()
def ugetrlimit(task: Task, which: UInt, limits: Ptr) -> int:
    """A resource limit."""
    return _read_old(task, which, limits, _INFINITY32)


@syscall(partial=_NO_EFFECT)
def setrlimit(task: Task, which: UInt, limits: Ptr) -> int:
    """Change a resource limit."""
    if task.abi.word_bytes == 8:
        wide = task.user.read_record(Rlimit64, limits)
        soft, hard = wide.rlim_cur, wide.rlim_max
    else:
        narrow = task.user.read_record(Rlimit32, limits)
        soft, hard = (
            RLIM_INFINITY if value == _INFINITY32 else value
            for value in (narrow.rlim_cur, narrow.rlim_max)
        )
    _set_limit(task, task, which, soft, hard)
    return 0


def _check_may_limit(task: Task, target: Task) -> None:
    mine, theirs = task.cred, target.cred
    if target is task or mine.cap("CAP_SYS_RESOURCE"):
        return
    same_user = mine.uid == theirs.euid == theirs.suid == theirs.uid
    if not (same_user and mine.gid == theirs.egid == theirs.sgid == theirs.gid):
        raise EPERM("the limits of another user's process")


@syscall(partial=_NO_EFFECT)
def prlimit64(task: Task, pid: Int, which: UInt, new: Ptr, old: Ptr) -> int:
    """Read and change a limit of a process."""
    wanted = task.user.read_record(Rlimit64, new) if new else None
    target = task if pid == 0 else task.find(pid)
    if target is None:
        raise ESRCH(f"there is no process {pid}")
    _check_may_limit(task, target)
    before = _limits_of(target, which)
    if wanted is not None:
        _set_limit(task, target, which, wanted.rlim_cur, wanted.rlim_max)
    if old:
        task.user.write_record(Rlimit64(rlim_cur=before[0], rlim_max=before[1]), old)
    return 0


@syscall()
def uname(task: Task, buffer: Ptr) -> int:
    """What this kernel is called."""
    uts = task.nsproxy.uts
    record = NewUtsname(
        sysname=uts.sysname,
        nodename=uts.nodename,
        release=uts.release,
        version=uts.version,
        machine=uts.machine,
        domainname=uts.domainname,
    )
    task.user.write_record(record, buffer)
    return 0


def _read_name(task: Task, addr: int, length: int) -> bytes:
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("setting a name needs CAP_SYS_ADMIN")
    if not 0 <= length <= 64:
        raise EINVAL(f"a name of {length} bytes")
    return task.user.read(addr, length).split(b"\0")[0]


@syscall()
def sethostname(task: Task, name: Ptr, length: Int) -> int:
    """Set the host name."""
    task.nsproxy.uts.nodename = _read_name(task, name, length)
    return 0


@syscall()
def setdomainname(task: Task, name: Ptr, length: Int) -> int:
    """Set the NIS domain name."""
    task.nsproxy.uts.domainname = _read_name(task, name, length)
    return 0


@syscall()
def getrandom(task: Task, buffer: Ptr, count: Size, flags: UInt) -> int:
    """Random bytes from the kernel's seeded source."""
    if flags & ~_GRND_KNOWN:
        raise EINVAL(f"getrandom flags {flags:#x}")
    there = task.user.writable(buffer, count) if count else 0
    if count and not there:
        raise EFAULT(f"nothing can be stored at {buffer:#x}")
    count = min(count, there)
    task.user.write(buffer, task.kernel.random.bytes(count))
    return count
