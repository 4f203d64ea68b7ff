"""The file system of a disk: directories and files as the disk has them, nothing generated.

There is one `MemInode` for each node that somebody has looked at, and it stays: the numbers are
the disk's own. All names are in the nodes; this file only keeps link counts and times right.

Mirrors: Linux mm/shmem.c and fs/libfs.c (the simple_* directory operations).
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from copy import copy

from emu.memory import Ram
from kernel_model.abi.errno import EIO, EMLINK, ENOSPC
from kernel_model.abi.fcntl import LINK_MAX
from kernel_model.vfs.disk import Disk, DiskError, DiskNode
from kernel_model.vfs.filesystem import FileSystem, RealTime
from kernel_model.vfs.inode import Inode


class MemFs(FileSystem):
    """A mounted `Disk`."""

    type_name = b"tmpfs"
    magic = 0x01021994

    def __init__(self, disk: Disk, ram: Ram, clock: RealTime, dev: int) -> None:
        super().__init__(ram, clock, dev)
        self.disk = disk
        self.inodes: dict[int, MemInode] = {}
        self._root = self.inode(disk.root)

    @property
    def root(self) -> MemInode:
        """The root directory."""
        return self._root

    def inode(self, node: DiskNode) -> MemInode:
        """The inode of a node: always the same object."""
        inode = self.inodes.get(node.ino)
        if inode is None:
            inode = self.inodes[node.ino] = MemInode(self, node)
        return inode

    def nameless(self, mode: int, ino: int) -> MemInode:
        """A file that no name leads to: for restart. It gets its old number if that is free."""
        if ino in self.inodes or not 0 < ino < 1 << 63:
            node = self.disk.new_node(mode)
        else:
            node = self.disk.numbered_node(ino, mode)
        node.nlink = 0
        return self.inode(node)

    def forget(self, inode: Inode) -> None:
        """The node is gone with its last name and its last user."""
        if self.inodes.pop(inode.node.ino, None) is not None:
            self.reserve(-inode.node.stored)

    def forget_nameless(self) -> None:
        """The kernel is going away: what only open files kept alive is gone with it."""
        for inode in [inode for inode in self.inodes.values() if not inode.node.nlink]:
            self.forget(inode)

    def room(self) -> tuple[int, int]:
        """(bytes in all, bytes free); what lies in a host folder below is not counted."""
        return self.disk.capacity_bytes, self.disk.capacity_bytes - self.disk.used_bytes

    def reserve(self, more_bytes: int) -> None:
        """Count growth (or, negative, what was freed); ENOSPC if the disk is full."""
        disk = self.disk
        if disk.used_bytes + more_bytes > disk.capacity_bytes:
            raise ENOSPC(f"{more_bytes} bytes more than the disk can hold")
        disk.used_bytes = max(0, disk.used_bytes + more_bytes)

    def twin(self) -> MemFs:
        """The same file system with nothing in it yet, for restart."""
        fresh = copy(self)
        fresh.top, fresh.marks = None, set()
        return fresh

    def use(self, disk: Disk) -> None:
        """Have the files of another disk."""
        self.disk, self.inodes = disk, {}
        self._root = self.inode(disk.root)

    def end(self) -> int:
        """Nobody can reach it any more; how many frames that gave back."""
        frames = [frame for inode in self.inodes.values() for frame in inode.pages.values()]
        for frame in frames:
            self.ram.drop(frame)
        self.inodes.clear()
        return len(frames)

    def sync(self) -> None:
        """Copy stored-to pages of mapped files to the disk."""
        for inode in self.inodes.values():
            if inode.dirty:
                inode.sync()

    def shrink(self) -> int:
        """Give back the frames of pages that nobody maps."""
        return sum(inode.shrink() for inode in self.inodes.values() if inode.pages)


class MemInode(Inode):
    """A file or directory of a disk."""

    fs: MemFs

    def _entries(self) -> dict[bytes, DiskNode]:
        try:
            return self.node.entries()
        except DiskError as error:
            raise EIO(str(error)) from None

    def lookup(self, name: bytes) -> MemInode | None:
        """What `name` is in this directory."""
        node = self._entries().get(name)
        return None if node is None else self.fs.inode(node)

    def list(self) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode number, mode), sorted."""
        for name, node in sorted(self._entries().items()):
            yield name, node.ino, node.mode

    def create(
        self, name: bytes, mode: int, uid: int, gid: int, rdev: int, target: bytes
    ) -> MemInode:
        """A new file of any type; a set-group-id directory hands its group down."""
        entries = self._entries()
        directory = stat.S_ISDIR(mode)
        if directory and self.node.nlink >= LINK_MAX:
            raise EMLINK("too many subdirectories")
        if self.node.mode & stat.S_ISGID:
            gid = self.node.gid
            if directory:
                mode |= stat.S_ISGID
        node = self.fs.disk.new_node(mode)
        node.uid, node.gid, node.rdev, node.target = uid, gid, rdev, target
        node.size = len(target)
        node.atime_ns = node.mtime_ns = node.ctime_ns = self.fs.clock.realtime_ns()
        entries[name] = node
        self.node.nlink += directory
        self.touch()
        return self.fs.inode(node)

    def link(self, name: bytes, inode: Inode) -> None:
        """One more name for a file that is no directory."""
        if inode.node.nlink >= LINK_MAX:
            raise EMLINK(f"inode {inode.node.ino} has {LINK_MAX} names")
        self._entries()[name] = inode.node
        inode.node.nlink += 1
        inode.touch(modified=False)
        self.touch()

    def unlink(self, name: bytes) -> None:
        """Take a name away; a directory loses all its links."""
        node = self._entries().pop(name)
        self._lost_name(self.fs.inode(node))
        self.touch()

    def _lost_name(self, inode: MemInode) -> None:
        if inode.is_dir:
            inode.node.nlink = 0
            self.node.nlink -= 1
        else:
            inode.node.nlink -= 1
        inode.touch(modified=False)
        inode.forget_if_unused()

    def rename(self, name: bytes, target: Inode, new_name: bytes) -> None:
        """Move a name; the caller has looked that this is allowed."""
        assert isinstance(target, MemInode)
        entries = target._entries()
        node = self._entries()[name]
        replaced = entries.get(new_name)
        if replaced is not None:
            del entries[new_name]
            target._lost_name(self.fs.inode(replaced))
        del self._entries()[name]
        entries[new_name] = node
        if stat.S_ISDIR(node.mode):
            self.node.nlink -= 1
            target.node.nlink += 1
        self.fs.inode(node).touch(modified=False)
        self.touch()
        target.touch()
