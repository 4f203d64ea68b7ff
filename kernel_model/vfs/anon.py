"""Files without a place: eventfd, epoll, timerfd, signalfd share one inode that nobody can open.

Mirrors: Linux fs/anon_inodes.c.
"""

from __future__ import annotations

from emu.memory import Ram
from kernel_model.abi.errno import EOPNOTSUPP
from kernel_model.vfs.disk import DiskNode
from kernel_model.vfs.filesystem import FileSystem, RealTime
from kernel_model.vfs.inode import Inode


class AnonFs(FileSystem):
    """Where the one inode lives; it is never mounted."""

    type_name = b"anon_inodefs"
    magic = 0x09041934
    refuses_attributes = EOPNOTSUPP

    def __init__(self, ram: Ram, clock: RealTime, dev: int) -> None:
        super().__init__(ram, clock, dev)
        node = DiskNode(1, 0o600)
        node.atime_ns = node.mtime_ns = node.ctime_ns = clock.realtime_ns()
        self.inode = Inode(self, node)
