"""dnotify: a signal when something happens in a directory (fcntl F_NOTIFY).

A mark belongs to an open directory and the table of descriptors it was asked for with; it ends
when that table closes the file.

Mirrors: Linux fs/notify/dnotify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import ENOTDIR
from kernel_model.vfs.notify import (
    DN_RENAME,
    IN_ACCESS,
    IN_ATTRIB,
    IN_CREATE,
    IN_DELETE,
    IN_MODIFY,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    add_mark,
    remove_mark,
)
from kernel_model.vfs.owner import F_OWNER_PID, POLL_MSG, owner_for, tell_one

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.fdtable import FdTable
    from kernel_model.vfs.openfile import OpenFile

DN_MULTISHOT = 0x80000000
_EVENTS = {
    0x1: IN_ACCESS,
    0x2: IN_MODIFY,
    0x4: IN_CREATE | IN_MOVED_TO,
    0x8: IN_DELETE | IN_MOVED_FROM,
    0x10: DN_RENAME,
    0x20: IN_ATTRIB,
}
ALL_EVENTS = 0x3F


class DirectoryMark:
    """Who is told of a directory."""

    def __init__(self, file: OpenFile, table: FdTable, fd: int, mask: int) -> None:
        self.file, self.table, self.fd, self.mask = file, table, fd, mask
        self.order = 0
        """During a restart: its place among those who are told."""
        self.deaf = False
        """During a restart: what it opens is nobody's doing."""
        add_mark(file.inode, self)

    def hear(self, mask: int, name: bytes, cookie: int, *, of_child: bool, unlinked: bool) -> None:
        """Something has happened in the directory, or to it."""
        wanted = sum(_EVENTS[bit] for bit in _EVENTS if self.mask & bit)
        if self.deaf or not wanted & mask:
            return
        tell_one(self.file, POLL_MSG, self.fd)
        if not self.mask & DN_MULTISHOT:
            self.leave()

    def listen(self) -> None:
        """The restart is over."""
        self.deaf = False
        marks = self.file.inode.marks
        if marks and self in marks:
            marks.sort(key=lambda mark: getattr(mark, "order", 0))

    def inode_gone(self) -> None:
        """The directory is gone."""
        self.leave()

    def unmounted(self) -> None:
        """The file system is gone."""
        self.leave()

    def leave(self) -> None:
        """Nobody is to be told any more."""
        remove_mark(self.file.inode, self)


def find_mark(file: OpenFile, table: FdTable) -> DirectoryMark | None:
    """What was asked for with an open directory and a table of descriptors."""
    for mark in file.inode.marks or ():
        if isinstance(mark, DirectoryMark) and mark.file is file and mark.table is table:
            return mark
    return None


def set_notify(task: Task, file: OpenFile, fd: int, mask: int) -> None:
    """F_NOTIFY: events to be told of; none ends it. Raises ENOTDIR."""
    mark = find_mark(file, task.files)
    if not mask & ~DN_MULTISHOT:
        if mark is not None:
            mark.leave()
        return
    if not file.inode.is_dir:
        raise ENOTDIR("F_NOTIFY is for directories")
    file.async_kernel = task.kernel
    if not file.owner.number:
        file.owner = owner_for(task, task.tgid, F_OWNER_PID)
    if mark is None:
        DirectoryMark(file, task.files, fd, mask)
    else:
        mark.mask, mark.fd = mark.mask | mask, fd


def leave_marks(file: OpenFile, table: FdTable) -> None:
    """A table closes a descriptor of the file."""
    mark = find_mark(file, table)
    if mark is not None:
        mark.leave()
