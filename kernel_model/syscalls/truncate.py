"""Sizes of files, and bringing files to the disk.

Mirrors: Linux fs/open.c (do_sys_truncate, do_fallocate), fs/sync.c, mm/fadvise.c.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from kernel_model.abi.errno import (
    EBADF,
    EFBIG,
    EINVAL,
    EISDIR,
    ENODEV,
    EOPNOTSUPP,
    ESPIPE,
    ETXTBSY,
)
from kernel_model.abi.fcntl import MAY_WRITE, SIGXFSZ
from kernel_model.abi.limits import RLIMIT_FSIZE
from kernel_model.syscalls.declare import Fd, Int, Long, Off64, Path, Size, syscall
from kernel_model.vfs.inode import MAX_FILE_BYTES, Inode
from kernel_model.vfs.locks import break_leases
from kernel_model.vfs.mounts import Path as Place
from kernel_model.vfs.names import want_write
from kernel_model.vfs.notify import IN_MODIFY, notice
from kernel_model.vfs.path import Walk
from kernel_model.vfs.permission import permission

if TYPE_CHECKING:
    from kernel_model.task import Task

FALLOC_FL_KEEP_SIZE = 1


def _resize(task: Task, inode: Inode, path: Place | None, size: int) -> int:
    if size > inode.size and size > task.signal.rlimits[RLIMIT_FSIZE][0]:
        task.send_signal(SIGXFSZ)
        raise EFBIG("above RLIMIT_FSIZE")
    inode.truncate(size)
    notice(inode, path, IN_MODIFY)
    return 0


def _truncate(task: Task, path: bytes, size: int) -> int:
    if size < 0:
        raise EINVAL(f"size {size}")
    place = Walk(task).resolve(path)
    if place.inode.is_dir:
        raise EISDIR("a directory")
    if not place.inode.is_regular:
        raise EINVAL("only a regular file has a size to set")
    want_write(place)
    permission(task.cred, place.inode, MAY_WRITE)
    if place.inode.executions:
        raise ETXTBSY("the file is being executed")
    break_leases(task, place.inode, writing=True, wait=True)
    return _resize(task, place.inode, place, size)


def _ftruncate(task: Task, fd: int, size: int) -> int:
    if size < 0:
        raise EINVAL(f"size {size}")
    file = task.files.get(fd)
    if not file.inode.is_regular or not file.may_write:
        raise EINVAL("not a regular file open for writing")
    return _resize(task, file.inode, file.path, size)


@syscall()
def truncate(task: Task, path: Path, length: Long) -> int:
    """Set the size of a file."""
    return _truncate(task, path, length)


@syscall()
def ftruncate(task: Task, fd: Fd, length: Long) -> int:
    """Set the size of an open file."""
    return _ftruncate(task, fd, length)


@syscall()
def truncate64(task: Task, path: Path, length: Off64) -> int:
    """truncate with 64 bits."""
    return _truncate(task, path, length)


@syscall()
def ftruncate64(task: Task, fd: Fd, length: Off64) -> int:
    """ftruncate with 64 bits."""
    return _ftruncate(task, fd, length)


@syscall(partial="room is not set aside: only the size grows")
def fallocate(task: Task, fd: Fd, mode: Int, offset: Off64, length: Off64) -> int:
    """Make sure that a range of a file has room on the disk."""
    file = task.files.get(fd)
    if offset < 0 or length <= 0:
        raise EINVAL("fallocate: a range that is empty or negative")
    if mode & ~FALLOC_FL_KEEP_SIZE:
        raise EOPNOTSUPP(f"fallocate mode {mode:#x}")
    if not file.may_write:
        raise EBADF(f"descriptor {fd} is not open for writing")
    if stat.S_ISFIFO(file.inode.mode):
        raise ESPIPE("a pipe has no room to set aside")
    if not file.inode.is_regular:
        raise ENODEV("not a regular file")
    if offset + length > MAX_FILE_BYTES:
        raise EFBIG("beyond the largest file offset")
    if not mode and offset + length > file.inode.size:
        _resize(task, file.inode, file.path, offset + length)
    return 0


def _flush(task: Task, fd: int) -> int:
    file = task.files.get(fd)
    if not (file.syncs and file.inode.fs.has_fsync):
        raise EINVAL("this file is not on a disk")
    file.inode.sync()
    return 0


@syscall()
def fsync(task: Task, fd: Fd) -> int:
    """Bring a file to the disk."""
    return _flush(task, fd)


@syscall()
def fdatasync(task: Task, fd: Fd) -> int:
    """Bring the data of a file to the disk."""
    return _flush(task, fd)


@syscall()
def sync(task: Task) -> int:
    """Bring all files to the disk."""
    task.kernel.vfs.sync()
    return 0


def advise(task: Task, fd: int, length: int, advice: int) -> int:
    file = task.files.get(fd)
    if stat.S_ISFIFO(file.inode.mode):
        raise ESPIPE("advice for a pipe")
    if length < 0 or not 0 <= advice <= 5:
        raise EINVAL(f"advice {advice} for {length} bytes")
    return 0


@syscall(partial="advice is checked and then has no effect: all data is in memory")
def fadvise64(task: Task, fd: Fd, offset: Off64, length: Size, advice: Int) -> int:
    """Say how a file will be used."""
    return advise(task, fd, length - (1 << 64) if length >> 63 else length, advice)


@syscall(partial="as fadvise64")
def fadvise64_64(task: Task, fd: Fd, offset: Off64, length: Off64, advice: Int) -> int:
    """fadvise64 with a 64-bit length."""
    return advise(task, fd, length, advice)
