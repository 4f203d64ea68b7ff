"""Locks on files: flock for a whole file, POSIX record locks for ranges of it.

Locks hang on the inode. A record lock belongs to a table of descriptors (so to a process): closing
any descriptor of the file lets all of them go. A flock belongs to an open file, and ends with it.
The two kinds do not see each other. Who must wait sleeps with a `Blocked` that says for what: so a
circle of waiters is found before it closes, from nothing but the tasks themselves.

Mirrors:  Linux fs/locks.c (__posix_lock_file, posix_locks_deadlock, flock_lock_file).
Deviates: a lock that is let go wakes everybody who waits at the inode; each looks again.
Not modelled: mandatory locks, LOCK_MAND.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EDEADLK
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.fdtable import FdTable
    from kernel_model.vfs.inode import Inode
    from kernel_model.vfs.openfile import OpenFile

F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
LAST_BYTE = (1 << 63) - 1
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


class FileLocks:
    """All locks of one inode."""

    __slots__ = ("records", "waiters", "whole")

    def __init__(self) -> None:
        self.records: dict[FdTable, list[Range]] = {}
        """By owner, the one that came first first; each owner's by where they begin."""
        self.whole: dict[OpenFile, int] = {}
        """flock: F_RDLCK or F_WRLCK of an open file."""
        self.waiters = WaitQueue()

    @property
    def empty(self) -> bool:
        """Whether nobody has a lock, or waits for one."""
        return not (self.records or self.whole or self.waiters.waiters)

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


def leave_table(inode: Inode, owner: FdTable) -> None:
    """A descriptor of the file was closed in that table: all its record locks end."""
    locks = inode.locks
    if locks is not None and owner in locks.records:
        del locks.records[owner]
        locks.waiters.wake_all()
        _tidy(inode)


def leave_file(file: OpenFile) -> None:
    """The open file is gone, or wants no lock any more."""
    locks = file.inode.locks
    if locks is not None and locks.whole.pop(file, None) is not None:
        locks.waiters.wake_all()
        _tidy(file.inode)
