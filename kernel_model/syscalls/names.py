"""Making, removing and moving names; links; the current and the root directory; umask.

Mirrors: Linux fs/namei.c (sys_mkdirat ... sys_renameat), fs/open.c (chdir, chroot), fs/dcache.c
         (getcwd).
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, ERANGE, EXDEV
from kernel_model.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_REMOVEDIR,
    AT_SYMLINK_FOLLOW,
    MAY_EXEC,
    PATH_MAX,
)
from kernel_model.syscalls.declare import Fd, Flags, Int, Path, Ptr, Size, UInt, syscall
from kernel_model.syscalls.open import descriptor_itself, start_of
from kernel_model.vfs import names
from kernel_model.vfs.mounts import Path as Place
from kernel_model.vfs.openfile import require_directory
from kernel_model.vfs.path import Last, Walk, path_of
from kernel_model.vfs.permission import permission

if TYPE_CHECKING:
    from kernel_model.task import Task

_MODE_BITS = 0o7777
_DIRECTORY_BITS = 0o1777
_NODE_TYPES = (stat.S_IFREG, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK)


def _last(task: Task, walk: Walk, dirfd: int, path: bytes) -> Last:
    return walk.parent_of(path, start_of(task, dirfd, path))


def _mkdir(task: Task, dirfd: int, path: bytes, mode: int) -> int:
    walk = Walk(task)
    mode &= _DIRECTORY_BITS & ~task.fs.umask
    names.make(task, walk, _last(task, walk, dirfd, path), stat.S_IFDIR | mode)
    return 0


@syscall()
def mkdir(task: Task, path: Path, mode: Int) -> int:
    """Make a directory."""
    return _mkdir(task, AT_FDCWD, path, mode)


@syscall()
def mkdirat(task: Task, dirfd: Fd, path: Path, mode: Int) -> int:
    """mkdir relative to a directory."""
    return _mkdir(task, dirfd, path, mode)


def _mknod(task: Task, dirfd: int, path: bytes, mode: int, dev: int) -> int:
    kind = stat.S_IFMT(mode) or stat.S_IFREG
    if kind == stat.S_IFDIR:
        raise EPERM("mknod makes no directories")
    if kind not in _NODE_TYPES:
        raise EINVAL(f"mode {mode:#o} has no type that mknod makes")
    walk = Walk(task)
    last = _last(task, walk, dirfd, path)
    names.check_new(walk, last)
    device = kind in (stat.S_IFCHR, stat.S_IFBLK)
    if device and not task.cred.cap("CAP_MKNOD"):
        raise EPERM("device nodes need CAP_MKNOD")
    mode = kind | (mode & _MODE_BITS & ~task.fs.umask)
    names.make_unseen(task, last, mode, rdev=dev if device else 0)
    return 0


@syscall(partial="block devices can be made, not opened")
def mknod(task: Task, path: Path, mode: UInt, dev: UInt) -> int:
    """Make a file, FIFO, socket name or device node."""
    return _mknod(task, AT_FDCWD, path, mode, dev)


@syscall(partial="as mknod")
def mknodat(task: Task, dirfd: Fd, path: Path, mode: UInt, dev: UInt) -> int:
    """mknod relative to a directory."""
    return _mknod(task, dirfd, path, mode, dev)


def _unlink(task: Task, dirfd: int, path: bytes) -> int:
    walk = Walk(task)
    names.unlink(task, walk, _last(task, walk, dirfd, path))
    return 0


def _rmdir(task: Task, dirfd: int, path: bytes) -> int:
    walk = Walk(task)
    names.rmdir(task, walk, _last(task, walk, dirfd, path))
    return 0


@syscall()
def unlink(task: Task, path: Path) -> int:
    """Remove the name of a file."""
    return _unlink(task, AT_FDCWD, path)


@syscall()
def rmdir(task: Task, path: Path) -> int:
    """Remove an empty directory."""
    return _rmdir(task, AT_FDCWD, path)


@syscall()
def unlinkat(task: Task, dirfd: Fd, path: Path, flags: Flags) -> int:
    """unlink, or rmdir with AT_REMOVEDIR, relative to a directory."""
    if flags & ~AT_REMOVEDIR:
        raise EINVAL(f"unknown flags {flags:#x}")
    return _rmdir(task, dirfd, path) if flags else _unlink(task, dirfd, path)


def _symlink(task: Task, target: bytes, dirfd: int, path: bytes) -> int:
    if not target:
        raise ENOENT("an empty symbolic link")
    if len(target) >= PATH_MAX:
        raise ENAMETOOLONG(f"a symbolic link of {len(target)} bytes")
    walk = Walk(task)
    last = _last(task, walk, dirfd, path)
    names.make(task, walk, last, stat.S_IFLNK | 0o777, target=target)
    return 0


@syscall()
def symlink(task: Task, target: Path, path: Path) -> int:
    """Make a symbolic link."""
    return _symlink(task, target, AT_FDCWD, path)


@syscall()
def symlinkat(task: Task, target: Path, dirfd: Fd, path: Path) -> int:
    """symlink relative to a directory."""
    return _symlink(task, target, dirfd, path)


def _itself(task: Task, fd: int) -> Place:
    _, place = descriptor_itself(task, fd)
    if place is None:
        raise EXDEV("a file without a place in the tree")
    return place


def _link(task: Task, olddirfd: int, old: bytes, newdirfd: int, new: bytes, flags: int) -> int:
    if flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise EINVAL(f"unknown flags {flags:#x}")
    if flags & AT_EMPTY_PATH and not task.cred.cap("CAP_DAC_READ_SEARCH"):
        raise ENOENT("AT_EMPTY_PATH needs CAP_DAC_READ_SEARCH")
    walk = Walk(task)
    if flags & AT_EMPTY_PATH and not old:
        source = _itself(task, olddirfd)
    else:
        follow = bool(flags & AT_SYMLINK_FOLLOW)
        source = walk.resolve(old, start_of(task, olddirfd, old), follow=follow)
    names.link(task, walk, source, _last(task, walk, newdirfd, new))
    return 0


@syscall()
def link(task: Task, old: Path, new: Path) -> int:
    """One more name for a file; a symlink is linked itself."""
    return _link(task, AT_FDCWD, old, AT_FDCWD, new, 0)


@syscall()
def linkat(task: Task, olddirfd: Fd, old: Path, newdirfd: Fd, new: Path, flags: Flags) -> int:
    """link relative to directories, or of `olddirfd` itself with AT_EMPTY_PATH."""
    return _link(task, olddirfd, old, newdirfd, new, flags)


def _rename(task: Task, olddirfd: int, old: bytes, newdirfd: int, new: bytes) -> int:
    walk = Walk(task)
    source = _last(task, walk, olddirfd, old)
    names.rename(task, walk, source, _last(task, walk, newdirfd, new))
    return 0


@syscall()
def rename(task: Task, old: Path, new: Path) -> int:
    """Move a name."""
    return _rename(task, AT_FDCWD, old, AT_FDCWD, new)


@syscall()
def renameat(task: Task, olddirfd: Fd, old: Path, newdirfd: Fd, new: Path) -> int:
    """rename relative to directories."""
    return _rename(task, olddirfd, old, newdirfd, new)


@syscall()
def umask(task: Task, mask: Int) -> int:
    """Set the file mode creation mask, and return the old one."""
    old = task.fs.umask
    task.fs.umask = mask & 0o777
    return old


def _enter(task: Task, place: Place) -> Place:
    if not place.inode.is_dir:
        raise ENOTDIR("not a directory")
    permission(task.cred, place.inode, MAY_EXEC)
    return place


@syscall()
def chdir(task: Task, path: Path) -> int:
    """Set the current directory."""
    task.fs.pwd = _enter(task, Walk(task).resolve(path))
    return 0


@syscall()
def fchdir(task: Task, fd: Fd) -> int:
    """Set the current directory to an open one."""
    task.fs.pwd = _enter(task, require_directory(task.files.get_raw(fd)))
    return 0


@syscall()
def chroot(task: Task, path: Path) -> int:
    """Set the root directory; the current directory stays."""
    place = _enter(task, Walk(task).resolve(path))
    if not task.cred.cap("CAP_SYS_CHROOT"):
        raise EPERM("chroot needs CAP_SYS_CHROOT")
    task.fs.root = place
    return 0


@syscall(partial="a current directory outside of the root is ENOENT, as if it were removed")
def getcwd(task: Task, buf: Ptr, size: Size) -> int:
    """Store the path of the current directory; its length with the final zero is returned."""
    path = path_of(task.fs.pwd, task.fs.root) + b"\0"
    if len(path) > size:
        raise ERANGE(f"the path has {len(path)} bytes, the buffer {size}")
    task.user.write(buf, path)
    return len(path)
