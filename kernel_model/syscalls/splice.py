"""splice, tee, vmsplice: bytes into and out of pipes without a buffer of the program's own.

Each call moves what it can move now, as Linux does: it waits for the first byte or the first room
only.

Mirrors:  Linux fs/splice.c.
Deviates: bytes are moved, not pages, so SPLICE_F_MOVE and SPLICE_F_GIFT change nothing, and what
          fits into a pipe is counted in bytes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EBADF, EFAULT, EINVAL, EPIPE, ESPIPE
from kernel_model.abi.fcntl import O_APPEND, SIGPIPE
from kernel_model.pipe import PipeEnd
from kernel_model.syscalls.buffers import IOV_MAX, MAX_COUNT, gather, scatter, targets_of, vector
from kernel_model.syscalls.declare import Fd, Flags, Ptr, Size, syscall
from kernel_model.syscalls.readwrite import note_read, note_written, within_limit
from kernel_model.vfs.openfile import DirectoryFile, OpenFile
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_NONBLOCK, _ALL = 2, 15


def _check_flags(flags: int) -> None:
    if flags & ~_ALL:
        raise EINVAL(f"splice flags {flags:#x}")


def _as_pipes_say(flags: int, *files: OpenFile) -> int:
    """The flags, with SPLICE_F_NONBLOCK if a pipe has O_NONBLOCK: vmsplice does not ask."""
    if any(isinstance(file, PipeEnd) and file.nonblocking for file in files):
        return flags | _NONBLOCK
    return flags


def _bytes_in(end: PipeEnd, flags: int) -> int:
    """How many bytes there are to take; waits for the first, 0 at the end."""
    there = len(end.pipe.buffer)
    if there or not end.pipe.writers:
        return there
    if flags & _NONBLOCK:
        raise EAGAIN("the pipe is empty")
    raise Sleep(end.pipe.readable)


def _room_in(task: Task, end: PipeEnd, flags: int) -> int:
    """How many bytes can be put in; waits for the first. Raises EPIPE."""
    pipe = end.pipe
    if not pipe.readers:
        task.send_signal(SIGPIPE)
        raise EPIPE("nobody reads this pipe")
    room = pipe.capacity - len(pipe.buffer)
    if room:
        return room
    if flags & _NONBLOCK:
        raise EAGAIN("the pipe is full")
    raise Sleep(pipe.writable)


def _from_pipe(
    task: Task, source: PipeEnd, target: OpenFile, offset: int | None, count: int, flags: int
) -> int:
    count = min(_bytes_in(source, flags), count)
    if not count:
        return 0
    at = target.position if offset is None else offset
    data = bytes(source.pipe.buffer[: within_limit(task, target, at, count)])
    try:
        done = target.write_some(task, data) if offset is None else target.pwrite(offset, data)
    except EPIPE:
        task.send_signal(SIGPIPE)
        raise
    source.read(done)
    return note_written(target, done)


def _to_pipe(
    task: Task, source: OpenFile, target: PipeEnd, offset: int | None, count: int, flags: int
) -> int:
    count = min(_room_in(task, target, flags), count)
    data = source.read_for(task, count) if offset is None else source.pread(offset, count)
    note_read(source, len(data))
    return target.write(data)


def _between(task: Task, source: PipeEnd, target: PipeEnd, count: int, flags: int) -> int:
    if source.pipe is target.pipe:
        raise EINVAL("both are the same pipe")
    there = _bytes_in(source, flags)
    if not there and target.pipe.readers:
        return 0
    count = min(there, _room_in(task, target, flags), count)
    return target.write(source.read(count))


_Place = tuple[int, OpenFile]
"""Where an offset is told, 0: nowhere; and of which file it is."""


def _offsets(task: Task, *places: _Place) -> list[int | None]:
    if any(pointer and isinstance(file, PipeEnd) for pointer, file in places):
        raise ESPIPE("a pipe has no position")
    return [_offset(task, pointer, file) for pointer, file in places]


def _offset(task: Task, pointer: int, file: OpenFile) -> int | None:
    if not pointer:
        return None
    if not file.seekable:
        raise EINVAL("this file has no position")
    if task.user.writable(pointer, 8) < 8:
        raise EFAULT("the offset cannot be stored")
    offset: int = struct.unpack(task.abi.order + "q", task.user.read(pointer, 8))[0]
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    return offset


@syscall()
def splice(
    task: Task, fd_in: Fd, off_in: Ptr, fd_out: Fd, off_out: Ptr, count: Size, flags: Flags
) -> int:
    """Move bytes between a pipe and any file; how many."""
    if not count:
        return 0
    _check_flags(flags)
    source, target = task.files.get(fd_in), task.files.get(fd_out)
    if not source.may_read or not target.may_write:
        raise EBADF("from a file that is open to read, to one that is open to write")
    flags = _as_pipes_say(flags, source, target)
    into, out_of = _offsets(task, (off_in, source), (off_out, target))
    if isinstance(source, PipeEnd) and isinstance(target, PipeEnd):
        return _between(task, source, target, min(count, MAX_COUNT), flags)
    if count >> (8 * task.kernel.abis[0].word_bytes - 1):
        raise EINVAL("a negative number of bytes")
    count = min(count, MAX_COUNT)
    if isinstance(source, PipeEnd):
        if target.flags & O_APPEND or isinstance(target, DirectoryFile):
            raise EINVAL("splice does not append")
        done = _from_pipe(task, source, target, out_of, count, flags)
        pointer, offset = off_out, out_of
    elif isinstance(target, PipeEnd):
        if isinstance(source, DirectoryFile):
            raise EINVAL("a directory has no bytes")
        done = _to_pipe(task, source, target, into, count, flags)
        pointer, offset = off_in, into
    else:
        raise EINVAL("one of the two must be a pipe")
    if offset is not None:
        task.user.write(pointer, struct.pack(task.abi.order + "q", offset + done))
    return done


@syscall()
def tee(task: Task, fd_in: Fd, fd_out: Fd, count: Size, flags: Flags) -> int:
    """Copy bytes from one pipe to another, and leave them in the first."""
    _check_flags(flags)
    if not count:
        return 0
    source, target = task.files.get(fd_in), task.files.get(fd_out)
    if not source.may_read or not target.may_write:
        raise EBADF("from a file that is open to read, to one that is open to write")
    if not isinstance(source, PipeEnd) or not isinstance(target, PipeEnd):
        raise EINVAL("both must be pipes")
    if source.pipe is target.pipe:
        raise EINVAL("both are the same pipe")
    flags = _as_pipes_say(flags, source, target)
    there = _bytes_in(source, flags)
    if not there and target.pipe.readers:
        return 0
    count = min(there, _room_in(task, target, flags), count)
    return target.write(bytes(source.pipe.buffer[:count]))


@syscall()
def vmsplice(task: Task, fd: Fd, iov: Ptr, iovcnt: Size, flags: Flags) -> int:
    """Put a program's memory into a pipe, or what is in a pipe into its memory."""
    _check_flags(flags)
    if iovcnt > IOV_MAX:
        raise EINVAL(f"{iovcnt} buffers")
    if not iovcnt:
        return 0
    end = task.files.get(fd)
    if not isinstance(end, PipeEnd):
        raise EBADF(f"descriptor {fd} is no pipe")
    pairs = vector(task, iov, iovcnt)
    if not any(length for _, length in pairs):
        return 0
    if end.may_write:
        room = _room_in(task, end, flags)
        return end.write(gather(task, pairs)[:room])
    targets = targets_of(task, pairs)
    count = min(_bytes_in(end, flags), sum(room for _, room in targets))
    return scatter(task, end.read(count), targets) if count else 0
