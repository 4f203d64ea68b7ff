"""Opening: from a path and flags to an open file description.

`open_path` does what open(2) does on behalf of a task, checks included. `open_place` opens a file
that is already at hand without asking for permission (restart, exec, the first descriptors).

Mirrors: Linux fs/open.c, and do_filp_open, may_open, open_will_truncate of fs/namei.c.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from kernel_model.abi.errno import (
    EACCES,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    ENOTDIR,
    ENXIO,
    EOVERFLOW,
    EPERM,
    ETXTBSY,
)
from kernel_model.abi.fcntl import (
    MAX_NON_LFS,
    MAY_EXEC,
    MAY_READ,
    MAY_WRITE,
    NOT_STATUS,
    O_ACCMODE,
    O_CREAT,
    O_DIRECT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOATIME,
    O_NOCTTY,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_RDONLY,
    O_TRUNC,
)
from kernel_model.abi.mount import MS_NODEV, MS_NOEXEC
from kernel_model.fifo import open_fifo
from kernel_model.pipe import PipeFs, open_again
from kernel_model.tty.devpts import take_controlling
from kernel_model.tty.file import TtyFile
from kernel_model.vfs.devices import opener_of
from kernel_model.vfs.locks import break_leases
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.names import make_unseen, want_write
from kernel_model.vfs.notify import IN_MODIFY, IN_OPEN, notice, notice_file
from kernel_model.vfs.openfile import DirectoryFile, OpenFile, PathFile, RegularFile
from kernel_model.vfs.path import Walk
from kernel_model.vfs.permission import owner_or_capable, permission

if TYPE_CHECKING:
    from kernel_model.task import Task

_ACCESS = {0: MAY_READ, 1: MAY_WRITE, 2: MAY_READ | MAY_WRITE, 3: MAY_READ | MAY_WRITE}


def open_path(
    task: Task, path: bytes, flags: int, mode: int = 0, start: Path | None = None
) -> OpenFile:
    """What open(2) does. `mode` is used by O_CREAT, before the umask."""
    walk = Walk(task)
    if flags & O_PATH:
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW
    if not flags & O_CREAT:
        place = walk.resolve(path, start, follow=not flags & O_NOFOLLOW)
    else:
        place, created = _find_or_create(walk, path, flags, mode, start)
        if created:
            file = open_place(task, place, flags)
            notice_file(file, IN_OPEN)
            return file
    return open_found(task, place, flags)


def open_found(task: Task, place: Path, flags: int) -> OpenFile:
    """What open(2) does when the walk has come to the file."""
    if not flags & O_PATH:
        _may_open(task, place, flags)
    elif flags & O_DIRECTORY and not place.inode.is_dir:
        raise ENOTDIR("O_DIRECTORY, but it is no directory")
    file = open_place(task, place, flags)
    if flags & O_TRUNC and place.inode.is_regular:
        place.inode.truncate(0)
        notice(place.inode, place, IN_MODIFY)
    notice_file(file, IN_OPEN)
    if isinstance(file, TtyFile) and not flags & O_NOCTTY:
        take_controlling(task, file)
    return file


def open_place(task: Task, place: Path, flags: int) -> OpenFile:
    """An open file description for a file at hand; permissions are not looked at."""
    inode = place.dentry.inode
    status = flags & ~NOT_STATUS
    if flags & O_PATH:
        return PathFile(inode, place, status)
    special = inode.special_file(task, place, status)
    if special is not None:
        return special
    kind = stat.S_IFMT(inode.node.mode)
    if kind == stat.S_IFREG:
        return RegularFile(inode, place, status)
    if kind == stat.S_IFDIR:
        return DirectoryFile(inode, place, status)
    if kind == stat.S_IFLNK:
        raise ELOOP("a symbolic link cannot be opened")
    if kind == stat.S_IFCHR:
        opener = opener_of(inode.node.rdev)
        if opener is not None:
            return opener(task, inode, place, status)
    if kind == stat.S_IFIFO and isinstance(inode.fs, PipeFs):
        return open_again(inode, status)
    if kind == stat.S_IFIFO:
        return open_fifo(task, inode, place, status)
    raise ENXIO(f"nothing answers behind device node or socket {inode.node.ino}")


def _find_or_create(
    walk: Walk, path: bytes, flags: int, mode: int, start: Path | None
) -> tuple[Path, bool]:
    """The file, and whether it was made; a dangling symlink at the end makes its target."""
    if flags & O_DIRECTORY:
        raise EINVAL("O_CREAT makes no directories")
    last = walk.parent_of(path, start)
    while True:
        if not last.ordinary and flags & O_EXCL:
            raise EEXIST("a directory exists")
        if last.directory or not last.ordinary:
            raise EISDIR("O_CREAT makes no directories")
        place = walk.child(last.parent, last.name)
        if place is None:
            mode = (mode & ~walk.task.fs.umask & 0o7777) | stat.S_IFREG
            return make_unseen(walk.task, last, mode), True
        if flags & O_EXCL:
            raise EEXIST(f"{last.name!r} exists")
        if not place.inode.is_link:
            break
        if flags & O_NOFOLLOW:
            raise ELOOP(f"{last.name!r} is a symbolic link")
        target = walk.link_target(last.parent, place)
        if isinstance(target, Path):
            place = target
            break
        last = target
    if place.inode.is_dir:
        raise EISDIR(f"{last.name!r} is a directory")
    return place, False


def _may_open(task: Task, place: Path, flags: int) -> None:
    inode = place.dentry.inode
    if flags & O_DIRECTORY and not inode.is_dir:
        raise ENOTDIR("O_DIRECTORY, but it is no directory")
    if inode.is_link:
        raise ELOOP("O_NOFOLLOW, but it is a symbolic link")
    writing = flags & O_ACCMODE != O_RDONLY or flags & O_TRUNC
    if inode.is_dir and writing:
        raise EISDIR("a directory cannot be opened for writing")
    if writing and inode.is_regular:
        want_write(place)
    if place.mount.flags & MS_NODEV and stat.S_IFMT(inode.mode) in (stat.S_IFCHR, stat.S_IFBLK):
        raise EACCES("devices are not opened on a mount with nodev")
    mask = _ACCESS[flags & O_ACCMODE] | (MAY_WRITE if flags & O_TRUNC else 0)
    if not inode.admits(task):
        permission(task.cred, inode, mask)
    if flags & O_NOATIME and not owner_or_capable(task.cred, inode):
        raise EPERM("O_NOATIME is for the owner")
    if flags & O_DIRECT and inode.is_regular:
        raise EINVAL("files of this disk have no direct access")
    if writing and inode.executions:
        raise ETXTBSY("the file is being executed")
    if inode.locks is not None:
        break_leases(task, inode, writing=bool(writing), wait=not flags & O_NONBLOCK)
    if inode.is_regular and inode.size > MAX_NON_LFS and not flags & O_LARGEFILE:
        raise EOVERFLOW("more than 2 GiB need O_LARGEFILE")


def open_program(task: Task, path: bytes, start: Path | None = None) -> OpenFile:
    """Open a program for execve: a regular file with permission to execute it."""
    return open_program_at(task, Walk(task).resolve(path, start))


def open_program_at(task: Task, place: Path) -> OpenFile:
    """The same for a file at hand."""
    if not place.inode.is_regular:
        raise EACCES("only a regular file can be executed")
    if place.mount.flags & MS_NOEXEC:
        raise EACCES("nothing is executed on a mount with noexec")
    permission(task.cred, place.inode, MAY_EXEC)
    if place.inode.writers:
        raise ETXTBSY("the program is open for writing")
    break_leases(task, place.inode, writing=False, wait=True)
    file = open_place(task, place, O_RDONLY)
    notice_file(file, IN_OPEN)
    return file
