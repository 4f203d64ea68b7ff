"""memfd_create: a file that has no name from the start.

Mirrors:  Linux mm/memfd.c.
Deviates: it lies on the disk, where unlinked files are, not on a tmpfs of its own.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL
from kernel_model.abi.fcntl import O_LARGEFILE, O_RDWR
from kernel_model.syscalls.declare import Flags, Path, syscall
from kernel_model.syscalls.events import install
from kernel_model.vfs.inode import F_SEAL_SEAL
from kernel_model.vfs.open import open_place

if TYPE_CHECKING:
    from kernel_model.task import Task

MFD_CLOEXEC, MFD_ALLOW_SEALING = 1, 2
_LONGEST_NAME = 249


@syscall(partial="huge pages (MFD_HUGETLB) and what came after 3.17 are refused with EINVAL")
def memfd_create(task: Task, name: Path, flags: Flags) -> int:
    """A file without a name, which can be sealed."""
    if flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING):
        raise EINVAL(f"memfd flags {flags:#x}")
    if len(name) > _LONGEST_NAME:
        raise EINVAL(f"a name of {len(name)} bytes")
    place = task.kernel.vfs.nameless(stat.S_IFREG | 0o777, 0, b"memfd:" + name)
    node = place.inode.node
    node.uid, node.gid = task.cred.fsuid, task.cred.fsgid
    node.atime_ns = node.mtime_ns = node.ctime_ns = task.kernel.clock.realtime_ns()
    place.inode.seals = 0 if flags & MFD_ALLOW_SEALING else F_SEAL_SEAL
    file = open_place(task, place, O_RDWR | O_LARGEFILE)
    return install(task, file, cloexec=bool(flags & MFD_CLOEXEC))
