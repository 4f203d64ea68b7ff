"""inotify.

Mirrors: Linux fs/notify/inotify/inotify_user.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, ENOTDIR
from kernel_model.abi.fcntl import MAY_READ, O_CLOEXEC, O_NONBLOCK
from kernel_model.inotify import (
    ALL_EVENTS,
    IN_DONT_FOLLOW,
    IN_EXCL_UNLINK,
    IN_IGNORED,
    IN_ISDIR,
    IN_MASK_ADD,
    IN_MASK_CREATE,
    IN_ONESHOT,
    IN_ONLYDIR,
    IN_Q_OVERFLOW,
    IN_UNMOUNT,
    InotifyFile,
)
from kernel_model.syscalls.declare import Fd, Flags, Int, Path, syscall
from kernel_model.syscalls.events import install
from kernel_model.vfs.path import Walk
from kernel_model.vfs.permission import permission

if TYPE_CHECKING:
    from kernel_model.task import Task

_HOW = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT
_KNOWN = ALL_EVENTS | _HOW | IN_ISDIR | IN_IGNORED | IN_Q_OVERFLOW | IN_UNMOUNT


@syscall()
def inotify_init1(task: Task, flags: Flags) -> int:
    """A file that tells what happens to other files."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise EINVAL(f"inotify flags {flags:#o}")
    file = InotifyFile(task.kernel.vfs.anonfs, flags)
    return install(task, file, cloexec=bool(flags & O_CLOEXEC))


@syscall()
def inotify_init(task: Task) -> int:
    """inotify_init1 without flags."""
    return int(inotify_init1.handler(task, 0))


def _instance(task: Task, fd: int) -> InotifyFile:
    file = task.files.get(fd)
    if not isinstance(file, InotifyFile):
        raise EINVAL(f"descriptor {fd} is no inotify file")
    return file


@syscall()
def inotify_add_watch(task: Task, fd: Fd, path: Path, mask: Flags) -> int:
    """Watch a file, or change what is watched of it; the number of the watch."""
    task.files.get(fd)
    if not mask & _KNOWN or (mask & IN_MASK_ADD and mask & IN_MASK_CREATE):
        raise EINVAL(f"events {mask:#x}")
    file = _instance(task, fd)
    place = Walk(task).resolve(path, follow=not mask & IN_DONT_FOLLOW)
    if mask & IN_ONLYDIR and not place.inode.is_dir:
        raise ENOTDIR("IN_ONLYDIR, and it is no directory")
    permission(task.cred, place.inode, MAY_READ)
    return file.watch(place, mask)


@syscall()
def inotify_rm_watch(task: Task, fd: Fd, wd: Int) -> int:
    """Watch a file no longer; IN_IGNORED is the last that is heard of it."""
    _instance(task, fd).remove(wd)
    return 0
