"""open, openat, creat, close.

Mirrors: Linux fs/open.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import ENOENT
from kernel_model.abi.fcntl import AT_FDCWD, O_CLOEXEC, O_CREAT, O_TRUNC, O_WRONLY
from kernel_model.abi.limits import RLIMIT_NOFILE
from kernel_model.syscalls.declare import Fd, Flags, Int, Path, syscall
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Path as Place
from kernel_model.vfs.open import open_path
from kernel_model.vfs.openfile import require_directory

if TYPE_CHECKING:
    from kernel_model.task import Task


def descriptor_limit(task: Task) -> int:
    """No descriptor of the task may be this or above."""
    return int(task.signal.rlimits[RLIMIT_NOFILE][0])


def start_of(task: Task, dirfd: int, path: bytes) -> Place | None:
    """Where a relative path of an *at() call begins; None is the current directory."""
    if dirfd == AT_FDCWD or path[:1] == b"/":
        return None
    if not path:
        raise ENOENT("an empty path")
    return require_directory(task.files.get_raw(dirfd))


def descriptor_itself(task: Task, fd: int) -> tuple[Inode, Place | None]:
    """What an empty path with AT_EMPTY_PATH means: the descriptor's file, though it be O_PATH, and
    its place in the tree, if it has one; or the current directory."""
    if fd == AT_FDCWD:
        return task.fs.pwd.inode, task.fs.pwd
    file = task.files.get_raw(fd)
    return file.inode, file.path


def _open(task: Task, dirfd: int, path: bytes, flags: int, mode: int) -> int:
    flags = task.abi.structs.open_flags.to_kernel(flags)
    limit = descriptor_limit(task)
    task.files.lowest_free(limit)  # refuse before a file is made or cut
    file = open_path(task, path, flags, mode, start_of(task, dirfd, path))
    return task.files.install(file, limit, cloexec=bool(flags & O_CLOEXEC))


@syscall(partial="O_DIRECT is refused with EINVAL, as on tmpfs; FASYNC has no effect")
def open(task: Task, path: Path, flags: Flags, mode: Int) -> int:
    """Open a file, making it if O_CREAT says so."""
    return _open(task, AT_FDCWD, path, flags, mode)


@syscall(partial="as open")
def openat(task: Task, dirfd: Fd, path: Path, flags: Flags, mode: Int) -> int:
    """Open a file relative to a directory."""
    return _open(task, dirfd, path, flags, mode)


@syscall()
def creat(task: Task, path: Path, mode: Int) -> int:
    """Make or empty a file and open it for writing."""
    flags = task.abi.structs.open_flags.to_user(O_CREAT | O_WRONLY | O_TRUNC)
    return _open(task, AT_FDCWD, path, flags, mode)


@syscall()
def close(task: Task, fd: Fd) -> int:
    """Free a descriptor."""
    task.files.close(fd)
    return 0
