"""Who may do what with a file.

Mirrors: Linux fs/namei.c (generic_permission), fs/attr.c, fs/inode.c (inode_owner_or_capable).
Not modelled: access lists.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Protocol

from kernel_model.abi.errno import EACCES
from kernel_model.abi.fcntl import MAY_EXEC, MAY_READ, MAY_WRITE

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.inode import Inode


class Cred(Protocol):
    """What permission checks ask of a task's credentials."""

    @property
    def fsuid(self) -> int: ...
    @property
    def fsgid(self) -> int: ...
    @property
    def groups(self) -> tuple[int, ...]: ...
    def cap(self, name: str, /) -> bool: ...


def permission(cred: Cred, inode: Inode, mask: int) -> None:
    """Raise EACCES unless `cred` may do MAY_READ | MAY_WRITE | MAY_EXEC."""
    node = inode.node
    mode = node.mode
    if cred.fsuid == node.uid:
        granted = mode >> 6
    elif cred.fsgid == node.gid or node.gid in cred.groups:
        granted = mode >> 3
    else:
        granted = mode
    if not mask & ~granted & 7:
        return
    directory = (mode & 0o170000) == stat.S_IFDIR
    if (directory or not mask & MAY_EXEC or mode & 0o111) and cred.cap("CAP_DAC_OVERRIDE"):
        return
    if (mask == MAY_READ or (directory and not mask & MAY_WRITE)) and cred.cap(
        "CAP_DAC_READ_SEARCH"
    ):
        return
    raise EACCES(f"mode {mode & 0o7777:o} of inode {node.ino} does not allow access {mask:o}")


def may_look_into(task: Task, target: Task) -> bool:
    """Whether one may see what is inside the other (Linux: ptrace_may_access)."""
    mine, theirs = task.cred, target.cred
    if task.tgid == target.tgid or mine.cap("CAP_SYS_PTRACE"):
        return True
    users = {theirs.uid, theirs.euid, theirs.suid}
    groups = {theirs.gid, theirs.egid, theirs.sgid}
    same = users == {mine.fsuid} and groups == {mine.fsgid}
    return same and target.dumpable


def check_looks_into(task: Task, target: Task) -> None:
    """Raise EACCES unless `task` may look into `target`."""
    if not may_look_into(task, target):
        raise EACCES(f"no right to look into process {target.tgid}")


def owner_or_capable(cred: Cred, inode: Inode) -> bool:
    """Whether `cred` owns the file, or may act as if."""
    return cred.fsuid == inode.node.uid or cred.cap("CAP_FOWNER")


def in_group(cred: Cred, gid: int) -> bool:
    """Whether `gid` is the task's group or one of its supplementary groups."""
    return cred.fsgid == gid or gid in cred.groups
