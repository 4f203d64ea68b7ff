"""Character devices, and the /dev directory that has a node for each.

`opener_of` gives the function that opens a device by its (major, minor); a node of any other
number opens with ENXIO. The console of the machine has four nodes. /dev/console is read and
written as one; /dev/console.in, .out and .err are the three streams that the first program gets as
its descriptors 0, 1 and 2, so that the host can tell them apart, and so that each has a path by
which a restarted kernel finds it again. They are no terminals: TCGETS is ENOTTY. With a terminal
as console, /dev/console is that.

Mirrors:  Linux drivers/char/mem.c, drivers/char/random.c.
Deviates: random and urandom give the kernel's seeded bytes and never block; what is written to
          them is thrown away. Major 240 (the console streams) is Linux's "local use" range.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from emu.memory import Ram
from kernel_model.abi.errno import EAGAIN, ENOSPC, ESPIPE
from kernel_model.abi.fcntl import POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, device_of, makedev
from kernel_model.tty import devpts
from kernel_model.vfs.disk import Disk
from kernel_model.vfs.filesystem import RealTime
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.memfs import MemFs
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.tty.terminal import Tty

STDIN, STDOUT, STDERR = 0, 1, 2


class Console(Protocol):
    """The machine's door to whoever runs it."""

    queue: WaitQueue
    """Woken when input has come."""
    tty: Tty | None
    """The terminal that it is the other side of."""

    def ready(self) -> bool:
        """Whether `read` would return something."""

    def read(self, count: int, /) -> bytes | None:
        """Up to `count` bytes; empty at the end of the input; None: not yet."""

    def write(self, stream: int, data: bytes, /) -> None:
        """Output for the host's stream 1 or 2."""


class NullFile(OpenFile):
    """/dev/null."""

    seekable = True
    can_wait = False
    swallows = True

    @property
    def faults_late(self) -> bool:
        """Nothing is ever stored."""
        return True

    def pread(self, offset: int, count: int) -> bytes:
        """The end of the file."""
        return b""

    def _store(self, offset: int, data: bytes) -> int:
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        """There is one position."""
        self.position = 0
        return 0


class ZeroFile(NullFile):
    """/dev/zero. A mapping of it is anonymous memory: mmap looks for this class."""

    @property
    def faults_late(self) -> bool:
        """There are always zeros to store."""
        return False

    def pread(self, offset: int, count: int) -> bytes:
        """As many zeros as wanted."""
        return bytes(count)


class FullFile(ZeroFile):
    """/dev/full: reads like zero, has no room."""

    swallows = False

    @property
    def faults_late_in_write(self) -> bool:
        """There is no room first."""
        return True

    def _store(self, offset: int, data: bytes) -> int:
        raise ENOSPC("/dev/full is full")


class RandomFile(OpenFile):
    """/dev/random and /dev/urandom."""

    def __init__(self, task: Task, inode: Inode, path: Path, flags: int) -> None:
        super().__init__(inode, path, flags)
        self.source = task.kernel.random

    def pread(self, offset: int, count: int) -> bytes:
        """Bytes of the kernel's seeded source."""
        return bytes(self.source.bytes(count))

    def _store(self, offset: int, data: bytes) -> int:
        return len(data)


class ConsoleFile(OpenFile):
    """A stream of the console: input from the host, output to one of its streams."""

    is_stream = True

    def __init__(self, task: Task, inode: Inode, path: Path, flags: int, stream: int) -> None:
        super().__init__(inode, path, flags)
        self.console: Console = task.kernel.console
        self.stream = stream

    def read(self, count: int) -> bytes:
        """Input; waits for the host, at whom virtual time stands still."""
        if not count:
            return b""
        data = self.console.read(count)
        if data is None:
            if self.nonblocking:
                raise EAGAIN("no console input yet")
            raise Sleep(self.console.queue, external=True)
        return data

    def write(self, data: bytes) -> int:
        """Output, to the stream of this node."""
        self.console.write(self.stream, data)
        return len(data)

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: a stream has no position."""
        raise ESPIPE("the console has no position")

    def _store(self, offset: int, data: bytes) -> int:
        raise ESPIPE("the console has no position")

    def poll(self) -> int:
        """Always writable; readable when the host has input or has ended it."""
        mask = POLLOUT | POLLWRNORM if self.may_write else 0
        if self.may_read and self.console.ready():
            mask |= POLLIN | POLLRDNORM
        return mask

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken by input."""
        return (self.console.queue,)

    def poll_external(self) -> bool:
        """Input comes from outside."""
        return self.may_read


def _null(task: Task, inode: Inode, path: Path, flags: int) -> OpenFile:
    return NullFile(inode, path, flags)


def _zero(task: Task, inode: Inode, path: Path, flags: int) -> OpenFile:
    return ZeroFile(inode, path, flags)


def _full(task: Task, inode: Inode, path: Path, flags: int) -> OpenFile:
    return FullFile(inode, path, flags)


def _output(task: Task, inode: Inode, path: Path, flags: int) -> OpenFile:
    return ConsoleFile(task, inode, path, flags, STDOUT)


def _console(task: Task, inode: Inode, path: Path, flags: int) -> OpenFile:
    if task.kernel.console.tty is not None:
        return devpts.open_console(task, inode, path, flags)
    return _output(task, inode, path, flags)


def _error_output(task: Task, inode: Inode, path: Path, flags: int) -> OpenFile:
    return ConsoleFile(task, inode, path, flags, STDERR)


Opener = Callable[["Task", Inode, Path, int], OpenFile]

DEVICES: Mapping[tuple[int, int], Opener] = MappingProxyType(
    {
        (1, 3): _null,
        (1, 5): _zero,
        (1, 7): _full,
        (1, 8): RandomFile,
        (1, 9): RandomFile,
        (5, 0): devpts.open_controlling,
        (5, 1): _console,
        (5, 2): devpts.open_ptmx,
        (240, STDIN): _output,
        (240, STDOUT): _output,
        (240, STDERR): _error_output,
    }
)

_PTY_MAJORS = range(136, 144)


def opener_of(rdev: int) -> Opener | None:
    """How a device is opened."""
    number = device_of(rdev)
    return devpts.open_slave if number[0] in _PTY_MAJORS else DEVICES.get(number)


NODES: tuple[tuple[bytes, int, int, int], ...] = (
    (b"console", 0o600, 5, 1),
    (b"console.err", 0o620, 240, STDERR),
    (b"console.in", 0o620, 240, STDIN),
    (b"console.out", 0o620, 240, STDOUT),
    (b"full", 0o666, 1, 7),
    (b"null", 0o666, 1, 3),
    (b"random", 0o666, 1, 8),
    (b"tty", 0o666, 5, 0),
    (b"urandom", 0o666, 1, 9),
    (b"zero", 0o666, 1, 5),
)
LINKS: tuple[tuple[bytes, bytes], ...] = (
    (b"fd", b"/proc/self/fd"),
    (b"ptmx", b"pts/ptmx"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
)


class DevFs(MemFs):
    """What is mounted on /dev: made anew at every boot, ordinary otherwise."""

    type_name = b"devtmpfs"
    program: Inode | None = None
    """The program of the first process."""
    _program_ino = 0

    def __init__(self, ram: Ram, clock: RealTime, dev: int) -> None:
        super().__init__(Disk.empty(), ram, clock, dev)
        for name, mode, major, minor in NODES:
            self.root.create(name, stat.S_IFCHR | mode, 0, 0, makedev(major, minor), b"")
        for name, target in LINKS:
            self.root.create(name, stat.S_IFLNK | 0o777, 0, 0, 0, target)
        self.root.create(b"pts", stat.S_IFDIR | 0o755, 0, 0, 0, b"")
        self.root.create(b"shm", stat.S_IFDIR | 0o1777, 0, 0, 0, b"")

    def add_program(self, name: bytes, content: bytes) -> None:
        """A program that the kernel brings along."""
        self.program = self.root.create(name, stat.S_IFREG | 0o500, 0, 0, 0, b"")
        self.program.write_at(0, content)
        self._program_ino = self.program.node.ino

    def use(self, disk: Disk) -> None:
        """Have the files of another disk; one of them is the program."""
        super().use(disk)
        self.program = None
        for name, ino, _ in self.root.list():
            if ino == self._program_ino:
                self.program = self.root.lookup(name)
