"""Open file descriptions: what dup and fork share, a position and flags over an inode.

`OpenFile` is the base of all that a descriptor can mean: regular files here, directories here,
devices in devices.py, pipe ends, sockets, eventfds in files of their own. A method raises the
errno that Linux gives, or `Sleep` before anything has changed.

Mirrors:  Linux struct file, fs/read_write.c (generic_file_llseek), fs/readdir.c.
Deviates: an open directory remembers the sorted names from when it was opened or rewound; names
          removed since are left out, names made since are seen after a rewind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel_model.abi.errno import (
    EBADF,
    EINVAL,
    EISDIR,
    ENODEV,
    ENOENT,
    ENOTDIR,
    ENOTTY,
    ENXIO,
    ESPIPE,
)
from kernel_model.abi.fcntl import (
    O_ACCMODE,
    O_APPEND,
    O_NONBLOCK,
    POLLIN,
    POLLOUT,
    POLLRDNORM,
    POLLWRNORM,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
    SEEK_SET,
)
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.locks import close_file
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.notify import IN_CLOSE_NOWRITE, IN_CLOSE_WRITE, notice_file
from kernel_model.vfs.owner import NOBODY
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.epoll import Watch
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task

MAX_OFFSET = (1 << 63) - 1
ALWAYS_READY = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM

_MAY_READ = (True, False, True, False)
_MAY_WRITE = (False, True, True, False)
"""By access mode: O_RDONLY, O_WRONLY, O_RDWR, and 3, which opens for ioctl only."""


class OpenFile:
    """An open file description; the base class is a file without data."""

    anon_name = b""
    """What /proc calls a file without a place that is no pipe and no socket."""
    only_a_place = False
    """Opened with O_PATH: most calls take it for no descriptor at all."""
    seekable = False
    """Whether the position means something; else lseek and pread are ESPIPE."""
    can_wait = True
    """Whether anybody can wait for it to become ready (epoll)."""
    can_be_noticed = True
    """Whether those who watch the inode hear of what is done with this open file."""
    is_stream = False
    """Whether a program must expect less than it asked for, at any time."""
    tells = False
    """Whether it can tell its owner that it has become ready (O_ASYNC)."""
    has_read = True
    """Whether there is something to read at all; else EINVAL, whatever the buffer is."""
    has_write = True
    """Whether it can be written at all; else EINVAL, whatever the buffer is."""
    syncs = False
    """Whether fsync can mean something for it."""
    swallows = False
    """Whether a write is done without a look at the bytes (/dev/null)."""
    writes_whole = False
    """Whether a blocking write(2) goes on after a short write, until all is written (pipes)."""

    def __init__(self, inode: Inode, path: Path | None, flags: int) -> None:
        self.inode = inode
        self.path = path
        """None for what never had a name (a pipe, a socket)."""
        self.flags = flags
        """Access mode and status flags; nothing that open(2) uses up. The mode never changes."""
        self.may_read = _MAY_READ[flags & O_ACCMODE]
        self.may_write = _MAY_WRITE[flags & O_ACCMODE]
        self.position = 0
        self.users = 1
        self.owner = NOBODY
        """F_SETOWN: who is told of it by a signal."""
        self.async_signo = 0
        """F_SETSIG: by which one; 0: SIGIO, which does not say for which file."""
        self.async_fd = -1
        """O_ASYNC: the descriptor that it was asked for with; -1: it was not."""
        self.async_kernel: Kernel | None = None
        """Where the owner is to be found."""
        self.watches: list[Watch] = []
        """Where epoll sets watch it."""
        inode.opens += 1
        inode.writers += self.may_write

    @property
    def nonblocking(self) -> bool:
        """Whether O_NONBLOCK is set."""
        return bool(self.flags & O_NONBLOCK)

    def grab(self) -> OpenFile:
        """One more user (a descriptor, a mapping, a message in flight)."""
        self.users += 1
        return self

    def drop(self) -> None:
        """One user less; the last one releases the file."""
        self.users -= 1
        if not self.users:
            for watch in tuple(self.watches):
                watch.leave()
            if self.inode.locks is not None:
                close_file(self)
            if self.inode.fs.marks:
                notice_file(self, IN_CLOSE_WRITE if self.may_write else IN_CLOSE_NOWRITE)
            self.release()

    def release(self) -> None:
        """The last user is gone. Overriders call this too."""
        self.inode.release(writer=self.may_write)

    def read(self, count: int) -> bytes:
        """Up to `count` bytes from the position on, and move it."""
        data = self.pread(self.position, count)
        self.position += len(data)
        return data

    def write(self, data: bytes) -> int:
        """Store at the position, or at the end with O_APPEND, and move behind it."""
        if self.flags & O_APPEND and data:
            self.position = self.inode.size
        count = self._store(self.position, data)
        self.position += count
        return count

    def pread(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes at `offset`."""
        raise EINVAL("this file cannot be read")

    def pwrite(self, offset: int, data: bytes) -> int:
        """Store at `offset` (as Linux does: at the end if O_APPEND is set)."""
        return self._store(self.inode.size if self.flags & O_APPEND else offset, data)

    def _store(self, offset: int, data: bytes) -> int:
        raise EINVAL("this file cannot be written")

    def seek(self, offset: int, whence: int) -> int:
        """Set the position and return it."""
        if not self.seekable:
            raise ESPIPE("this file has no position")
        if whence == SEEK_CUR:
            offset += self.position
        elif whence == SEEK_END:
            offset += self.inode.size
        elif whence in (SEEK_DATA, SEEK_HOLE) and self.inode.is_regular:
            # One run of data, as in every file system of 3.2 that does not know better.
            if not 0 <= offset < self.inode.size:
                raise ENXIO("no data from there on")
            offset = self.inode.size if whence == SEEK_HOLE else offset
        elif whence != SEEK_SET:
            raise EINVAL(f"whence {whence}")
        if not 0 <= offset <= MAX_OFFSET:
            raise EINVAL(f"position {offset}")
        self.position = offset
        return offset

    def ioctl(self, task: Task, request: int, arg: int) -> int:
        """A request of this kind of file."""
        raise ENOTTY(f"ioctl {request:#x} means nothing to this file")

    def poll(self) -> int:
        """POLL* events that are true now."""
        return ALWAYS_READY

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """What wakes whoever waits for an event."""
        return ()

    @property
    def message_bytes(self) -> float | None:
        """How long a message may be, if every write is one; None: there are only bytes."""
        return None

    @property
    def part_bytes(self) -> int:
        """A write takes so many bytes at a time, and none of a part that is not readable whole."""
        return 1

    @property
    def faults_late(self) -> bool:
        """Whether a read finds nothing, or takes it, before it looks at the buffer."""
        return False

    @property
    def faults_late_in_write(self) -> bool:
        """Whether a write would fail, or wait, before it looks at the buffer."""
        return False

    def read_for(self, task: Task, count: int) -> bytes:
        """`read` by a task: a signalfd gives everybody his own signals."""
        return self.read(count)

    def write_for(self, task: Task, data: bytes) -> int:
        """`write` by a task: a socket tells who sends, a terminal asks who writes."""
        return self.write(data)

    def write_some(self, task: Task, data: bytes) -> int:
        """The same, no more than there is room for: a socket's `write_for` goes on to the end."""
        return self.write_for(task, data)

    def poll_for(self, task: Task) -> int:
        """`poll` by a task."""
        return self.poll()

    def queues_for(self, task: Task) -> tuple[WaitQueue, ...]:
        """`poll_queues` by a task."""
        return self.poll_queues()

    def ask_for_signals(self, task: Task, fd: int) -> None:
        """O_ASYNC (`fd` -1: not any more)."""
        self.async_fd, self.async_kernel = fd, task.kernel

    def poll_external(self) -> bool:
        """Whether the awaited event comes from outside the machine."""
        return False

    def mmap_inode(self) -> Inode:
        """The inode whose pages a mapping of this file shows."""
        raise ENODEV("this file cannot be mapped")


class RegularFile(OpenFile):
    """An open regular file."""

    syncs = True
    seekable = True
    can_wait = False

    @property
    def faults_late(self) -> bool:
        """At the end nobody looks at the buffer."""
        return self.position >= self.inode.size

    def pread(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes at `offset`."""
        return self.inode.read_at(offset, count)

    def _store(self, offset: int, data: bytes) -> int:
        return self.inode.write_at(offset, data) if data else 0

    def mmap_inode(self) -> Inode:
        """The inode itself."""
        return self.inode


class PathFile(OpenFile):
    """A file opened with O_PATH: a place, without access to what is there."""

    only_a_place = True
    can_wait = False
    can_be_noticed = False

    def pread(self, offset: int, count: int) -> bytes:
        """Refused."""
        raise EBADF("opened with O_PATH")

    def _store(self, offset: int, data: bytes) -> int:
        raise EBADF("opened with O_PATH")


class Entry(NamedTuple):
    """One line of a directory for getdents."""

    name: bytes
    ino: int
    mode: int


class DirectoryFile(OpenFile):
    """An open directory; the position counts the names that were given out."""

    syncs = True
    seekable = True
    can_wait = False
    names: list[bytes] | None = None
    """The names when the directory was opened or rewound; plain data, for checkpoint."""

    @property
    def faults_late(self) -> bool:
        """A directory is refused first."""
        return True

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: a directory is read with getdents."""
        raise EISDIR("a directory has no bytes to read")

    def _store(self, offset: int, data: bytes) -> int:
        raise EISDIR("a directory is not written")

    def seek(self, offset: int, whence: int) -> int:
        """As for any file; going back to the start looks at the directory again."""
        position = super().seek(offset, whence)
        if not position:
            self.names = None
        return position

    def entry(self, root: Path) -> Entry | None:
        """The entry at the position; None at the end. The position stays: see `advance`."""
        if self.path is None or self.path.dentry.unlinked:
            raise ENOENT("the directory was removed")
        dentry = self.path.dentry
        if self.position == 0:
            return Entry(b".", self.inode.node.ino, self.inode.mode)
        if self.position == 1:
            parent = dentry.parent or dentry
            if self.path == root or (dentry.parent is None and self.path.mount.covered is None):
                parent = dentry
            elif dentry.parent is None and self.path.mount.covered is not None:
                covered = self.path.mount.covered.dentry
                parent = covered.parent or covered
            return Entry(b"..", parent.inode.node.ino, parent.inode.mode)
        if self.names is None:
            self.names = [name for name, _, _ in self.inode.list()]
        while self.position - 2 < len(self.names):
            name = self.names[self.position - 2]
            inode = self.inode.lookup(name)
            if inode is not None:
                return Entry(name, inode.node.ino, inode.mode)
            self.position += 1
        return None

    def advance(self) -> None:
        """The entry at the position has been given out."""
        self.position += 1


def require_directory(file: OpenFile) -> Path:
    """The place of an open directory, for the *at() calls and fchdir."""
    if file.path is None or not file.inode.is_dir:
        raise ENOTDIR("the descriptor is not a directory")
    return file.path
