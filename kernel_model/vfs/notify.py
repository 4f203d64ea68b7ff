"""What happens to files, told to those who watch them (inotify, dnotify).

A mark hangs on an inode and hears of what happens to it, and, of a directory, of what happens to
its children, with their names. Each file system counts its marks, so that nobody who is not
watched pays for it.

Mirrors: Linux fs/notify/fsnotify.c, include/linux/fsnotify.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kernel_model.vfs.filesystem import FileSystem
    from kernel_model.vfs.inode import Inode
    from kernel_model.vfs.mounts import Dentry, Path
    from kernel_model.vfs.openfile import OpenFile

IN_ACCESS, IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE = 0x1, 0x2, 0x4, 0x8
IN_CLOSE_NOWRITE, IN_OPEN, IN_MOVED_FROM, IN_MOVED_TO = 0x10, 0x20, 0x40, 0x80
IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF = 0x100, 0x200, 0x400, 0x800
IN_ISDIR = 0x40000000
DN_RENAME = 0x10000000
"""Not told by inotify: a name has moved within its directory."""


class Mark(Protocol):
    """Who watches an inode."""

    def hear(
        self, mask: int, name: bytes, cookie: int, *, of_child: bool, unlinked: bool
    ) -> None: ...

    def inode_gone(self) -> None: ...

    def unmounted(self) -> None: ...


def add_mark(inode: Inode, mark: Mark) -> None:
    """Somebody watches an inode from now on."""
    if inode.marks is None:
        inode.marks = []
    inode.marks.append(mark)
    inode.fs.marks.add(inode)


def remove_mark(inode: Inode, mark: Mark) -> None:
    """Somebody watches an inode no longer."""
    assert inode.marks is not None
    inode.marks.remove(mark)
    if not inode.marks:
        inode.marks = None
        inode.fs.marks.remove(inode)


def notice(inode: Inode, path: Path | None, mask: int) -> None:
    """Something has happened to a file; the directory hears it first."""
    if inode.fs.marks:
        _notice(inode, path.dentry if path is not None else None, mask)


def notice_file(file: OpenFile, mask: int) -> None:
    """Something was done through an open file."""
    if file.inode.fs.marks and file.can_be_noticed:
        _notice(file.inode, file.path.dentry if file.path is not None else None, mask)


def _notice(inode: Inode, dentry: Dentry | None, mask: int) -> None:
    if inode.is_dir:
        mask |= IN_ISDIR
    if dentry is not None and dentry.parent is not None:
        notice_name(dentry.parent.inode, dentry.name, mask, of_child=True, unlinked=dentry.unlinked)
    if inode.marks:
        for mark in tuple(inode.marks):
            mark.hear(mask, b"", 0, of_child=False, unlinked=False)


def notice_name(
    folder: Inode,
    name: bytes,
    mask: int,
    cookie: int = 0,
    *,
    of_child: bool = False,
    unlinked: bool = False,
) -> None:
    """Something has happened to a name in a directory (`of_child`: to the file behind it)."""
    if folder.marks:
        for mark in tuple(folder.marks):
            mark.hear(mask, name, cookie, of_child=of_child, unlinked=unlinked)


def notice_gone(inode: Inode) -> None:
    """The inode itself is gone: nobody can watch it any more."""
    if inode.marks:
        for mark in tuple(inode.marks):
            mark.hear(IN_DELETE_SELF, b"", 0, of_child=False, unlinked=False)
        for mark in tuple(inode.marks or ()):
            mark.inode_gone()


def notice_unmounted(fs: FileSystem) -> None:
    """A file system is gone; who watches the youngest inode hears it first, as in Linux's list."""
    for inode in sorted(fs.marks, key=lambda each: -each.node.ino):
        for mark in tuple(inode.marks or ()):
            mark.unmounted()
