"""mount, umount, pivot_root: the tree of mounts of the caller's namespace.

Mirrors:  Linux fs/namespace.c (do_mount, do_loopback, do_remount, do_move_mount, do_umount,
          sys_pivot_root).
Deviates: under the root mount there is nothing: the first root can be pivoted, and never detached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_model.abi.errno import (
    EAGAIN,
    EBUSY,
    EINVAL,
    ELOOP,
    ENOENT,
    ENOTDIR,
    EPERM,
    NotModelled,
)
from kernel_model.abi.mount import (
    KEPT,
    MNT_DETACH,
    MNT_EXPIRE,
    MNT_FORCE,
    MS_BIND,
    MS_MGC_MSK,
    MS_MGC_VAL,
    MS_MOVE,
    MS_NOATIME,
    MS_PRIVATE,
    MS_PROPAGATION,
    MS_RDONLY,
    MS_REC,
    MS_RELATIME,
    MS_REMOUNT,
    MS_SILENT,
    MS_STRICTATIME,
    UMOUNT_NOFOLLOW,
)
from kernel_model.syscalls.declare import Flags, Path, Ptr, Size, syscall
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.filesystems import file_system, reconfigure
from kernel_model.vfs.mounts import Mount, MountNamespace, lay_over, take_off
from kernel_model.vfs.mounts import Path as Place
from kernel_model.vfs.path import Walk
from kernel_model.vfs.vfs import open_files, places_in_use

if TYPE_CHECKING:
    from kernel_model.task import Task

Concerned = Callable[[Mount], bool]

_TYPE_LIMIT = _DATA_LIMIT = 4096
_UMOUNT_FLAGS = MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW


def _may_mount(task: Task) -> None:
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("mounting needs CAP_SYS_ADMIN")


def _own(task: Task, place: Place) -> None:
    """Raises EINVAL if a place is not in the caller's mount namespace."""
    if place.mount.namespace is not task.nsproxy.mnt:
        raise EINVAL("the place lies in another mount namespace, or is detached")


def _data(task: Task, addr: int) -> bytes:
    """Up to a page of options, as far as it can be read. Raises EFAULT."""
    if not addr:
        return b""
    count = task.user.readable(addr, _DATA_LIMIT) or 1
    return task.user.read(addr, count).partition(b"\0")[0]


@syscall(partial="mounts are private: sharing and slaves are refused; no file system on a device")
def mount(task: Task, source: Ptr, target: Path, fstype: Ptr, flags: Size, data: Ptr) -> int:
    """Mount a file system, bind, move, or change a mount."""
    kind = task.user.cstring(fstype, _TYPE_LIMIT) if fstype else None
    name = task.user.cstring(source, _DATA_LIMIT) if source else b""
    options = _data(task, data)
    if flags & MS_MGC_MSK == MS_MGC_VAL:
        flags &= ~MS_MGC_MSK
    place = Walk(task).resolve(target)
    _may_mount(task)
    kept = flags & KEPT
    if not flags & MS_NOATIME:
        kept |= MS_RELATIME
    if flags & MS_STRICTATIME:
        kept &= ~(MS_RELATIME | MS_NOATIME)
    if flags & MS_REMOUNT:
        _remount(task, place, kept, options, alone=bool(flags & MS_BIND))
    elif flags & MS_BIND:
        _bind(task, name, place, deep=bool(flags & MS_REC))
    elif flags & MS_PROPAGATION:
        _propagation(place, flags)
    elif flags & MS_MOVE:
        _move(task, name, place)
    else:
        if kind is None:
            raise EINVAL("a mount without a type")
        _own(task, place)
        _new_mount(task, place, file_system(task, kind, options), name or b"none", kept)
    return 0


def _new_mount(task: Task, place: Place, fs: FileSystem, device: bytes, kept: int) -> None:
    try:
        _not_removed(place)
        if place.mount.fs is fs and place.mount.root is place.dentry:
            raise EBUSY("this file system is mounted here already")
        if not place.inode.is_dir:
            raise ENOTDIR("a file system is mounted on a directory")
        if kept & MS_RDONLY:
            fs.read_only = fs in task.kernel.vfs.extra or fs.read_only
        task.nsproxy.mnt.mount(fs, place, device, flags=kept)
    finally:
        task.kernel.vfs.forget_unmounted(task.kernel)


def _not_removed(place: Place) -> None:
    if place.dentry.unlinked:
        raise ENOENT("the directory was removed")


def _bind(task: Task, name: bytes, place: Place, *, deep: bool) -> None:
    if not name:
        raise EINVAL("a bind mount of nothing")
    source = Walk(task).resolve(name)
    _own(task, place)
    _own(task, source)
    _not_removed(place)
    _not_removed(source)
    if place.inode.is_dir != source.inode.is_dir:
        raise ENOTDIR("a directory covers a directory, a file covers a file")
    namespace = task.nsproxy.mnt
    namespace.attach(namespace.copy_tree(source.mount, source.dentry, deep=deep), place)


def _propagation(place: Place, flags: int) -> None:
    kind = flags & ~(MS_REC | MS_SILENT)
    if kind not in (1 << bit for bit in range(17, 21)) or place.dentry is not place.mount.root:
        raise EINVAL(f"propagation {kind:#x} of something that is no mount, or two kinds at once")
    if kind != MS_PRIVATE:
        raise NotModelled("mounts are private here: shared, slave and unbindable are not modelled")


def _must_be_root(place: Place) -> None:
    if place.dentry is not place.mount.root:
        raise EINVAL("nothing is mounted there")


def _remount(task: Task, place: Place, kept: int, options: bytes, *, alone: bool) -> None:
    _own(task, place)
    _must_be_root(place)
    mount = place.mount
    wants_read_only = bool(kept & MS_RDONLY)
    if alone:
        if wants_read_only and not mount.flags & MS_RDONLY:
            _nobody_writes(task, lambda other: other is mount)
    else:
        if wants_read_only and not mount.fs.read_only:
            _nobody_writes(task, lambda other: other.fs is mount.fs)
        reconfigure(task, mount.fs, options)
        mount.fs.read_only = wants_read_only
    mount.flags = kept


def _nobody_writes(task: Task, concerned: Concerned) -> None:
    for file in open_files(task.kernel):
        if file.path is not None and file.may_write and file.inode.is_regular:
            if concerned(file.path.mount):
                raise EBUSY("a file is open for writing")


def _move(task: Task, name: bytes, place: Place) -> None:
    if not name:
        raise EINVAL("a move of nothing")
    source = Walk(task).resolve(name)
    _own(task, place)
    _own(task, source)
    _not_removed(place)
    _must_be_root(source)
    if source.mount.covered is None:
        raise EINVAL("the root mount stays")
    if source.mount.is_above(place.mount):
        raise ELOOP("a mount cannot move into itself")
    task.nsproxy.mnt.move(source.mount, place)


# ---- taking away


def _umount(task: Task, path: bytes, flags: int) -> int:
    if flags & ~_UMOUNT_FLAGS:
        raise EINVAL(f"flags {flags:#x} of umount2")
    namespace = task.nsproxy.mnt
    marked = [mount for mount in namespace if mount.expiring]
    place = Walk(task).resolve(path, follow=not flags & UMOUNT_NOFOLLOW)
    for each in marked:
        each.expiring = each is place.mount  # the walk itself does not count as a use
    _must_be_root(place)
    _own(task, place)
    _may_mount(task)
    mount = place.mount
    if flags & MNT_EXPIRE:
        _expire(task, mount, flags)
    if mount is task.fs.root.mount and not flags & MNT_DETACH:
        _nobody_writes(task, lambda other: other.fs is mount.fs)
        mount.fs.read_only = True
        return 0
    if mount.covered is None:
        raise EINVAL("the root mount stays")
    if not flags & MNT_DETACH and (mount.children or _is_used(task, mount)):
        raise EBUSY("the mount is in use")
    namespace.detach(mount)
    task.kernel.vfs.forget_unmounted(task.kernel)
    return 0


def _expire(task: Task, mount: Mount, flags: int) -> None:
    if mount is task.fs.root.mount or flags & (MNT_FORCE | MNT_DETACH):
        raise EINVAL("the root does not expire; MNT_EXPIRE comes alone")
    if mount.children or _is_used(task, mount):
        raise EBUSY("the mount is in use")
    if not mount.expiring:
        mount.expiring = True
        raise EAGAIN("the mount is marked now")


def _is_used(task: Task, mount: Mount) -> bool:
    return any(place.mount is mount for place in places_in_use(task.kernel))


@syscall()
def umount2(task: Task, target: Path, flags: Flags) -> int:
    """Take a mount away; MNT_DETACH even if it is in use."""
    return _umount(task, target, flags)


@syscall()
def umount(task: Task, target: Path) -> int:
    """umount2 without flags."""
    return _umount(task, target, 0)


@syscall()
def pivot_root(task: Task, new_root: Path, put_old: Path) -> int:
    """Make a mount the root of the namespace, and lay the old root over a directory in it."""
    _may_mount(task)
    new, old, root = Walk(task).resolve(new_root), Walk(task).resolve(put_old), task.fs.root
    for place in (new, old):
        if not place.inode.is_dir:
            raise ENOTDIR("a root is a directory")
        _not_removed(place)
    _own(task, root)
    _own(task, new)
    if root.mount in (new.mount, old.mount):
        raise EBUSY("the new root lies on the same mount as the old one")
    for place in (root, new):
        _must_be_root(place)
    if not _reachable(old, new):
        raise EINVAL("the place for the old root is not below the new one")
    _pivot(task.nsproxy.mnt, root.mount, new.mount, old)
    for other in task.kernel.tasks.values():
        if not other.exited:
            fs = other.fs
            fs.root = new if fs.root == root else fs.root
            fs.pwd = new if fs.pwd == root else fs.pwd
    return 0


def _reachable(place: Place, top: Place) -> bool:
    while place.mount is not top.mount:
        if place.mount.covered is None:
            return False
        place = place.mount.covered
    return top.dentry.holds(place.dentry)


def _pivot(namespace: MountNamespace, root: Mount, new: Mount, old: Place) -> None:
    take_off(new)
    if root.covered is None:
        namespace.root_mount = new
    else:
        place = root.covered
        take_off(root)
        lay_over(new, place)
    lay_over(root, old)
