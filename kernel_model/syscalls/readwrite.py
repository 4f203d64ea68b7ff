"""read, write and their relatives.

Nothing is half-committed: a reader asks first how much of the buffer can be written, moves just
that many bytes, and then stores them; a writer reads user memory before the file changes.

Mirrors: Linux fs/read_write.c.
"""

from __future__ import annotations

import stat
import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import (
    EAGAIN,
    EBADF,
    EFAULT,
    EFBIG,
    EINVAL,
    EIO,
    EOVERFLOW,
    EPIPE,
    ESPIPE,
)
from kernel_model.abi.fcntl import (
    MAX_NON_LFS,
    O_APPEND,
    O_LARGEFILE,
    SEEK_HOLE,
    SIGPIPE,
    SIGXFSZ,
)
from kernel_model.abi.limits import RLIMIT_FSIZE
from kernel_model.restart_block import Progress
from kernel_model.syscalls.attributes import drop_set_id_bits
from kernel_model.syscalls.buffers import MAX_COUNT, gather_for
from kernel_model.syscalls.declare import Fd, Off, Off64, Ptr, Size, UInt, syscall
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.notify import IN_ACCESS, IN_MODIFY, notice_file
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task


def readable_file(task: Task, fd: int) -> OpenFile:
    """What a descriptor means that is open for reading. Raises EBADF."""
    file = task.files.get(fd)
    if not file.may_read:
        raise EBADF(f"descriptor {fd} is not open for reading")
    return file


def reader_of(task: Task, fd: int) -> OpenFile:
    """The same, if there is something to read in it. Raises EINVAL too."""
    file = readable_file(task, fd)
    if not file.has_read:
        raise EINVAL("there is nothing to read in this kind of file")
    return file


def writable_file(task: Task, fd: int) -> OpenFile:
    """What a descriptor means that is open for writing. Raises EBADF."""
    file = task.files.get(fd)
    if not file.may_write:
        raise EBADF(f"descriptor {fd} is not open for writing")
    return file


def writer_of(task: Task, fd: int) -> OpenFile:
    """The same, if it can be written. Raises EINVAL too."""
    file = writable_file(task, fd)
    if not file.has_write:
        raise EINVAL("this kind of file is not written")
    return file


def _room(task: Task, buf: int, count: int) -> int:
    """How many bytes can go to `buf`; EFAULT if none can."""
    room = task.user.writable(buf, min(count, MAX_COUNT))
    if not room and count:
        raise EFAULT(f"nothing can be stored at {buf:#x}")
    return room


def _take(task: Task, file: OpenFile, buf: int, count: int) -> bytes:
    """What a write to the file takes from `buf`. Raises EFAULT, EMSGSIZE."""
    count = min(count, MAX_COUNT)
    if task.user.readable(buf, count) < count:
        return gather_for(task, file, [(buf, count)])
    return task.user.read(buf, count)


def within_limit(task: Task, file: OpenFile, offset: int, count: int) -> int:
    """How many bytes may be written. Raises EFBIG if none, with SIGXFSZ if by RLIMIT_FSIZE."""
    limit = int(task.signal.rlimits[RLIMIT_FSIZE][0])
    if not count or not file.inode.is_regular:
        return count
    if offset >= limit:
        task.send_signal(SIGXFSZ)
        raise EFBIG(f"RLIMIT_FSIZE is {limit}")
    if not file.flags & O_LARGEFILE:
        if offset >= MAX_NON_LFS:
            raise EFBIG("beyond 2 GiB, and opened without O_LARGEFILE")
        limit = min(limit, MAX_NON_LFS)
    return min(count, limit - offset)


def write_out(task: Task, file: OpenFile, data: bytes) -> int:
    if file.inode.is_regular:
        offset = file.inode.size if file.flags & O_APPEND else file.position
        data = data[: within_limit(task, file, offset, len(data))]
        if file.inode.mode & (stat.S_ISUID | stat.S_ISGID) and data:
            _lose_privileges(task, file.inode)
    elif file.writes_whole:
        return _write_whole(task, file, task.kernel.chaos.shorter_write(task, file, data))
    return file.write_for(task, task.kernel.chaos.shorter_write(task, file, data))


def _lose_privileges(task: Task, inode: Inode) -> None:
    if not task.cred.cap("CAP_FSETID"):
        drop_set_id_bits(inode)


def _write_whole(task: Task, file: OpenFile, data: bytes) -> int:
    """Write all, over as many runs of the handler as the other side makes necessary."""
    block: Progress | None = task.restart_block
    done = block.done if block else 0
    try:
        # Some is not all that it takes now: a terminal drops bytes, and has room again.
        while not done or done < len(data):
            more = file.write_for(task, data[done:] if done else data)
            done += more
            if not more:
                break
    except (EPIPE, EIO) as broken:
        if isinstance(broken, EPIPE):
            task.send_signal(SIGPIPE)
        if done:
            return done
        raise
    except EAGAIN:
        if not done:
            raise
    except Sleep:
        if done:
            task.restart_block = Progress(done=done)
        raise
    return done


def write_at(task: Task, file: OpenFile, data: bytes, offset: int) -> int:
    return file.pwrite(offset, data[: within_limit(task, file, offset, len(data))])


def note_written(file: OpenFile, count: int) -> int:
    """Bytes were stored: those who watch the file hear of it; the count."""
    if count and file.inode.fs.marks:
        notice_file(file, IN_MODIFY)
    return count


def note_read(file: OpenFile, count: int) -> int:
    if count and file.inode.fs.marks:
        notice_file(file, IN_ACCESS)
    return count


def check_position(task: Task, fd: int, offset: int) -> None:
    """What pread and its relatives ask before anything else."""
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    if not task.files.get(fd).seekable:
        raise ESPIPE("this file has no position")


def nothing_stored(task: Task, file: OpenFile, count: int, fault: EFAULT) -> int:
    """No byte of the buffer can be stored to: 0 if that does not matter, else the fault."""
    if not file.faults_late or file.read_for(task, count):
        raise fault
    return 0


def nothing_stored_at(file: OpenFile, offset: int, fault: EFAULT) -> int:
    """The same of a read at an offset: at the end nobody looks at the buffer."""
    if file.pread(offset, 1):
        raise fault
    return 0


@syscall()
def read(task: Task, fd: Fd, buf: Ptr, count: Size) -> int:
    """Read at the position."""
    file = reader_of(task, fd)
    task.user.check_range(buf, count)
    try:
        room = _room(task, buf, count) if count else 0
    except EFAULT as fault:
        return nothing_stored(task, file, count, fault)
    room = task.kernel.chaos.shorter_read(task, file, room)
    data = file.read_for(task, room)
    if data:
        task.user.write(buf, data)
        if file.inode.fs.marks:
            notice_file(file, IN_ACCESS)
    return len(data)


@syscall()
def write(task: Task, fd: Fd, buf: Ptr, count: Size) -> int:
    """Write at the position, or at the end with O_APPEND."""
    file = writer_of(task, fd)
    task.user.check_range(buf, count)
    if file.swallows:
        return note_written(file, min(count, MAX_COUNT))
    data = _take(task, file, buf, count) if count else b""
    return note_written(file, write_out(task, file, data))


@syscall()
def pread64(task: Task, fd: Fd, buf: Ptr, count: Size, offset: Off64) -> int:
    """Read at an offset; the position stays."""
    check_position(task, fd, offset)
    file = reader_of(task, fd)
    task.user.check_range(buf, count)
    try:
        room = _room(task, buf, count) if count else 0
    except EFAULT as fault:
        return nothing_stored_at(file, offset, fault)
    data = file.pread(offset, room)
    if data:
        task.user.write(buf, data)
        notice_file(file, IN_ACCESS)
    return len(data)


@syscall()
def pwrite64(task: Task, fd: Fd, buf: Ptr, count: Size, offset: Off64) -> int:
    """Write at an offset; the position stays."""
    check_position(task, fd, offset)
    file = writer_of(task, fd)
    task.user.check_range(buf, count)
    if file.swallows:
        return note_written(file, min(count, MAX_COUNT))
    return note_written(
        file, write_at(task, file, _take(task, file, buf, count) if count else b"", offset)
    )


def _check_whence(whence: int) -> None:
    if whence > SEEK_HOLE:
        raise EINVAL(f"whence {whence}")


@syscall()
def lseek(task: Task, fd: Fd, offset: Off, whence: UInt) -> int:
    """Set the position."""
    file = task.files.get(fd)
    before = file.position
    _check_whence(whence)
    position = file.seek(offset, whence)
    if position >> (8 * task.abi.word_bytes - 1):
        file.position = before
        raise EOVERFLOW(f"position {position} does not fit the result")
    return position


@syscall()
def _llseek(task: Task, fd: Fd, high: Size, low: Size, result: Ptr, whence: UInt) -> int:
    """Set the position to 64 bits, and store it at `result`."""
    file = task.files.get(fd)
    _check_whence(whence)
    offset = (high << 32 | low) & ((1 << 64) - 1)
    position = file.seek(offset - (1 << 64) if offset >> 63 else offset, whence)
    task.user.write(result, struct.pack(task.abi.order + "q", position))
    return 0
