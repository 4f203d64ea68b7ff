"""The buffers of a transfer: where its bytes are, or are to be, in the memory of the program.

A transfer goes as far as the first byte that cannot be reached, and fails only if that is the very
first; but a message goes whole or not at all.

Mirrors: Linux lib/iov_iter.c, fs/read_write.c -- rw_copy_check_uvector.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINVAL, EMSGSIZE

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

MAX_COUNT = 0x7FFF_F000
"""The most that one call moves."""
IOV_MAX = 1024


def vector(task: Task, iov: int, iovcnt: int) -> list[tuple[int, int]]:
    """The (address, length) pairs of an iovec array. Raises EINVAL, EFAULT."""
    if not 0 <= iovcnt <= IOV_MAX:
        raise EINVAL(f"{iovcnt} buffers")
    width = task.abi.word_bytes
    raw = task.user.read(iov, iovcnt * 2 * width) if iovcnt else b""
    code = task.abi.order + ("QQ" if width == 8 else "II")
    pairs: list[tuple[int, int]] = list(struct.iter_unpack(code, raw))
    for addr, length in pairs:
        if length >> (8 * width - 1):
            raise EINVAL("a buffer of negative length")
        task.user.check_range(addr, length)
    return pairs


def size_of(pairs: list[tuple[int, int]]) -> int:
    """How many bytes a transfer moves at most."""
    return min(sum(length for _, length in pairs), MAX_COUNT)


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


def gather_for(task: Task, file: OpenFile, pairs: list[tuple[int, int]]) -> bytes:
    """What a write to this file takes: all there is of a message. Raises EFAULT, EMSGSIZE."""
    most = file.message_bytes
    wanted = sum(length for _, length in pairs)
    try:
        data = gather(task, pairs)
        if len(data) >= wanted:
            return data
        if most is None:
            return whole_parts(file, data)
        raise EFAULT("a part of the message cannot be read")
    except EFAULT:
        if most is not None and wanted > most:
            raise EMSGSIZE("the message is too long, and cannot be read") from None
        if file.faults_late_in_write:
            return b"\0"  # never stored: the file says no, or not yet, before it looks
        raise


def whole_parts(file: OpenFile, data: bytes) -> bytes:
    """What a file takes of bytes behind which the buffer is bad. Raises EFAULT if nothing."""
    whole = data[: len(data) - len(data) % file.part_bytes]
    if not whole:
        raise EFAULT("the first part of the buffer cannot be read whole")
    return whole


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
