"""What every file system is: a device number, a root, and room.

Mirrors: Linux super_block and its operations (include/linux/fs.h).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from emu.memory import Ram
    from kernel_model.abi.errno import LinuxError
    from kernel_model.vfs.inode import Inode
    from kernel_model.vfs.mounts import Dentry


class Change(Enum):
    """What may be changed about an inode by who has the right to."""

    MODE = "permissions"
    OWNER = "owner and group"
    TIMES = "times"


class RealTime(Protocol):
    """The clock, as far as files need it."""

    def realtime_ns(self) -> int: ...


class FileSystem:
    """One mounted file system: its device number, its root, and what it needs of the kernel."""

    type_name = b"none"
    magic = 0
    block_bytes = 4096
    """What stat says of how much to read at a time."""
    read_only = False
    """Whether it was mounted to be read only, all mounts of it."""
    refuses_attributes: type[LinuxError] | None = None
    """What chmod, chown and utimes of its files end with."""
    has_fsync = True
    """Whether there is anything behind it that its files could be brought to."""
    top: Dentry | None = None
    """Its root directory as a name, once somebody has mounted it."""

    def __init__(self, ram: Ram, clock: RealTime, dev: int) -> None:
        self.ram = ram
        self.clock = clock
        self.dev = dev
        self.marks: set[Inode] = set()
        """What somebody watches in it."""

    def options(self) -> bytes:
        """What /proc shows of it behind the options of a mount; each after a comma."""
        return b""

    @property
    def root(self) -> Inode:
        """The root directory."""
        raise NotImplementedError

    def room(self) -> tuple[int, int]:
        """(bytes in all, bytes free), for statfs."""
        return 0, 0

    def reserve(self, more_bytes: int) -> None:
        """Refuse (ENOSPC) to let stored bytes grow by so much, or count it."""

    def forget(self, inode: Inode) -> None:
        """The last name and the last user of an inode are gone."""

    def sync(self) -> None:
        """Bring all data of mapped files to the disk."""

    def shrink(self) -> int:
        """Give back the frames of pages that nobody maps; how many."""
        return 0
