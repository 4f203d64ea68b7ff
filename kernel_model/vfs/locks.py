"""Locks on files: flock for a whole file, POSIX record locks for ranges of it, leases.

Locks hang on the inode. A record lock belongs to a table of descriptors (so to a process): closing
any descriptor of the file lets all of them go. A flock belongs to an open file, and ends with it.
The two kinds do not see each other. Who must wait sleeps with a `Blocked` that says for what: so a
circle of waiters is found before it closes, from nothing but the tasks themselves.

A lease is no lock but a promise: its holder is told by a signal when somebody wants to open the
file, who waits until the holder has given the lease back, or 45 seconds.

Mirrors:  Linux fs/locks.c (__posix_lock_file, posix_locks_deadlock, flock_lock_file,
          __break_lease).
Deviates: a lock that is let go wakes everybody who waits at the inode; each looks again.
Not modelled: mandatory locks, LOCK_MAND.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EACCES, EAGAIN, EDEADLK, EINVAL
from kernel_model.abi.fcntl import FASYNC
from kernel_model.vfs.owner import F_OWNER_PID, POLL_MSG, owner_for, tell
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.fdtable import FdTable
    from kernel_model.vfs.inode import Inode
    from kernel_model.vfs.openfile import OpenFile

F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
LAST_BYTE = (1 << 63) - 1
LEASE_BREAK_NS = 45 * 10**9
_LONGEST_CIRCLE = 10


@dataclass(frozen=True, slots=True)
class Range:
    """A record lock: `kind` is F_RDLCK or F_WRLCK, `last` is in it."""

    kind: int
    first: int
    last: int
    pid: int
    """The process that set it (a kernel number): what F_GETLK tells."""

    def meets(self, other: Range) -> bool:
        """Whether the two have a byte in common."""
        return self.first <= other.last and other.first <= self.last

    def hinders(self, other: Range) -> bool:
        """Whether two owners cannot have both."""
        return self.meets(other) and F_WRLCK in (self.kind, other.kind)


class Blocked(WaitQueue):
    """What a task that waits for a record lock wants: never woken itself."""

    __slots__ = ("inode", "owner", "wanted")

    def __init__(self, inode: Inode, owner: FdTable, wanted: Range) -> None:
        super().__init__()
        self.inode = inode
        self.owner = owner
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Lease:
    """What the holder of a lease was promised to be told of: F_WRLCK any open, F_RDLCK writers."""

    kind: int
    owner: FdTable
    """Whose opens are refused rather than made to wait."""
    target: int | None = None
    """What it is to become (F_RDLCK or F_UNLCK), once somebody wants to open the file."""
    break_at_ns: int = 0
    """Until when the holder has time for that."""


class FileLocks:
    """All locks of one inode."""

    __slots__ = ("leases", "records", "waiters", "whole")

    def __init__(self) -> None:
        self.records: dict[FdTable, list[Range]] = {}
        """By owner, the one that came first first; each owner's by where they begin."""
        self.whole: dict[OpenFile, int] = {}
        """flock: F_RDLCK or F_WRLCK of an open file."""
        self.leases: dict[OpenFile, Lease] = {}
        self.waiters = WaitQueue()

    @property
    def empty(self) -> bool:
        """Whether nobody has a lock, or waits for one."""
        return not (self.records or self.whole or self.leases or self.waiters.waiters)

    # -- record locks

    def hindrance(self, owner: FdTable, wanted: Range) -> tuple[FdTable, Range] | None:
        """The first lock of somebody else that stands in the way."""
        for other, ranges in self.records.items():
            if other is owner:
                continue
            for each in ranges:
                if each.hinders(wanted):
                    return other, each
        return None

    def put(self, owner: FdTable, wanted: Range) -> None:
        """Give (or, with F_UNLCK, take away) a range; nothing stands in the way."""
        kept: list[Range] = []
        for each in self.records.get(owner, ()):
            if not each.meets(wanted):
                kept.append(each)
                continue
            if each.first < wanted.first:
                kept.append(replace(each, last=wanted.first - 1))
            if each.last > wanted.last:
                kept.append(replace(each, first=wanted.last + 1))
        if wanted.kind != F_UNLCK:
            kept.append(wanted)
        kept.sort(key=lambda each: each.first)
        merged = _merged(kept)
        if merged:
            self.records[owner] = merged
        else:
            self.records.pop(owner, None)
        self.waiters.wake_all()

    def name_owner(self, owner: FdTable, pid: int) -> None:
        """Restart: the process that has these locks has its number now."""
        ranges = self.records.get(owner, [])
        for position, each in enumerate(ranges):
            if not each.pid:
                ranges[position] = replace(each, pid=pid)

    # -- flock

    def whole_hinders(self, file: OpenFile, kind: int) -> bool:
        """Whether another open file's flock stands in the way."""
        return any(
            other is not file and F_WRLCK in (kind, held) for other, held in self.whole.items()
        )

    # -- leases

    def time_out(self, now_ns: int) -> None:
        """Leases whose holders did not react are taken from them."""
        for file, lease in list(self.leases.items()):
            if lease.target is not None and now_ns >= lease.break_at_ns:
                self.change_lease(file, lease.target)

    def change_lease(self, file: OpenFile, kind: int) -> None:
        """A lease gets less, or (F_UNLCK) ends; who waits for that looks again."""
        if kind == F_UNLCK:
            del self.leases[file]
            file.async_fd = -1
            file.flags &= ~FASYNC
        else:
            self.leases[file] = Lease(kind, self.leases[file].owner)
        self.waiters.wake_all()


def _merged(ranges: list[Range]) -> list[Range]:
    """Neighbours of one kind become one lock."""
    merged: list[Range] = []
    for each in ranges:
        last = merged[-1] if merged else None
        if last is not None and last.kind == each.kind and last.last + 1 == each.first:
            merged[-1] = replace(last, last=each.last, pid=each.pid)
        else:
            merged.append(each)
    return merged


def locks_of(inode: Inode) -> FileLocks:
    """The locks of an inode, to be changed."""
    if inode.locks is None:
        inode.locks = FileLocks()
    return inode.locks


def _tidy(inode: Inode) -> None:
    if inode.locks is not None and inode.locks.empty:
        inode.locks = None


def set_record(task: Task, inode: Inode, wanted: Range, *, wait: bool) -> None:
    """F_SETLK and F_SETLKW. Raises EAGAIN, EDEADLK, Sleep."""
    owner = task.files
    if wanted.kind == F_UNLCK and inode.locks is None:
        return
    locks = locks_of(inode)
    if wanted.kind != F_UNLCK:
        found = locks.hindrance(owner, wanted)
        if found is not None:
            if not wait:
                raise EAGAIN("another process has a lock there")
            if _closes_circle(task, owner, found[0]):
                raise EDEADLK("the process that has the lock waits for one of the caller's")
            raise Sleep(locks.waiters, Blocked(inode, owner, wanted))
    locks.put(owner, wanted)
    _tidy(inode)


def _closes_circle(task: Task, owner: FdTable, holder: FdTable) -> bool:
    """Whether `holder` waits, perhaps through others, for a lock of `owner`."""
    for _ in range(_LONGEST_CIRCLE):
        blocked = _waits_for(task, holder)
        if blocked is None or blocked.inode.locks is None:
            return False
        found = blocked.inode.locks.hindrance(holder, blocked.wanted)
        if found is None:
            return False
        holder = found[0]
        if holder is owner:
            return True
    return False


def _waits_for(task: Task, owner: FdTable) -> Blocked | None:
    for other in task.kernel.tasks.values():
        if other.waiting is not None:
            for queue in other.waiting.queues:
                if isinstance(queue, Blocked) and queue.owner is owner:
                    return queue
    return None


def set_whole(file: OpenFile, kind: int, *, wait: bool) -> None:
    """flock. Raises EAGAIN, Sleep."""
    inode = file.inode
    if kind == F_UNLCK:
        leave_file(file)
        return
    locks = locks_of(inode)
    if locks.whole.get(file) == kind:
        return
    # To change the kind is to let go first: others may come in between, as on Linux.
    if locks.whole.pop(file, None) is not None:
        locks.waiters.wake_all()
    if locks.whole_hinders(file, kind):
        if not wait:
            raise EAGAIN("another open file has a lock")
        raise Sleep(locks.waiters)
    locks.whole[file] = kind


def set_lease(task: Task, file: OpenFile, fd: int, kind: int) -> None:
    """F_SETLEASE. Raises EACCES, EAGAIN, EINVAL."""
    inode = file.inode
    if kind not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise EINVAL(f"there is no lease {kind}")
    if task.cred.fsuid != inode.node.uid and not task.cred.cap("CAP_LEASE"):
        raise EACCES("a lease is for the owner of the file")
    if not inode.is_regular:
        raise EINVAL("a lease is of a regular file")
    locks = locks_of(inode)
    locks.time_out(task.kernel.clock.now_ns())
    try:
        if kind == F_UNLCK:
            if file not in locks.leases:
                raise EAGAIN("there is no lease to give back")
            locks.change_lease(file, F_UNLCK)
            return
        if (kind == F_RDLCK and inode.writers) or (kind == F_WRLCK and inode.opens > 1):
            raise EAGAIN("others have the file open")
        others = [lease for holder, lease in locks.leases.items() if holder is not file]
        if any(F_WRLCK in (kind, lease.kind) or lease.target is not None for lease in others):
            raise EAGAIN("others have a lease")
        locks.leases[file] = Lease(kind, task.files)
        locks.waiters.wake_all()
    finally:
        _tidy(inode)
    file.async_fd, file.async_kernel = fd, task.kernel
    file.flags |= FASYNC
    if not file.owner.number:
        file.owner = owner_for(task, task.pid, F_OWNER_PID)


def get_lease(task: Task, file: OpenFile) -> int:
    """F_GETLEASE: what it is, or is to become."""
    locks = file.inode.locks
    if locks is None:
        return F_UNLCK
    locks.time_out(task.kernel.clock.now_ns())
    lease = locks.leases.get(file)
    _tidy(file.inode)
    if lease is None:
        return F_UNLCK
    return lease.kind if lease.target is None else lease.target


def break_leases(task: Task, inode: Inode, *, writing: bool, wait: bool) -> None:
    """Somebody opens or truncates the file: tell the holders, and wait for them.

    Raises EAGAIN, Sleep; nothing but the telling has happened then.
    """
    locks = inode.locks
    if locks is None or not locks.leases:
        return
    now_ns = task.kernel.clock.now_ns()
    locks.time_out(now_ns)
    found = {
        file: lease for file, lease in locks.leases.items() if writing or lease.kind == F_WRLCK
    }
    _tidy(inode)
    if not found:
        return
    for file, lease in found.items():
        target = F_UNLCK if writing else F_RDLCK
        if lease.target is None or lease.target < target:
            locks.leases[file] = replace(lease, target=target, break_at_ns=now_ns + LEASE_BREAK_NS)
            tell([file], POLL_MSG)
    own = any(lease.owner is task.files for lease in found.values())
    if own or not wait:
        raise EAGAIN("somebody has a lease on the file")
    until_ns = min(locks.leases[file].break_at_ns for file in found)
    raise Sleep(locks.waiters, deadline_ns=until_ns)


def leave_table(inode: Inode, owner: FdTable) -> None:
    """A descriptor of the file was closed in that table: all its record locks end."""
    locks = inode.locks
    if locks is not None and owner in locks.records:
        del locks.records[owner]
        locks.waiters.wake_all()
        _tidy(inode)


def leave_file(file: OpenFile) -> None:
    """LOCK_UN."""
    locks = file.inode.locks
    if locks is not None and locks.whole.pop(file, None) is not None:
        locks.waiters.wake_all()
        _tidy(file.inode)


def close_file(file: OpenFile) -> None:
    """The open file is gone: its flock and its lease are, too."""
    locks = file.inode.locks
    if locks is not None and file in locks.leases:
        locks.change_lease(file, F_UNLCK)
    leave_file(file)
    _tidy(file.inode)
