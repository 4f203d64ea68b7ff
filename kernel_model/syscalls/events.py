"""eventfd and epoll.

Mirrors: Linux fs/eventfd.c, fs/eventpoll.c.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINTR, EINVAL, LinuxError
from kernel_model.abi.fcntl import O_CLOEXEC, O_NONBLOCK
from kernel_model.epoll import EpollFile, check_watchable
from kernel_model.eventfd import EFD_SEMAPHORE, EventFile
from kernel_model.restart_block import Progress
from kernel_model.syscalls.declare import Fd, Flags, Int, Ptr, Size, UInt, syscall
from kernel_model.syscalls.open import descriptor_limit
from kernel_model.syscalls.poll import apply_mask, first_deadline, take_mask_back
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Restart, Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD = 1, 2, 3
_MOST_EVENTS = 0x7FFFFFFF
_MS = 1_000_000


def install(task: Task, file: OpenFile, *, cloexec: bool) -> int:
    """Give a new file a descriptor, or let go of it. Raises EMFILE."""
    try:
        return task.files.install(file, descriptor_limit(task), cloexec=cloexec)
    except LinuxError:
        file.drop()
        raise


@syscall()
def eventfd2(task: Task, count: UInt, flags: Flags) -> int:
    """A counter as a file."""
    if flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK):
        raise EINVAL(f"eventfd flags {flags:#o}")
    fs = task.kernel.vfs.anonfs
    semaphore = bool(flags & EFD_SEMAPHORE)
    file = EventFile(fs, task.abi.byte_order, count, semaphore=semaphore, flags=flags)
    return install(task, file, cloexec=bool(flags & O_CLOEXEC))


@syscall()
def eventfd(task: Task, count: UInt) -> int:
    """A counter as a file, without flags."""
    return int(eventfd2.handler(task, count, 0))


@syscall()
def epoll_create1(task: Task, flags: Flags) -> int:
    """A new epoll set."""
    if flags & ~O_CLOEXEC:
        raise EINVAL(f"epoll flags {flags:#o}")
    return install(task, EpollFile(task.kernel.vfs.anonfs), cloexec=bool(flags))


@syscall()
def epoll_create(task: Task, size: Int) -> int:
    """A new epoll set; the size was once a hint."""
    if size <= 0:
        raise EINVAL(f"a set of {size}")
    return int(epoll_create1.handler(task, 0))


def _layout(task: Task) -> struct.Struct:
    """struct epoll_event: events and data, packed or aligned."""
    return struct.Struct(task.abi.order + ("IQ" if task.abi.structs.packed_epoll else "I4xQ"))


@syscall()
def epoll_ctl(task: Task, epfd: Fd, operation: Int, fd: Fd, event: Ptr) -> int:
    """Add, change or delete what a set watches."""
    events = data = 0
    if operation != EPOLL_CTL_DEL:
        layout = _layout(task)
        events, data = layout.unpack(task.user.read(event, layout.size))
    owner = check_watchable_pair(task, epfd, fd)
    file = task.files.get(fd)
    if operation == EPOLL_CTL_ADD:
        owner.add(file, fd, events, data, task)
    elif operation == EPOLL_CTL_MOD:
        owner.change(file, fd, events, data, task)
    elif operation == EPOLL_CTL_DEL:
        owner.delete(file, fd)
    else:
        raise EINVAL(f"epoll_ctl operation {operation}")
    return 0


def check_watchable_pair(task: Task, epfd: int, fd: int) -> EpollFile:
    """The set behind `epfd`, if it may watch `fd`."""
    return check_watchable(task.files.get(epfd), task.files.get(fd))


def _wait(task: Task, epfd: int, events: int, most: int, timeout: int) -> int:
    """The number of events stored; -1 when there are none and there is time left."""
    layout = _layout(task)
    if not 0 < most <= _MOST_EVENTS // layout.size:
        raise EINVAL(f"{most} events")
    task.user.check_range(events, most * layout.size)
    owner = task.files.get(epfd)
    if not isinstance(owner, EpollFile):
        raise EINVAL("not an epoll set")
    room = task.user.writable(events, most * layout.size) // layout.size
    if not room and owner.poll_for(task):
        raise EFAULT(f"no event can be stored at {events:#x}")
    found = owner.collect(room, task) if room else []
    if found:
        task.user.write(events, b"".join(layout.pack(*pair) for pair in found))
        return len(found)
    deadline = first_deadline(task, None if timeout < 0 else timeout * _MS)
    if deadline is not None and task.kernel.clock.now_ns() >= deadline:
        return 0
    task.restart_block = Progress(deadline_ns=deadline)
    return -1


def _sleep(task: Task, epfd: int) -> Sleep:
    block = task.restart_block
    file = task.files.get(epfd)
    sleep = Sleep(
        *file.poll_queues(),
        deadline_ns=block.deadline_ns if block is not None else None,
        restart=Restart.ERESTARTNOHAND,
        external=file.poll_external(),
    )
    sleep.stoppable = True
    return sleep


@syscall()
def epoll_wait(task: Task, epfd: Fd, events: Ptr, most: Int, timeout: Int) -> int:
    """Wait until something watched has news, or for a number of milliseconds."""
    count = _wait(task, epfd, events, most, timeout)
    if count >= 0:
        return count
    if task.has_signal():
        raise EINTR("a signal came first")
    raise _sleep(task, epfd)


@syscall()
def epoll_pwait(
    task: Task, epfd: Fd, events: Ptr, most: Int, timeout: Int, mask: Ptr, size: Size
) -> int:
    """epoll_wait under another signal mask."""
    apply_mask(task, mask, size)
    try:
        count = _wait(task, epfd, events, most, timeout)
    except LinuxError:
        take_mask_back(task)
        raise
    if count < 0:
        raise _sleep(task, epfd)
    take_mask_back(task)
    return count
