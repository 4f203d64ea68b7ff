"""getdents and getdents64. old_readdir is absent.

Mirrors: Linux fs/readdir.c (filldir, filldir64).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINVAL, ENOTDIR
from kernel_model.syscalls.declare import Fd, Ptr, UInt, syscall
from kernel_model.vfs.notify import IN_ACCESS, notice_file
from kernel_model.vfs.openfile import DirectoryFile, Entry

if TYPE_CHECKING:
    from kernel_model.task import Task


_MAX_COUNT = 1 << 20
"""More is not stored in one call, whatever the buffer."""


def _short_form(entry: Entry, offset: int, order: str, word_bytes: int) -> bytes:
    head = struct.pack(order + ("QQ" if word_bytes == 8 else "II"), entry.ino, offset)
    length = -(-(len(head) + 2 + len(entry.name) + 2) // word_bytes) * word_bytes
    body = head + struct.pack(order + "H", length) + entry.name
    return body.ljust(length - 1, b"\0") + bytes([entry.mode >> 12 & 15])


def _long_form(entry: Entry, offset: int, order: str, word_bytes: int) -> bytes:
    length = -(-(19 + len(entry.name) + 1) // 8) * 8
    head = struct.pack(order + "QqHB", entry.ino, offset, length, entry.mode >> 12 & 15)
    return (head + entry.name).ljust(length, b"\0")


def _fill(
    task: Task, fd: int, buf: int, count: int, form: Callable[[Entry, int, str, int], bytes]
) -> int:
    file = task.files.get(fd)
    if not isinstance(file, DirectoryFile):
        raise ENOTDIR(f"descriptor {fd} is not a directory")
    task.user.check_range(buf, count)
    # Linux counts what is left with a sign.
    count = 0 if count >> 31 else min(count, _MAX_COUNT)
    room = task.user.writable(buf, count)
    data = bytearray()
    while (entry := file.entry(task.fs.root)) is not None:
        record = form(entry, file.position + 1, task.abi.order, task.abi.word_bytes)
        if len(data) + len(record) > room:
            if not data:
                if len(record) > count:
                    raise EINVAL("the buffer is too small")
                raise EFAULT(f"an entry cannot be stored at {buf:#x}")
            break
        data += record
        file.advance()
    if data:
        task.user.write(buf, bytes(data))
    notice_file(file, IN_ACCESS)
    return len(data)


@syscall()
def getdents(task: Task, fd: Fd, buf: Ptr, count: UInt) -> int:
    """Directory entries with word-sized numbers; the type is in the last byte of each."""
    return _fill(task, fd, buf, count, _short_form)


@syscall()
def getdents64(task: Task, fd: Fd, buf: Ptr, count: UInt) -> int:
    """Directory entries with 64-bit numbers."""
    return _fill(task, fd, buf, count, _long_form)
