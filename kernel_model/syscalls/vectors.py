"""readv, writev and their relatives: one transfer into or out of several buffers.

A transfer goes as far as the first byte that cannot be reached, and fails only if that is the
very first.

Mirrors: Linux lib/iov_iter.c, fs/read_write.c -- do_readv_writev.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINVAL
from kernel_model.syscalls.declare import Fd, Long, Ptr, syscall
from kernel_model.syscalls.readwrite import (
    MAX_COUNT,
    check_position,
    note_read,
    note_written,
    reader_of,
    write_at,
    write_out,
    writer_of,
)

if TYPE_CHECKING:
    from kernel_model.task import Task

IOV_MAX = 1024


def vector(task: Task, iov: int, iovcnt: int) -> list[tuple[int, int]]:
    """The (address, length) pairs of an iovec array. Raises EINVAL, EFAULT."""
    if not 0 <= iovcnt <= IOV_MAX:
        raise EINVAL(f"{iovcnt} buffers")
    width = task.abi.word_bytes
    raw = task.user.read(iov, iovcnt * 2 * width) if iovcnt else b""
    code = task.abi.order + ("QQ" if width == 8 else "II")
    pairs: list[tuple[int, int]] = list(struct.iter_unpack(code, raw))
    if any(length >> (8 * width - 1) for _, length in pairs):
        raise EINVAL("a buffer of negative length")
    return pairs


def gather(task: Task, pairs: list[tuple[int, int]]) -> bytes:
    """All that can be read from the buffers up to the first bad byte."""
    parts: list[bytes] = []
    left = MAX_COUNT
    for addr, length in pairs:
        length = min(length, left)
        there = task.user.readable(addr, length) if length else 0
        parts.append(task.user.read(addr, there) if there else b"")
        left -= there
        if there < length:
            break
    data = b"".join(parts)
    if not data and any(length for _, length in pairs):
        raise EFAULT("nothing can be read from the first buffer")
    return data


def targets_of(task: Task, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of the buffers that can be stored to, up to the first bad byte."""
    good: list[tuple[int, int]] = []
    left = MAX_COUNT
    for addr, length in pairs:
        length = min(length, left)
        if not length:
            continue
        room = task.user.writable(addr, length)
        if room:
            good.append((addr, room))
        left -= room
        if room < length:
            break
    if not good and any(length for _, length in pairs):
        raise EFAULT("nothing can be stored in the first buffer")
    return good


def scatter(task: Task, data: bytes, targets: list[tuple[int, int]]) -> int:
    done = 0
    for addr, room in targets:
        part = data[done : done + room]
        if not part:
            break
        task.user.write(addr, part)
        done += len(part)
    return len(data)


@syscall()
def readv(task: Task, fd: Fd, iov: Ptr, iovcnt: Long) -> int:
    """Read into several buffers."""
    file = reader_of(task, fd)
    targets = targets_of(task, vector(task, iov, iovcnt))
    wanted = sum(room for _, room in targets)
    most = task.kernel.chaos.shorter_read(task, file, wanted)
    return note_read(file, scatter(task, file.read_for(task, most), targets))


@syscall()
def writev(task: Task, fd: Fd, iov: Ptr, iovcnt: Long) -> int:
    """Write from several buffers."""
    file = writer_of(task, fd)
    return note_written(file, write_out(task, file, gather(task, vector(task, iov, iovcnt))))


def _halves(task: Task, low: int, high: int) -> int:
    """preadv and pwritev pass their offset as two words on every ABI, the low one first."""
    bits = 8 * task.abi.word_bytes
    offset = (low & ((1 << bits) - 1)) | ((high << bits) & ((1 << 64) - 1))
    return offset - (1 << 64) if offset >> 63 else offset


@syscall()
def preadv(task: Task, fd: Fd, iov: Ptr, iovcnt: Long, low: Long, high: Long) -> int:
    """Read into several buffers at an offset."""
    offset = _halves(task, low, high)
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    file = reader_of(task, fd)
    check_position(file, offset)
    targets = targets_of(task, vector(task, iov, iovcnt))
    data = file.pread(offset, sum(room for _, room in targets))
    return note_read(file, scatter(task, data, targets))


@syscall()
def pwritev(task: Task, fd: Fd, iov: Ptr, iovcnt: Long, low: Long, high: Long) -> int:
    """Write from several buffers at an offset."""
    offset = _halves(task, low, high)
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    file = writer_of(task, fd)
    check_position(file, offset)
    return note_written(file, write_at(task, file, gather(task, vector(task, iov, iovcnt)), offset))
