"""Pipes: a queue of bytes with ends that are open files; FIFOs (fifo.py) are pipes too.

A `Pipe` counts its open ends; when no writer is left its readers see the end, when no reader is
left its writers get EPIPE. The pipe behind a FIFO hangs on the inode while anybody has an end
open.

Mirrors:  Linux fs/pipe.c.
Deviates: the buffer is one run of bytes, not 16 pages, so a small write never wastes a page.
Not modelled: packet mode (O_DIRECT).
"""

from __future__ import annotations

import stat
import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import (
    EAGAIN,
    EBUSY,
    EINVAL,
    EPERM,
    EPIPE,
    ESPIPE,
)
from kernel_model.abi.fcntl import (
    O_ACCMODE,
    O_NONBLOCK,
    O_RDONLY,
    O_WRONLY,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
)
from kernel_model.vfs.disk import DiskNode
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.owner import POLL_IN, POLL_OUT, tell
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task

PIPE_CAPACITY = 65536
PIPE_CAPACITY_MAX = 1 << 20
PIPE_BUF = 4096


class Pipe:
    """The bytes between the ends, and who waits for them."""

    __slots__ = (
        "buffer",
        "capacity",
        "opening",
        "readable",
        "readers",
        "telling",
        "writable",
        "writers",
    )

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.capacity = PIPE_CAPACITY
        self.readers = 0
        self.writers = 0
        self.readable = WaitQueue()
        """Woken when bytes come or the last writer leaves."""
        self.writable = WaitQueue()
        """Woken when room is made or the last reader leaves."""
        self.telling: list[PipeEnd] = []
        """Open ends that tell their owners of news by a signal (O_ASYNC)."""
        self.opening: dict[int, WaitQueue] = {O_RDONLY: WaitQueue(), O_WRONLY: WaitQueue()}
        """Tasks that wait in open() of a FIFO, by the side that they want."""

    def tell_readers(self) -> None:
        """Bytes have come, or the last writer has left."""
        if self.telling:
            tell((end for end in self.telling if end.may_read), POLL_IN)

    def tell_writers(self) -> None:
        """There is room, or the last reader has left."""
        if self.telling:
            tell((end for end in self.telling if end.may_write), POLL_OUT)

    def resize(self, capacity: int, *, privileged: bool) -> int:
        """F_SETPIPE_SZ: the capacity, rounded up to a power of two of pages."""
        if capacity <= 0 or capacity > 1 << 31:
            raise EINVAL(f"a pipe of {capacity} bytes")
        rounded = max(4096, 1 << (capacity - 1).bit_length())
        if rounded > PIPE_CAPACITY_MAX and not privileged:
            raise EPERM(f"more than {PIPE_CAPACITY_MAX} bytes need CAP_SYS_RESOURCE")
        if rounded < len(self.buffer):
            raise EBUSY("more bytes than that are in the pipe")
        self.capacity = rounded
        self.writable.wake_all()
        return rounded


class PipeEnd(OpenFile):
    """One end (or, for a FIFO opened O_RDWR, both ends) of a pipe."""

    is_stream = True
    writes_whole = True
    tells = True

    def __init__(self, pipe: Pipe, inode: Inode, path: Path | None, flags: int) -> None:
        super().__init__(inode, path, flags)
        self.pipe = pipe
        inode.pipe = pipe
        pipe.readers += self.may_read
        pipe.writers += self.may_write

    def release(self) -> None:
        """The end is closed: the other side hears of it; the last end empties the pipe."""
        pipe = self.pipe
        pipe.readers -= self.may_read
        pipe.writers -= self.may_write
        if not pipe.readers and not pipe.writers:
            pipe.buffer.clear()
        pipe.readable.wake_all()
        pipe.writable.wake_all()
        if self in pipe.telling:
            pipe.telling.remove(self)
        pipe.tell_readers()
        pipe.tell_writers()
        super().release()

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; empty when there are none and no writer is left."""
        pipe = self.pipe
        if not count:
            return b""
        if not pipe.buffer:
            if not pipe.writers:
                return b""
            if self.nonblocking:
                raise EAGAIN("the pipe is empty")
            raise Sleep(pipe.readable)
        data = bytes(pipe.buffer[:count])
        del pipe.buffer[:count]
        self.inode.node.atime_ns = self.inode.fs.clock.realtime_ns()
        pipe.writable.wake_all()
        pipe.tell_writers()
        return data

    def write(self, data: bytes) -> int:
        """As many bytes as fit now; up to PIPE_BUF bytes go in whole or not at all.

        A larger write is short when the pipe is nearly full: the caller goes on with the rest.
        """
        pipe = self.pipe
        if not data:
            return 0
        if not pipe.readers:
            raise EPIPE("nobody reads this pipe")
        room = pipe.capacity - len(pipe.buffer)
        if not room or (len(data) <= PIPE_BUF and room < len(data)):
            if self.nonblocking:
                raise EAGAIN("the pipe is full")
            raise Sleep(pipe.writable)
        pipe.buffer += data[:room]
        self.inode.touch()
        pipe.readable.wake_all()
        pipe.tell_readers()
        return min(room, len(data))

    @property
    def part_bytes(self) -> int:
        """A page of the pipe."""
        return PIPE_BUF

    @property
    def faults_late(self) -> bool:
        """An empty pipe says so first."""
        return not self.pipe.buffer

    @property
    def faults_late_in_write(self) -> bool:
        """So does one that is full, or has no readers."""
        return not self.pipe.readers or len(self.pipe.buffer) >= self.pipe.capacity

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: a pipe has no position."""
        raise ESPIPE("a pipe has no position")

    def _store(self, offset: int, data: bytes) -> int:
        raise ESPIPE("a pipe has no position")

    def ask_for_signals(self, task: Task, fd: int) -> None:
        """The pipe knows who is to be told."""
        super().ask_for_signals(task, fd)
        telling = self.pipe.telling
        if (self in telling) != (fd >= 0):
            (telling.remove if fd < 0 else telling.append)(self)

    def poll(self) -> int:
        """Readable with bytes, hung up without writers; writable with PIPE_BUF bytes of room."""
        pipe, mask = self.pipe, 0
        if self.may_read:
            if pipe.buffer:
                mask |= POLLIN | POLLRDNORM
            if not pipe.writers:
                mask |= POLLHUP
        if self.may_write:
            if pipe.capacity - len(pipe.buffer) >= min(PIPE_BUF, pipe.capacity):
                mask |= POLLOUT | POLLWRNORM
            if not pipe.readers:
                mask |= POLLERR
        return mask

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """The directions that are open."""
        if not self.may_write:
            return (self.pipe.readable,)
        return (self.pipe.readable, self.pipe.writable) if self.may_read else (self.pipe.writable,)

    def ioctl(self, task: Task, request: int, arg: int) -> int:
        """FIONREAD: how many bytes can be read."""
        if request != task.abi.structs.ioctl.fionread:
            return super().ioctl(task, request, arg)
        task.user.write(arg, struct.pack(task.abi.order + "i", len(self.pipe.buffer)))
        return 0


class PipeFs(FileSystem):
    """Where the inodes of pipes without names live; it is never mounted."""

    type_name = b"pipefs"
    magic = 0x50495045
    next_ino = 1

    def new_inode(self, uid: int, gid: int) -> Inode:
        """An inode for a new pipe."""
        node = DiskNode(self.next_ino, stat.S_IFIFO | 0o600)
        self.next_ino += 1
        node.uid, node.gid = uid, gid
        node.atime_ns = node.mtime_ns = node.ctime_ns = self.clock.realtime_ns()
        return Inode(self, node)


def new_pipe(fs: PipeFs, uid: int, gid: int, flags: int = 0) -> tuple[PipeEnd, PipeEnd]:
    """The read end and the write end of a new pipe."""
    pipe, inode = Pipe(), fs.new_inode(uid, gid)
    status = flags & O_NONBLOCK
    return (
        PipeEnd(pipe, inode, None, O_RDONLY | status),
        PipeEnd(pipe, inode, None, O_WRONLY | status),
    )


def open_again(inode: Inode, flags: int) -> PipeEnd:
    """One more end of a pipe without a name (/proc/PID/fd): it waits for nobody."""
    assert inode.pipe is not None
    if flags & O_ACCMODE == O_ACCMODE:
        raise EINVAL("a pipe is opened to read, to write, or both")
    return PipeEnd(inode.pipe, inode, None, flags & (O_ACCMODE | O_NONBLOCK))
