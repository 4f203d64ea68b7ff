"""/dev/pts: the names of pty slaves, and how both ends are opened.

Opening /dev/ptmx makes a pair; its slave has a name here until the master is closed. The number is
free again when both ends are closed.

Mirrors:  Linux fs/devpts/inode.c, drivers/tty/pty.c (ptmx_open, pts_unix98_lookup).
Deviates: /dev/ptmx is a link to pts/ptmx, the node in which each instance makes its pairs; another
          node of that number makes them in the first instance, as in Linux.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emu.memory import Ram
from kernel_model.abi.errno import EBUSY, EIO, ENOSPC, ENXIO
from kernel_model.abi.fcntl import device_of, makedev
from kernel_model.tty.file import TtyFile
from kernel_model.tty.terminal import Kind, Tty
from kernel_model.vfs.disk import EPOCH_NS, DiskNode
from kernel_model.vfs.filesystem import FileSystem, RealTime
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Path

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task

MAGIC = 0x1CD1
MOST_PTYS = 4096
_ROOT_INO, _PTMX_INO, _FIRST_INO = 1, 2, 3


class DevPts(FileSystem):
    """The file system, and the table of all ptys: the slave by its number."""

    type_name = b"devpts"
    magic = MAGIC
    block_bytes = 1024

    def __init__(self, ram: Ram, clock: RealTime, dev: int) -> None:
        super().__init__(ram, clock, dev)
        self.slaves: dict[int, Tty] = {}
        self.mode = 0o600
        """The permissions of a new slave."""
        self.uid: int | None = None
        self.gid: int | None = None
        """Its owner and group; None: who opens the master."""
        self.ptmx = DiskNode(_PTMX_INO, stat.S_IFCHR | 0o666)
        self.ptmx.rdev = makedev(5, 2)
        self.ptmx.atime_ns = self.ptmx.mtime_ns = self.ptmx.ctime_ns = EPOCH_NS
        self._root = PtsDirectory(self)

    @property
    def root(self) -> Inode:
        """/dev/pts."""
        return self._root

    def options(self) -> bytes:
        """As Linux shows them."""
        owner = b"" if self.uid is None else b",uid=%d" % self.uid
        group = b"" if self.gid is None else b",gid=%d" % self.gid
        modes = (self.mode, self.ptmx.mode & 0o7777)
        return owner + group + b",mode=%03o,ptmxmode=%03o" % modes

    def new_pair(self, kernel: Kernel, uid: int, gid: int, index: int | None = None) -> Tty:
        """A pair of connected terminals, with a wanted number or the lowest free; the master."""
        if index is None:
            index = next(k for k in range(MOST_PTYS + 1) if k not in self.slaves)
            if index == MOST_PTYS:
                raise ENOSPC(f"there are {MOST_PTYS} ptys already")
        elif index in self.slaves:
            raise EBUSY(f"pty {index} is taken")
        bits = kernel.abis[0].structs.terminal.bits
        master = Tty(kernel, Kind.MASTER, bits.master(), index)
        slave = Tty(kernel, Kind.SLAVE, bits.slave(), index)
        master.devpts = slave.devpts = self
        master.link, slave.link = slave, master
        slave.locked = True
        node = slave.node = DiskNode(index + _FIRST_INO, stat.S_IFCHR | self.mode)
        node.rdev = makedev(136, index)
        node.uid = uid if self.uid is None else self.uid
        node.gid = gid if self.gid is None else self.gid
        node.atime_ns = node.mtime_ns = node.ctime_ns = self.clock.realtime_ns()
        self.slaves[index] = slave
        return master

    def remove(self, slave: Tty) -> None:
        """The master is closed: the name is gone."""
        if slave.node is None:
            return
        slave.node.nlink = 0
        for file in slave.files:
            if file.path is not None and file.path.inode.node is slave.node:
                file.path.dentry.unlinked = True

    def free(self, tty: Tty) -> None:
        """Both ends are closed: the number is free."""
        if self.slaves.get(tty.index) in (tty, tty.link):
            del self.slaves[tty.index]


class PtsDirectory(Inode):
    """The root of devpts."""

    names_change = True
    fs: DevPts

    def __init__(self, fs: DevPts) -> None:
        node = DiskNode(_ROOT_INO, stat.S_IFDIR | 0o755)
        node.atime_ns = node.mtime_ns = node.ctime_ns = EPOCH_NS
        super().__init__(fs, node)

    def _named(self) -> dict[bytes, DiskNode]:
        found = {
            b"%d" % index: slave.node
            for index, slave in self.fs.slaves.items()
            if slave.node is not None and slave.node.nlink
        }
        found[b"ptmx"] = self.fs.ptmx
        return found

    def lookup(self, name: bytes) -> Inode | None:
        """A slave by its number."""
        node = self._named().get(name)
        return None if node is None else Inode(self.fs, node)

    def list(self) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode number, mode), sorted."""
        for name, node in sorted(self._named().items()):
            yield name, node.ino, node.mode


# ---- opening


def _instance(task: Task, inode: Inode) -> DevPts:
    fs = inode.fs
    first: DevPts = task.kernel.vfs.devpts
    return fs if isinstance(fs, DevPts) else first


def open_ptmx(task: Task, inode: Inode, path: Path, flags: int) -> TtyFile:
    """A new pair; the open file is its master."""
    master = _instance(task, inode).new_pair(task.kernel, task.cred.fsuid, task.cred.fsgid)
    return TtyFile(master, inode, path, flags)


def open_slave(task: Task, inode: Inode, path: Path, flags: int) -> TtyFile:
    """The slave of a number."""
    _, index = device_of(inode.node.rdev)
    slave = _instance(task, inode).slaves.get(index)
    if slave is None or slave.link is None:
        raise ENXIO(f"there is no pty {index}")
    if slave.locked or not slave.link.files:
        raise EIO("the pty is locked, or its master is closed")
    return _open(task, slave, inode, path, flags)


def open_controlling(task: Task, inode: Inode, path: Path, flags: int) -> TtyFile:
    """/dev/tty: the controlling terminal."""
    tty = task.signal.tty
    if tty is None:
        raise ENXIO("no controlling terminal")
    return _open(task, tty, inode, path, flags)


def open_console(task: Task, inode: Inode, path: Path, flags: int) -> TtyFile:
    """/dev/console where it is a terminal."""
    tty = task.kernel.console.tty
    assert tty is not None
    return _open(task, tty, inode, path, flags)


def _open(task: Task, tty: Tty, inode: Inode, path: Path, flags: int) -> TtyFile:
    if tty.exclusive and not task.cred.cap("CAP_SYS_ADMIN"):
        raise EBUSY("somebody wants this terminal for himself")
    return TtyFile(tty, inode, path, flags)


def take_controlling(task: Task, file: TtyFile) -> None:
    """Opening a terminal gives a session leader without one a controlling terminal."""
    signal, tty = task.signal, file.tty
    if tty.kind is Kind.MASTER or tty.session or signal.tty is not None:
        return
    if signal.sid == task.tgid:
        tty.control(task)
