"""Extended attributes: no file system here has any, and says so after looking at the file.

Mirrors: Linux fs/xattr.c over a file system without xattr operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kernel_model.abi.errno import EOPNOTSUPP
from kernel_model.syscalls.declare import Fd, Flags, Path, Ptr, Size, syscall
from kernel_model.vfs.path import Walk

if TYPE_CHECKING:
    from kernel_model.task import Task

_NONE = "there are no extended attributes: always EOPNOTSUPP"


def _path(task: Task, path: bytes, *, follow: bool = True) -> NoReturn:
    Walk(task).resolve(path, follow=follow)
    raise EOPNOTSUPP("this file system has no extended attributes")


def _open(task: Task, fd: int) -> NoReturn:
    task.files.get(fd)
    raise EOPNOTSUPP("this file system has no extended attributes")


@syscall(partial=_NONE)
def setxattr(task: Task, path: Path, name: Path, value: Ptr, size: Size, flags: Flags) -> int:
    """Set an attribute."""
    _path(task, path)


@syscall(partial=_NONE)
def lsetxattr(task: Task, path: Path, name: Path, value: Ptr, size: Size, flags: Flags) -> int:
    """Set an attribute of a symlink."""
    _path(task, path, follow=False)


@syscall(partial=_NONE)
def fsetxattr(task: Task, fd: Fd, name: Path, value: Ptr, size: Size, flags: Flags) -> int:
    """Set an attribute of an open file."""
    _open(task, fd)


@syscall(partial=_NONE)
def getxattr(task: Task, path: Path, name: Path, value: Ptr, size: Size) -> int:
    """Get an attribute."""
    _path(task, path)


@syscall(partial=_NONE)
def lgetxattr(task: Task, path: Path, name: Path, value: Ptr, size: Size) -> int:
    """Get an attribute of a symlink."""
    _path(task, path, follow=False)


@syscall(partial=_NONE)
def fgetxattr(task: Task, fd: Fd, name: Path, value: Ptr, size: Size) -> int:
    """Get an attribute of an open file."""
    _open(task, fd)


@syscall(partial=_NONE)
def listxattr(task: Task, path: Path, buf: Ptr, size: Size) -> int:
    """List attributes."""
    _path(task, path)


@syscall(partial=_NONE)
def llistxattr(task: Task, path: Path, buf: Ptr, size: Size) -> int:
    """List attributes of a symlink."""
    _path(task, path, follow=False)


@syscall(partial=_NONE)
def flistxattr(task: Task, fd: Fd, buf: Ptr, size: Size) -> int:
    """List attributes of an open file."""
    _open(task, fd)


@syscall(partial=_NONE)
def removexattr(task: Task, path: Path, name: Path) -> int:
    """Remove an attribute."""
    _path(task, path)


@syscall(partial=_NONE)
def lremovexattr(task: Task, path: Path, name: Path) -> int:
    """Remove an attribute of a symlink."""
    _path(task, path, follow=False)


@syscall(partial=_NONE)
def fremovexattr(task: Task, fd: Fd, name: Path) -> int:
    """Remove an attribute of an open file."""
    _open(task, fd)
