"""Making, removing and moving names, with the checks that Linux makes, in its order.

Mirrors: Linux fs/namei.c (may_create, may_delete, vfs_mknod ... vfs_rename).
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from kernel_model.abi.errno import (
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ENOENT,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EROFS,
    EXDEV,
)
from kernel_model.abi.fcntl import MAY_EXEC, MAY_WRITE
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Dentry, Path
from kernel_model.vfs.notify import (
    DN_RENAME,
    IN_ATTRIB,
    IN_CREATE,
    IN_DELETE,
    IN_ISDIR,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    notice,
    notice_name,
)
from kernel_model.vfs.path import Last, Walk
from kernel_model.vfs.permission import permission

if TYPE_CHECKING:
    from kernel_model.task import Task


def want_write(path: Path) -> None:
    """Raise EROFS if the mount is read-only."""
    if path.mount.read_only:
        raise EROFS("the file system is mounted read-only")


def check_new(walk: Walk, last: Last, *, directory: bool = False) -> None:
    """Raise unless a name is free, and can be one of such a file (Linux: lookup_create)."""
    if not last.ordinary or walk.child(last.parent, last.name) is not None:
        raise EEXIST(f"{last.name!r} exists")
    if last.directory and not directory:
        raise ENOENT(f"{last.name!r} is to be made, but a slash follows")


def make(
    task: Task, walk: Walk, last: Last, mode: int, *, rdev: int = 0, target: bytes = b""
) -> Path:
    """A new file of any type, owned by the task; `mode` is final (umask already applied)."""
    check_new(walk, last, directory=stat.S_ISDIR(mode))
    return make_unseen(task, last, mode, rdev=rdev, target=target)


def make_unseen(task: Task, last: Last, mode: int, *, rdev: int = 0, target: bytes = b"") -> Path:
    """As `make`, for a name of which the caller knows that it is free."""
    parent, name, _ = last
    if not parent.inode.takes_names:
        raise ENOENT("no name is made here")
    want_write(parent)
    _may_create(task, parent)
    cred = task.cred
    parent.dentry.inode.create(name, mode, cred.fsuid, cred.fsgid, rdev, target)
    dentry = parent.dentry.child(name)
    assert dentry is not None
    if parent.inode.marks:
        notice_name(parent.inode, name, IN_CREATE | (IN_ISDIR if dentry.inode.is_dir else 0))
    return Path(parent.mount, dentry)


def link(task: Task, walk: Walk, old: Path, last: Last) -> None:
    """One more name for the file `old`."""
    check_new(walk, last)
    if old.mount is not last.parent.mount:
        raise EXDEV("a hard link cannot leave its mount")
    want_write(last.parent)
    _may_create(task, last.parent)
    if old.inode.is_dir:
        raise EPERM("hard links to directories are not allowed")
    if not old.inode.node.nlink:
        raise ENOENT("the file has no name any more")
    last.parent.inode.link(last.name, old.inode)
    notice(old.inode, None, IN_ATTRIB)
    notice_name(last.parent.inode, last.name, IN_CREATE)


def unlink(task: Task, walk: Walk, last: Last) -> None:
    """Remove the name of a file that is no directory."""
    if not last.ordinary:
        raise EISDIR(f"{last.name!r} is a directory")
    victim = walk.child(last.parent, last.name)
    if victim is None:
        raise ENOENT(f"no such name: {last.name!r}")
    if last.directory:
        raise EISDIR("a directory") if victim.inode.is_dir else ENOTDIR("a slash after a file")
    want_write(last.parent)
    _may_delete(task, last.parent, victim, directory=False)
    notice(victim.inode, None, IN_ATTRIB)
    last.parent.inode.unlink(last.name)
    last.parent.dentry.drop(last.name)
    notice_name(last.parent.inode, last.name, IN_DELETE)


def rmdir(task: Task, walk: Walk, last: Last) -> None:
    """Remove an empty directory."""
    if last.name == b"..":
        raise ENOTEMPTY("`..` holds the directory itself")
    if last.name == b".":
        raise EINVAL("`.` cannot be removed")
    if not last.name:
        raise EBUSY("the root directory cannot be removed")
    victim = walk.child(last.parent, last.name)
    if victim is None:
        raise ENOENT(f"no such name: {last.name!r}")
    want_write(last.parent)
    _may_delete(task, last.parent, victim, directory=True)
    _must_be_empty(victim.inode)
    last.parent.inode.unlink(last.name)
    last.parent.dentry.drop(last.name)
    notice_name(last.parent.inode, last.name, IN_DELETE | IN_ISDIR)


def rename(task: Task, walk: Walk, old: Last, new: Last) -> None:
    """Move a name, replacing a file of the same kind or an empty directory."""
    if old.parent.mount is not new.parent.mount:
        raise EXDEV("a rename cannot leave its mount")
    if not old.ordinary or not new.ordinary:
        raise EBUSY("a root directory or one of the dots cannot be renamed")
    want_write(old.parent)
    source = walk.child(old.parent, old.name)
    if source is None:
        raise ENOENT(f"no such name: {old.name!r}")
    victim = walk.child(new.parent, new.name)
    directory = source.inode.is_dir
    if not directory and (old.directory or new.directory):
        raise ENOTDIR("a slash follows, but it is no directory")
    if directory and _holds(source.dentry, new.parent.dentry):
        raise EINVAL("a directory cannot move into itself")
    if victim is not None and _holds(victim.dentry, old.parent.dentry):
        raise ENOTEMPTY("the target holds the source")
    if victim is not None and victim.inode is source.inode:
        return
    _may_delete(task, old.parent, source, directory=directory)
    if victim is None:
        _may_create(task, new.parent)
    else:
        _may_delete(task, new.parent, victim, directory=directory)
    if directory and old.parent.inode is not new.parent.inode:
        permission(task.cred, source.inode, MAY_WRITE)  # its `..` changes
    if victim is not None and directory:
        _must_be_empty(victim.inode)
    hold = victim is not None and bool(victim.inode.marks)
    if victim is not None and hold:
        victim.inode.opens += 1  # it is told of its end when the others have heard of the move
    old.parent.inode.rename(old.name, new.parent.inode, new.name)
    old.parent.dentry.move(old.name, new.parent.dentry, new.name)
    if source.inode.fs.marks:
        _tell_of_move(task, old, new, source, victim)
    if victim is not None and hold:
        victim.inode.release(writer=False)


def _tell_of_move(task: Task, old: Last, new: Last, source: Path, victim: Path | None) -> None:
    kind = IN_ISDIR if source.inode.is_dir else 0
    # Linux counts; the clock does as well, and it is in every image.
    cookie = task.kernel.clock.units & 0xFFFFFFFF or 1
    inside = DN_RENAME if old.parent.inode is new.parent.inode else 0
    notice_name(old.parent.inode, old.name, IN_MOVED_FROM | kind | inside, cookie)
    notice_name(new.parent.inode, new.name, IN_MOVED_TO | kind | inside, cookie)
    if victim is not None:
        notice(victim.inode, None, IN_ATTRIB)
    notice(source.inode, None, IN_MOVE_SELF)


def _may_create(task: Task, parent: Path) -> None:
    inode = parent.dentry.inode
    if parent.dentry.unlinked:
        raise ENOENT("the directory was removed")
    permission(task.cred, inode, MAY_WRITE | MAY_EXEC)


def _may_delete(task: Task, parent: Path, victim: Path, *, directory: bool) -> None:
    cred = task.cred
    folder, inode = parent.inode, victim.inode
    permission(cred, folder, MAY_WRITE | MAY_EXEC)
    sticky = folder.mode & stat.S_ISVTX
    if sticky and cred.fsuid not in (inode.node.uid, folder.node.uid):
        if not cred.cap("CAP_FOWNER"):
            raise EPERM("somebody else's file in a directory with the sticky bit")
    if directory and not inode.is_dir:
        raise ENOTDIR("not a directory")
    if not directory and inode.is_dir:
        raise EISDIR("a directory")
    if victim.mount is not parent.mount or victim.dentry.covered_by:
        raise EBUSY("something is mounted there")


def _must_be_empty(inode: Inode) -> None:
    for name, _, _ in () if inode.removes_itself else inode.list():
        raise ENOTEMPTY(f"{name!r} is in the directory")


def _holds(outer: Dentry, inner: Dentry | None) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False
