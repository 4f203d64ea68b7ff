"""sendfile: from a regular file to any file, without a buffer of the program's own.

What has been moved when the target is full is kept: a signal makes it the result.

Mirrors: Linux fs/read_write.c -- do_sendfile.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EFAULT, EINVAL, EPIPE, ESPIPE
from kernel_model.abi.fcntl import O_APPEND, SIGPIPE
from kernel_model.restart_block import Progress
from kernel_model.syscalls.buffers import MAX_COUNT
from kernel_model.syscalls.declare import Fd, Ptr, Size, syscall
from kernel_model.syscalls.readwrite import (
    note_read,
    note_written,
    readable_file,
    within_limit,
    writable_file,
)
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_STEP = 65536


def _sendfile(task: Task, out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    """Copy; `offset` None means from the position, which then moves."""
    source = readable_file(task, in_fd)
    if offset is not None and not source.seekable:
        raise ESPIPE("the source has no offset")
    target = writable_file(task, out_fd)
    if not source.inode.is_regular:
        raise EINVAL("not a regular file")
    if target.flags & O_APPEND:
        raise EINVAL("sendfile does not append")
    if offset is not None and offset < 0:
        raise EINVAL(f"offset {offset}")
    block: Progress | None = task.restart_block
    done = before = block.done if block else 0
    start = (source.position if offset is None else offset) - before
    count = min(count, MAX_COUNT)
    while done < count:
        data = source.pread(start + done, min(count - done, _STEP))
        if not data:
            break
        data = data[: within_limit(task, target, target.position, len(data))]
        try:
            moved = target.write_some(task, data)
        except Sleep:
            if done:
                task.restart_block = Progress(done=done)
            _moved(source, target, offset, start, done, before)
            raise
        except (EAGAIN, EPIPE) as stop:
            if isinstance(stop, EPIPE):
                task.send_signal(SIGPIPE)
            if done:
                break
            raise
        done += moved
    _moved(source, target, offset, start, done, before)
    return done


def _moved(
    source: OpenFile, target: OpenFile, offset: int | None, start: int, done: int, before: int
) -> None:
    if offset is None:
        source.position = start + done
    note_read(source, done - before)
    note_written(target, done - before)


def _sendfile_at(task: Task, out_fd: int, in_fd: int, ptr: int, count: int, code: str) -> int:
    if not ptr:
        return _sendfile(task, out_fd, in_fd, None, count)
    code = task.abi.order + code
    size = struct.calcsize(code)
    offset: int = struct.unpack(code, task.user.read(ptr, size))[0]
    if task.user.writable(ptr, size) < size:
        raise EFAULT("the offset cannot be stored")
    before = task.restart_block.done if task.restart_block else 0
    try:
        done = _sendfile(task, out_fd, in_fd, offset, count)
    except Sleep:
        # The offset says what is moved, as it does when a signal ends the call here.
        moved = task.restart_block.done - before if task.restart_block else 0
        task.user.write(ptr, struct.pack(code, offset + moved))
        raise
    task.user.write(ptr, struct.pack(code, offset + done - before))
    return done


@syscall()
def sendfile(task: Task, out_fd: Fd, in_fd: Fd, offset: Ptr, count: Size) -> int:
    """Copy from a regular file to any file."""
    code = "q" if task.abi.word_bytes == 8 else "i"
    return _sendfile_at(task, out_fd, in_fd, offset, count, code)


@syscall()
def sendfile64(task: Task, out_fd: Fd, in_fd: Fd, offset: Ptr, count: Size) -> int:
    """sendfile with a 64-bit offset."""
    return _sendfile_at(task, out_fd, in_fd, offset, count, "q")
