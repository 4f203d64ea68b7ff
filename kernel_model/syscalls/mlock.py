"""System calls that keep pages in memory. Nothing is ever paged out here, so they stay anyway.

Mirrors: Linux mm/mlock.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.memory import PAGE_MASK
from kernel_model.abi.errno import EAGAIN, EINVAL, ENOMEM
from kernel_model.abi.limits import RLIMIT_MEMLOCK
from kernel_model.mm.vma import VM_LOCKED
from kernel_model.syscalls.declare import Flags, Ptr, Size, syscall
from kernel_model.syscalls.memory import hole_in, range_end

if TYPE_CHECKING:
    from kernel_model.task import Task


def _lock(task: Task, addr: int, length: int, lock: bool) -> int:
    mm = task.mm
    assert mm is not None
    start = addr & ~PAGE_MASK
    end = range_end(task, start, length + (addr & PAGE_MASK))
    if lock and end - start > task.signal.rlimits[RLIMIT_MEMLOCK][0]:
        if not task.cred.cap("CAP_IPC_LOCK"):
            raise ENOMEM("RLIMIT_MEMLOCK")
    if end < start:
        raise EINVAL("the range begins again at 0")
    if end == start:
        return 0
    hole = hole_in(mm, start, end)
    mm.split(start)
    mm.split(hole)
    for vma in mm.overlapping(start, hole):
        vma.flags = vma.flags | VM_LOCKED if lock else vma.flags & ~VM_LOCKED
    if hole < end:
        raise ENOMEM(f"nothing is mapped at {hole:#x}")
    if lock and task.user.readable(start, end - start) < end - start:
        raise EAGAIN("not every page could be brought in")
    return 0


@syscall()
def mlock(task: Task, addr: Ptr, length: Size) -> int:
    """Bring a range into memory; nothing is ever paged out here, so it stays."""
    return _lock(task, addr, length, True)


@syscall()
def munlock(task: Task, addr: Ptr, length: Size) -> int:
    """The opposite of mlock."""
    return _lock(task, addr, length, False)


@syscall()
def mlockall(task: Task, flags: Flags) -> int:
    """Lock what is mapped (1) and what will be (2)."""
    if not flags or flags & ~3:
        raise EINVAL(f"mlockall flags {flags:#x}")
    assert task.mm is not None
    if not task.cred.cap("CAP_IPC_LOCK") and (
        task.mm.total_bytes > task.signal.rlimits[RLIMIT_MEMLOCK][0]
    ):
        raise ENOMEM("RLIMIT_MEMLOCK")
    if flags & 2:
        task.mm.def_flags |= VM_LOCKED
    if flags & 1:
        for vma in task.mm.vmas:
            vma.flags |= VM_LOCKED
    return 0


@syscall()
def munlockall(task: Task) -> int:
    """The opposite of mlockall."""
    assert task.mm is not None
    task.mm.def_flags &= ~VM_LOCKED
    for vma in task.mm.vmas:
        vma.flags &= ~VM_LOCKED
    return 0
