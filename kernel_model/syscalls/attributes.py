"""chmod, chown and utime with their relatives: changing attributes.

Mirrors: Linux fs/open.c, fs/attr.c (inode_change_ok), fs/utimes.c, kernel/uid16.c.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

from kernel_model.abi.errno import EINVAL, EPERM
from kernel_model.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    MAY_WRITE,
    UTIME_NOW,
    UTIME_OMIT,
)
from kernel_model.abi.time import NS_PER_S, US_PER_S
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.syscalls.declare import Fd, Flags, Int, Path, Ptr, UInt, syscall
from kernel_model.syscalls.open import descriptor_itself, start_of
from kernel_model.vfs.filesystem import Change
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Path as Place
from kernel_model.vfs.names import want_write
from kernel_model.vfs.notify import IN_ACCESS, IN_ATTRIB, IN_MODIFY, notice
from kernel_model.vfs.path import Walk
from kernel_model.vfs.permission import in_group, owner_or_capable, permission

if TYPE_CHECKING:
    from kernel_model.task import Task

_UNCHANGED = 0xFFFF_FFFF
_PATH_MAX = 4096


class _Found(NamedTuple):
    inode: Inode
    path: Place | None


def _writable(task: Task, fd: int) -> _Found:
    file = task.files.get(fd)
    if file.path is not None:
        want_write(file.path)
    return _Found(file.inode, file.path)


def _writable_itself(task: Task, fd: int) -> _Found:
    """The file of a descriptor, though it be O_PATH; or the current directory."""
    found = _Found(*descriptor_itself(task, fd))
    if found.path is not None:
        want_write(found.path)
    return found


def _writable_at(task: Task, dirfd: int, path: bytes, *, follow: bool = True) -> _Found:
    place: Place = Walk(task).resolve(path, start_of(task, dirfd, path), follow=follow)
    want_write(place)
    return _Found(place.inode, place)


def _chmod(task: Task, found: _Found, mode: int) -> int:
    inode = found.inode
    inode.check_change(Change.MODE)
    if not owner_or_capable(task.cred, inode):
        raise EPERM("only the owner changes the mode")
    mode &= 0o7777
    if not in_group(task.cred, inode.node.gid) and not task.cred.cap("CAP_FSETID"):
        mode &= ~stat.S_ISGID
    inode.node.mode = stat.S_IFMT(inode.node.mode) | mode
    inode.touch(modified=False)
    notice(inode, found.path, IN_ATTRIB)
    return 0


@syscall()
def chmod(task: Task, path: Path, mode: UInt) -> int:
    """Set the permissions of a file."""
    return _chmod(task, _writable_at(task, AT_FDCWD, path), mode)


@syscall()
def fchmod(task: Task, fd: Fd, mode: UInt) -> int:
    """Set the permissions of an open file."""
    return _chmod(task, _writable(task, fd), mode)


@syscall()
def fchmodat(task: Task, dirfd: Fd, path: Path, mode: UInt) -> int:
    """chmod relative to a directory (the kernel's call has no flags)."""
    return _chmod(task, _writable_at(task, dirfd, path), mode)


def _chown(task: Task, found: _Found, uid: int, gid: int) -> int:
    inode = found.inode
    inode.check_change(Change.OWNER)
    cred, node = task.cred, inode.node
    owner = cred.fsuid == node.uid
    if uid not in (_UNCHANGED,) and not (owner and uid == node.uid) and not cred.cap("CAP_CHOWN"):
        raise EPERM("giving a file away needs CAP_CHOWN")
    if gid != _UNCHANGED and not (owner and (gid == node.gid or in_group(cred, gid))):
        if not cred.cap("CAP_CHOWN"):
            raise EPERM("the owner may choose among the groups it is in")
    if uid != _UNCHANGED:
        node.uid = uid
    if gid != _UNCHANGED:
        node.gid = gid
    if not inode.is_dir:
        drop_set_id_bits(inode)
    inode.touch(modified=False)
    notice(inode, found.path, IN_ATTRIB)
    return 0


def drop_set_id_bits(inode: Inode) -> None:
    """What has a new owner, or new content, must not run as the old owner."""
    node = inode.node
    node.mode &= ~stat.S_ISUID
    if node.mode & stat.S_IXGRP:
        node.mode &= ~stat.S_ISGID


def _plain_id(task: Task, number: int) -> int:
    """The id of a call that has 16-bit ids on some ABIs."""
    if not task.abi.structs.short_ids:
        return number
    number &= 0xFFFF
    return _UNCHANGED if number == 0xFFFF else number


@syscall()
def chown(task: Task, path: Path, uid: UInt, gid: UInt) -> int:
    """Set owner and group of a file."""
    found = _writable_at(task, AT_FDCWD, path)
    return _chown(task, found, _plain_id(task, uid), _plain_id(task, gid))


@syscall()
def lchown(task: Task, path: Path, uid: UInt, gid: UInt) -> int:
    """chown that does not follow a symlink."""
    found = _writable_at(task, AT_FDCWD, path, follow=False)
    return _chown(task, found, _plain_id(task, uid), _plain_id(task, gid))


@syscall()
def fchown(task: Task, fd: Fd, uid: UInt, gid: UInt) -> int:
    """chown of an open file."""
    return _chown(task, _writable(task, fd), _plain_id(task, uid), _plain_id(task, gid))


@syscall()
def chown32(task: Task, path: Path, uid: UInt, gid: UInt) -> int:
    """chown with 32-bit ids."""
    return _chown(task, _writable_at(task, AT_FDCWD, path), uid, gid)


@syscall()
def lchown32(task: Task, path: Path, uid: UInt, gid: UInt) -> int:
    """lchown with 32-bit ids."""
    return _chown(task, _writable_at(task, AT_FDCWD, path, follow=False), uid, gid)


@syscall()
def fchown32(task: Task, fd: Fd, uid: UInt, gid: UInt) -> int:
    """fchown with 32-bit ids."""
    return _chown(task, _writable(task, fd), uid, gid)


@syscall()
def fchownat(task: Task, dirfd: Fd, path: Path, uid: UInt, gid: UInt, flags: Flags) -> int:
    """chown relative to a directory, or of `dirfd` itself with AT_EMPTY_PATH."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise EINVAL(f"unknown flags {flags:#x}")
    if flags & AT_EMPTY_PATH and not path:
        return _chown(task, _writable_itself(task, dirfd), uid, gid)
    follow = not flags & AT_SYMLINK_NOFOLLOW
    return _chown(task, _writable_at(task, dirfd, path, follow=follow), uid, gid)


def _set_times(task: Task, found: _Found, atime_ns: int | None, mtime_ns: int | None) -> int:
    """Set both times; None is `now`, a negative number below any time is `leave it`."""
    inode = found.inode
    inode.check_change(Change.TIMES)
    if atime_ns is None and mtime_ns is None:
        if not owner_or_capable(task.cred, inode):
            permission(task.cred, inode, MAY_WRITE)
    elif not owner_or_capable(task.cred, inode):
        raise EPERM("only the owner sets times other than now")
    now_ns = inode.fs.clock.realtime_ns()
    node = inode.node
    if atime_ns != _OMIT:
        node.atime_ns = now_ns if atime_ns is None else _kept(atime_ns)
    if mtime_ns != _OMIT:
        node.mtime_ns = now_ns if mtime_ns is None else _kept(mtime_ns)
    node.ctime_ns = now_ns
    notice(inode, found.path, _TIME_EVENTS[atime_ns != _OMIT, mtime_ns != _OMIT])
    return 0


def _kept(time_ns: int) -> int:
    # As a file system does whose inodes have 64 bits of nanoseconds, from 1677 to 2262.
    return max(-KTIME_MAX_NS, min(time_ns, KTIME_MAX_NS))


_OMIT = -1 << 80
_TIME_EVENTS = {(True, True): IN_ATTRIB, (True, False): IN_ACCESS, (False, True): IN_MODIFY}
_Times = tuple[int | None, int | None]


def _timeval_pair(task: Task, times: int) -> _Times:
    if not times:
        return None, None
    layout = task.abi.structs.timeval
    pair = []
    for addr in (times, times + layout.SIZE):
        value = task.user.read_record(layout, addr)
        seconds, microseconds = value.tv_sec, value.tv_usec
        if not 0 <= microseconds < US_PER_S:
            raise EINVAL(f"{microseconds} microseconds")
        pair.append(seconds * NS_PER_S + microseconds * 1000)
    return pair[0], pair[1]


def _timespec_pair(task: Task, times: int) -> _Times:
    if not times:
        return None, None
    layout = task.abi.structs.timespec
    pair: list[int | None] = []
    for addr in (times, times + layout.SIZE):
        value = task.user.read_record(layout, addr)
        if value.tv_nsec == UTIME_NOW:
            pair.append(None)
        elif value.tv_nsec == UTIME_OMIT:
            pair.append(_OMIT)
        elif 0 <= value.tv_nsec < NS_PER_S:
            pair.append(value.tv_sec * NS_PER_S + value.tv_nsec)
        else:
            raise EINVAL(f"{value.tv_nsec} nanoseconds")
    return pair[0], pair[1]


@syscall()
def utime(task: Task, path: Path, times: Ptr) -> int:
    """Set access and modification time, in seconds."""
    atime_ns = mtime_ns = None
    if times:
        value = task.user.read_record(task.abi.structs.utimbuf, times)
        atime_ns, mtime_ns = value.actime * NS_PER_S, value.modtime * NS_PER_S
    return _set_times(task, _writable_at(task, AT_FDCWD, path), atime_ns, mtime_ns)


@syscall()
def utimes(task: Task, path: Path, times: Ptr) -> int:
    """Set access and modification time, in microseconds."""
    pair = _timeval_pair(task, times)
    return _set_times(task, _writable_at(task, AT_FDCWD, path), *pair)


def _at_or_open(task: Task, dirfd: int, path: int, flags: int) -> _Found:
    if not path and dirfd != AT_FDCWD:
        if flags:
            raise EINVAL("flags without a path")
        return _writable(task, dirfd)
    name = task.user.cstring(path, _PATH_MAX)
    return _writable_at(task, dirfd, name, follow=not flags & AT_SYMLINK_NOFOLLOW)


@syscall()
def futimesat(task: Task, dirfd: Int, path: Ptr, times: Ptr) -> int:
    """utimes relative to a directory; of `dirfd` itself without a path."""
    pair = _timeval_pair(task, times)
    return _set_times(task, _at_or_open(task, dirfd, path, 0), *pair)


@syscall()
def utimensat(task: Task, dirfd: Int, path: Ptr, times: Ptr, flags: Flags) -> int:
    """Set times in nanoseconds, each of them optionally to now or not at all."""
    pair = _timespec_pair(task, times)
    if pair == (_OMIT, _OMIT):
        return 0
    if flags & ~AT_SYMLINK_NOFOLLOW:
        raise EINVAL(f"unknown flags {flags:#x}")
    return _set_times(task, _at_or_open(task, dirfd, path, flags), *pair)
