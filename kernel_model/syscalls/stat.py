"""stat and its relatives, statfs, access, readlink.

One set of values fills every layout; which layout it is, `task.abi.structs` knows. statx is
absent: C libraries then use fstatat.

Mirrors: Linux fs/stat.c, fs/statfs.c, the access(2) part of fs/open.c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emu.layout import Record
from kernel_model.abi.errno import EINVAL, EOVERFLOW, EROFS
from kernel_model.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_SYMLINK_NOFOLLOW,
    MAY_WRITE,
    NAME_MAX,
)
from kernel_model.abi.time import NS_PER_S
from kernel_model.syscalls.declare import Fd, Flags, Int, Path, Ptr, Size, syscall
from kernel_model.syscalls.open import descriptor_itself, start_of
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.path import Walk
from kernel_model.vfs.permission import permission

if TYPE_CHECKING:
    from kernel_model.task import Task

BLOCK_BYTES = 4096
_SHORT_ID = 0xFFFF
_OVERFLOW_ID = 65534


def _seconds(task: Task, time_ns: int) -> int:
    """Whole seconds; 32-bit ABIs keep the low half, whose sign is the reader's business."""
    seconds = time_ns // NS_PER_S
    return seconds & 0xFFFF_FFFF if task.abi.word_bytes == 4 else seconds


def _store_stat(task: Task, inode: Inode, layout: type[Record], statbuf: int) -> int:
    structs = task.abi.structs
    node = inode.node
    size = inode.size
    uid, gid = node.uid, node.gid
    # A symlink's text lies in the inode.
    blocks = 0 if inode.is_dir or inode.is_link else -(-size // BLOCK_BYTES) * (BLOCK_BYTES // 512)
    plain = layout is structs.stat and layout is not structs.stat64
    if plain:
        if max(size, blocks) > structs.stat_limit or node.ino >> 32:
            raise EOVERFLOW(f"{size} bytes or inode {node.ino} do not fit this struct stat")
        if structs.short_ids:
            uid = uid if uid <= _SHORT_ID else _OVERFLOW_ID
            gid = gid if gid <= _SHORT_ID else _OVERFLOW_ID
    values = {
        "st_dev": inode.fs.dev,
        "st_ino": node.ino,
        "st_mode": node.mode,
        "st_nlink": inode.nlink,
        "st_uid": uid,
        "st_gid": gid,
        "st_rdev": node.rdev,
        "st_size": size,
        "st_blksize": inode.fs.block_bytes,
        "st_blocks": blocks,
        "st_atime": _seconds(task, node.atime_ns),
        "st_atime_nsec": node.atime_ns % NS_PER_S,
        "st_mtime": _seconds(task, node.mtime_ns),
        "st_mtime_nsec": node.mtime_ns % NS_PER_S,
        "st_ctime": _seconds(task, node.ctime_ns),
        "st_ctime_nsec": node.ctime_ns % NS_PER_S,
    }
    if structs.short_ino and not plain:
        values["short_ino"] = node.ino & 0xFFFF_FFFF
    task.user.write_record(layout(**values), statbuf)
    return 0


@syscall()
def stat(task: Task, path: Path, statbuf: Ptr) -> int:
    """Attributes of the file at a path."""
    return _store_stat(task, Walk(task).resolve(path).inode, task.abi.structs.stat, statbuf)


@syscall()
def lstat(task: Task, path: Path, statbuf: Ptr) -> int:
    """As stat; a symlink is not followed."""
    inode = Walk(task).resolve(path, follow=False).inode
    return _store_stat(task, inode, task.abi.structs.stat, statbuf)


@syscall()
def fstat(task: Task, fd: Fd, statbuf: Ptr) -> int:
    """Attributes of an open file."""
    return _store_stat(task, task.files.get_raw(fd).inode, task.abi.structs.stat, statbuf)


@syscall()
def stat64(task: Task, path: Path, statbuf: Ptr) -> int:
    """stat with 64-bit sizes."""
    return _store_stat(task, Walk(task).resolve(path).inode, task.abi.structs.stat64, statbuf)


@syscall()
def lstat64(task: Task, path: Path, statbuf: Ptr) -> int:
    """lstat with 64-bit sizes."""
    inode = Walk(task).resolve(path, follow=False).inode
    return _store_stat(task, inode, task.abi.structs.stat64, statbuf)


@syscall()
def fstat64(task: Task, fd: Fd, statbuf: Ptr) -> int:
    """fstat with 64-bit sizes."""
    return _store_stat(task, task.files.get_raw(fd).inode, task.abi.structs.stat64, statbuf)


def _inode_at(task: Task, dirfd: int, path: bytes, flags: int) -> Inode:
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH):
        raise EINVAL(f"unknown flags {flags:#x}")
    if not path and flags & AT_EMPTY_PATH:
        return descriptor_itself(task, dirfd)[0]
    follow = not flags & AT_SYMLINK_NOFOLLOW
    return Walk(task).resolve(path, start_of(task, dirfd, path), follow=follow).inode


@syscall()
def newfstatat(task: Task, dirfd: Fd, path: Path, statbuf: Ptr, flags: Flags) -> int:
    """stat relative to a directory, or of `dirfd` itself with AT_EMPTY_PATH."""
    inode = _inode_at(task, dirfd, path, flags)
    return _store_stat(task, inode, task.abi.structs.stat, statbuf)


@syscall()
def fstatat64(task: Task, dirfd: Fd, path: Path, statbuf: Ptr, flags: Flags) -> int:
    """newfstatat with 64-bit sizes."""
    inode = _inode_at(task, dirfd, path, flags)
    return _store_stat(task, inode, task.abi.structs.stat64, statbuf)


def _store_statfs(task: Task, fs: FileSystem, layout: type[Record], buf: int) -> int:
    total, free = fs.room()
    blocks, left = total // BLOCK_BYTES, free // BLOCK_BYTES
    values = {
        "f_type": fs.magic,
        "f_bsize": BLOCK_BYTES,
        "f_blocks": blocks,
        "f_bfree": left,
        "f_bavail": left,
        "f_files": blocks,
        "f_ffree": left,
        "f_namelen": NAME_MAX,
        "f_frsize": BLOCK_BYTES,
    }
    task.user.write_record(layout(**values), buf)
    return 0


@syscall()
def statfs(task: Task, path: Path, buf: Ptr) -> int:
    """The file system of a path."""
    return _store_statfs(task, Walk(task).resolve(path).mount.fs, task.abi.structs.statfs, buf)


@syscall()
def fstatfs(task: Task, fd: Fd, buf: Ptr) -> int:
    """The file system of an open file."""
    return _store_statfs(task, task.files.get_raw(fd).inode.fs, task.abi.structs.statfs, buf)


def _statfs64_layout(task: Task, size: int) -> type[Record]:
    layout: type[Record] = task.abi.structs.statfs64
    if size != layout.SIZE and (size, layout.SIZE) != (88, 84):
        # A compiler that aligns 64-bit fields to 8 sees 88 bytes where the kernel has 84.
        raise EINVAL(f"struct statfs64 has {layout.SIZE} bytes, not {size}")
    return layout


@syscall()
def statfs64(task: Task, path: Path, size: Size, buf: Ptr) -> int:
    """statfs with 64-bit counts; `size` must be that of the struct."""
    layout = _statfs64_layout(task, size)
    return _store_statfs(task, Walk(task).resolve(path).mount.fs, layout, buf)


@syscall()
def fstatfs64(task: Task, fd: Fd, size: Size, buf: Ptr) -> int:
    """fstatfs with 64-bit counts."""
    layout = _statfs64_layout(task, size)
    return _store_statfs(task, task.files.get_raw(fd).inode.fs, layout, buf)


@dataclass(frozen=True)
class _RealCred:
    """Credentials as access(2) looks at them: real ids; capabilities only if those are root's."""

    fsuid: int
    fsgid: int
    groups: tuple[int, ...]
    capable: bool

    def cap(self, name: str) -> bool:
        """Whether root's override applies."""
        return self.capable


def _access(task: Task, dirfd: int, path: bytes, mode: int) -> int:
    if mode & ~7:
        raise EINVAL(f"access mode {mode:#o}")
    walk = Walk(task)
    cred = task.cred
    walk.cred = _RealCred(cred.uid, cred.gid, cred.groups, cred.uid == 0)
    place = walk.resolve(path, start_of(task, dirfd, path))
    if mode:
        permission(walk.cred, place.inode, mode)
        if mode & MAY_WRITE and place.mount.read_only and not place.inode.node.rdev:
            raise EROFS("the file system is mounted read-only")
    return 0


@syscall()
def access(task: Task, path: Path, mode: Int) -> int:
    """Whether the real user may access a file."""
    return _access(task, AT_FDCWD, path, mode)


@syscall()
def faccessat(task: Task, dirfd: Fd, path: Path, mode: Int) -> int:
    """access relative to a directory (the kernel's call has no flags)."""
    return _access(task, dirfd, path, mode)


def _readlink(task: Task, dirfd: int, path: bytes, buf: int, size: int) -> int:
    if size <= 0:
        raise EINVAL(f"a buffer of {size} bytes")
    place = None if path or dirfd == AT_FDCWD else task.files.get_raw(dirfd).path
    if place is None or not place.inode.is_link:
        place = Walk(task).resolve(path, start_of(task, dirfd, path), follow=False)
    if not place.inode.is_link:
        raise EINVAL("not a symbolic link")
    text = place.inode.readlink(task)[:size]
    task.user.write(buf, text)
    return len(text)


@syscall()
def readlink(task: Task, path: Path, buf: Ptr, size: Int) -> int:
    """The text of a symlink, without a final zero."""
    return _readlink(task, AT_FDCWD, path, buf, size)


@syscall()
def readlinkat(task: Task, dirfd: Fd, path: Path, buf: Ptr, size: Int) -> int:
    """readlink relative to a directory."""
    return _readlink(task, dirfd, path, buf, size)
