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
    RLIMIT_FSIZE,
    SIGPIPE,
    SIGXFSZ,
)
from kernel_model.restart_block import Progress
from kernel_model.syscalls.attributes import drop_set_id_bits
from kernel_model.syscalls.declare import Fd, Long, Off, Off64, Ptr, Size, UInt, syscall
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.notify import IN_ACCESS, IN_MODIFY, notice_file
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

MAX_COUNT = 0x7FFF_F000
IOV_MAX = 1024
_SENDFILE_STEP = 65536


def _reader(task: Task, fd: int) -> OpenFile:
    file = task.files.get(fd)
    if not file.may_read:
        raise EBADF(f"descriptor {fd} is not open for reading")
    return file


def _writer(task: Task, fd: int) -> OpenFile:
    file = task.files.get(fd)
    if not file.may_write:
        raise EBADF(f"descriptor {fd} is not open for writing")
    return file


def _room(task: Task, buf: int, count: int) -> int:
    """How many bytes can go to `buf`; EFAULT if none can."""
    room = task.user.writable(buf, min(count, MAX_COUNT))
    if not room and count:
        raise EFAULT(f"nothing can be stored at {buf:#x}")
    return room


def _take(task: Task, buf: int, count: int) -> bytes:
    """The bytes that can be read from `buf`; EFAULT if none can."""
    count = min(count, MAX_COUNT)
    there = task.user.readable(buf, count)
    if not there and count:
        raise EFAULT(f"nothing can be read from {buf:#x}")
    return task.user.read(buf, there)


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


def _write(task: Task, file: OpenFile, data: bytes) -> int:
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
        done += file.write_for(task, data[done:] if done else data)
    except (EPIPE, EIO) as broken:
        if isinstance(broken, EPIPE):
            task.send_signal(SIGPIPE)
        if done:
            return done
        raise
    if done < len(data) and not file.nonblocking:
        task.restart_block = Progress(done=done)
        raise Sleep(*file.poll_queues())
    return done


def _pwrite(task: Task, file: OpenFile, data: bytes, offset: int) -> int:
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


def _positioned(file: OpenFile, offset: int) -> None:
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    if not file.seekable:
        raise ESPIPE("this file has no position")


@syscall()
def read(task: Task, fd: Fd, buf: Ptr, count: Size) -> int:
    """Read at the position."""
    file = _reader(task, fd)
    try:
        room = _room(task, buf, count) if count else 0
    except EFAULT:
        if not file.faults_late or file.read_for(task, count):
            raise
        return 0
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
    file = _writer(task, fd)
    try:
        data = _take(task, buf, count) if count else b""
    except EFAULT:
        if not file.faults_late_in_write:
            raise
        data = b"\0"  # is never stored
    return note_written(file, _write(task, file, data))


@syscall()
def pread64(task: Task, fd: Fd, buf: Ptr, count: Size, offset: Off64) -> int:
    """Read at an offset; the position stays."""
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    file = _reader(task, fd)
    _positioned(file, offset)
    data = file.pread(offset, _room(task, buf, count) if count else 0)
    if data:
        task.user.write(buf, data)
        notice_file(file, IN_ACCESS)
    return len(data)


@syscall()
def pwrite64(task: Task, fd: Fd, buf: Ptr, count: Size, offset: Off64) -> int:
    """Write at an offset; the position stays."""
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    file = _writer(task, fd)
    _positioned(file, offset)
    return note_written(
        file, _pwrite(task, file, _take(task, buf, count) if count else b"", offset)
    )


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
    file = _reader(task, fd)
    targets = targets_of(task, vector(task, iov, iovcnt))
    wanted = sum(room for _, room in targets)
    most = task.kernel.chaos.shorter_read(task, file, wanted)
    return note_read(file, scatter(task, file.read_for(task, most), targets))


@syscall()
def writev(task: Task, fd: Fd, iov: Ptr, iovcnt: Long) -> int:
    """Write from several buffers."""
    file = _writer(task, fd)
    return note_written(file, _write(task, file, gather(task, vector(task, iov, iovcnt))))


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
    file = _reader(task, fd)
    _positioned(file, offset)
    targets = targets_of(task, vector(task, iov, iovcnt))
    data = file.pread(offset, sum(room for _, room in targets))
    return note_read(file, scatter(task, data, targets))


@syscall()
def pwritev(task: Task, fd: Fd, iov: Ptr, iovcnt: Long, low: Long, high: Long) -> int:
    """Write from several buffers at an offset."""
    offset = _halves(task, low, high)
    if offset < 0:
        raise EINVAL(f"offset {offset}")
    file = _writer(task, fd)
    _positioned(file, offset)
    return note_written(file, _pwrite(task, file, gather(task, vector(task, iov, iovcnt)), offset))


@syscall()
def lseek(task: Task, fd: Fd, offset: Off, whence: UInt) -> int:
    """Set the position."""
    file = task.files.get(fd)
    before = file.position
    position = file.seek(offset, whence)
    if position >> (8 * task.abi.word_bytes - 1):
        file.position = before
        raise EOVERFLOW(f"position {position} does not fit the result")
    return position


@syscall()
def _llseek(task: Task, fd: Fd, high: Size, low: Size, result: Ptr, whence: UInt) -> int:
    """Set the position to 64 bits, and store it at `result`."""
    file = task.files.get(fd)
    offset = (high << 32 | low) & ((1 << 64) - 1)
    position = file.seek(offset - (1 << 64) if offset >> 63 else offset, whence)
    task.user.write(result, struct.pack(task.abi.order + "q", position))
    return 0


def _sendfile(task: Task, out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    """Copy; `offset` None means from the position, which then moves.

    What has been moved when the target is full is kept: a signal makes it the result.
    """
    source, target = _reader(task, in_fd), _writer(task, out_fd)
    if not source.inode.is_regular:
        raise ESPIPE("no offset in a pipe") if offset is not None else EINVAL("not a regular file")
    if target.flags & O_APPEND:
        raise EINVAL("sendfile does not append")
    if offset is not None and offset < 0:
        raise EINVAL(f"offset {offset}")
    block: Progress | None = task.restart_block
    done = before = block.done if block else 0
    start = (source.position if offset is None else offset) - before
    count = min(count, MAX_COUNT)
    while done < count:
        data = source.pread(start + done, min(count - done, _SENDFILE_STEP))
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
