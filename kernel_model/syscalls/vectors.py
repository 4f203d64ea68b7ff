"""readv, writev and their relatives: one transfer into or out of several buffers.

Mirrors: Linux fs/read_write.c -- do_readv_writev.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT
from kernel_model.syscalls.buffers import gather, gather_for, scatter, size_of, targets_of, vector
from kernel_model.syscalls.declare import Fd, Long, Ptr, syscall
from kernel_model.syscalls.readwrite import (
    check_position,
    note_read,
    note_written,
    nothing_stored,
    nothing_stored_at,
    reader_of,
    write_at,
    write_out,
    writer_of,
)

if TYPE_CHECKING:
    from kernel_model.task import Task


@syscall()
def readv(task: Task, fd: Fd, iov: Ptr, iovcnt: Long) -> int:
    """Read into several buffers."""
    file = reader_of(task, fd)
    pairs = vector(task, iov, iovcnt)
    if not size_of(pairs):
        return 0
    try:
        targets = targets_of(task, pairs)
    except EFAULT as fault:
        return nothing_stored(task, file, size_of(pairs), fault)
    wanted = sum(room for _, room in targets)
    most = task.kernel.chaos.shorter_read(task, file, wanted)
    return note_read(file, scatter(task, file.read_for(task, most), targets))


@syscall()
def writev(task: Task, fd: Fd, iov: Ptr, iovcnt: Long) -> int:
    """Write from several buffers."""
    file = writer_of(task, fd)
    pairs = vector(task, iov, iovcnt)
    if not size_of(pairs) or file.swallows:
        return note_written(file, size_of(pairs))
    return note_written(file, write_out(task, file, gather_for(task, file, pairs)))


def _halves(task: Task, low: int, high: int) -> int:
    """preadv and pwritev pass their offset as two words on every ABI, the low one first."""
    bits = 8 * task.abi.word_bytes
    offset = (low & ((1 << bits) - 1)) | ((high << bits) & ((1 << 64) - 1))
    return offset - (1 << 64) if offset >> 63 else offset


@syscall()
def preadv(task: Task, fd: Fd, iov: Ptr, iovcnt: Long, low: Long, high: Long) -> int:
    """Read into several buffers at an offset."""
    offset = _halves(task, low, high)
    check_position(task, fd, offset)
    file = reader_of(task, fd)
    pairs = vector(task, iov, iovcnt)
    if not size_of(pairs):
        return 0
    try:
        targets = targets_of(task, pairs)
    except EFAULT as fault:
        return nothing_stored_at(file, offset, fault)
    data = file.pread(offset, sum(room for _, room in targets))
    return note_read(file, scatter(task, data, targets))


@syscall()
def pwritev(task: Task, fd: Fd, iov: Ptr, iovcnt: Long, low: Long, high: Long) -> int:
    """Write from several buffers at an offset."""
    offset = _halves(task, low, high)
    check_position(task, fd, offset)
    file = writer_of(task, fd)
    pairs = vector(task, iov, iovcnt)
    if not size_of(pairs) or file.swallows:
        return note_written(file, size_of(pairs))
    return note_written(file, write_at(task, file, gather(task, pairs), offset))
