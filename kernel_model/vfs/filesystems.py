"""Which file systems can be mounted: from a type's name and mount(2)'s data to a `FileSystem`.

A tmpfs is new at every mount, and a devpts with `newinstance`; proc is one for each pid namespace,
all others are one for the kernel, however often they are mounted.

Mirrors:  Linux fs/super.c (get_sb_nodev, get_sb_single), mm/shmem.c (shmem_parse_options),
          fs/devpts/inode.c (parse_mount_options), kernel/cgroup.c (parse_cgroupfs_options).
Not modelled: file systems on devices; quotas, nr_inodes and mpol of tmpfs; cgroup controllers
          other than the freezer.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from emu.memory import PAGE_SIZE
from kernel_model.abi.errno import EINVAL, ENODEV, ENOENT
from kernel_model.tty.devpts import DevPts
from kernel_model.vfs.disk import Disk
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.memfs import MemFs

if TYPE_CHECKING:
    from kernel_model.task import Task

_SUFFIXES = {b"k": 10, b"m": 20, b"g": 30}
_LARGEST = 1 << 62


class TmpFs(MemFs):
    """A tmpfs: a disk of its own, in memory."""

    default_bytes = 0
    """What it may hold if nobody says: half of the memory."""

    def options(self) -> bytes:
        """size= and mode=, uid=, gid= where they are not what they are by default."""
        node, shown = self.root.node, b""
        if self.disk.capacity_bytes != self.default_bytes:
            shown += b",size=%dk" % (self.disk.capacity_bytes >> 10)
        if node.mode & 0o7777 != 0o1777:
            shown += b",mode=%o" % (node.mode & 0o7777)
        return shown + _ids(node.uid, node.gid)


def _ids(uid: int, gid: int) -> bytes:
    return (b",uid=%d" % uid if uid else b"") + (b",gid=%d" % gid if gid else b"")


def new_tmpfs(task: Task, dev: int) -> TmpFs:
    """An empty one, of default size."""
    kernel = task.kernel
    fs = TmpFs(Disk.empty(), kernel.ram, kernel.clock, dev)
    fs.default_bytes = fs.disk.capacity_bytes = kernel.ram.frame_count // 2 * PAGE_SIZE
    return fs


def _options(data: bytes) -> list[tuple[bytes, bytes]]:
    pairs = (each.partition(b"=") for each in data.split(b",") if each)
    return [(name, value) for name, _, value in pairs]


def _number(value: bytes, base: int = 10) -> int:
    # int() would also take signs, spaces and underscores.
    if not value.isdigit() or (base == 8 and re.search(rb"[89]", value)):
        raise EINVAL(f"{value!r} is no number")
    return int(value, base)


def _id(value: bytes) -> int:
    number = _number(value)
    if number >> 31:
        raise EINVAL(f"there is nobody with the number {number}")
    return number


def _pages(task: Task, value: bytes, unit: int) -> int:
    if value.endswith(b"%"):
        pages = task.kernel.ram.frame_count * _number(value[:-1]) // 100
    else:
        shift = _SUFFIXES.get(value[-1:].lower(), 0)
        pages = -(-(_number(value[:-1] if shift else value) << shift) * unit // PAGE_SIZE)
    if pages * PAGE_SIZE >= _LARGEST:
        raise EINVAL(f"a size of {pages} pages")
    return pages


def set_tmpfs_options(task: Task, fs: TmpFs, data: bytes) -> None:
    """size=, nr_blocks=, mode=, uid=, gid=; all are looked at before anything is changed."""
    node = fs.root.node
    size, mode, uid, gid = fs.disk.capacity_bytes, node.mode, node.uid, node.gid
    for name, value in _options(data):
        if name == b"size":
            size = _pages(task, value, 1) * PAGE_SIZE or _LARGEST
        elif name == b"nr_blocks":
            size = _pages(task, value, PAGE_SIZE) * PAGE_SIZE or _LARGEST
        elif name == b"mode":
            mode = stat.S_IFDIR | (_number(value, 8) & 0o7777)
        elif name == b"uid":
            uid = _id(value)
        elif name == b"gid":
            gid = _id(value)
        else:
            raise EINVAL(f"tmpfs has no option {name!r}")
    if size < fs.disk.used_bytes:
        raise EINVAL(f"{fs.disk.used_bytes} bytes are stored already")
    fs.disk.capacity_bytes = size
    node.mode, node.uid, node.gid = mode, uid, gid


def set_devpts_options(fs: DevPts, data: bytes) -> None:
    """mode=, uid=, gid=, ptmxmode=, max=; newinstance has been looked at before."""
    mode, ptmx, uid, gid = fs.mode, fs.ptmx.mode, fs.uid, fs.gid
    for name, value in _options(data):
        if name == b"mode":
            mode = _number(value, 8) & 0o7777
        elif name == b"ptmxmode":
            ptmx = stat.S_IFCHR | (_number(value, 8) & 0o7777)
        elif name == b"uid":
            uid = _id(value)
        elif name == b"gid":
            gid = _id(value)
        elif name != b"newinstance":
            raise EINVAL(f"devpts has no option {name!r}")
    fs.mode, fs.ptmx.mode, fs.uid, fs.gid = mode, ptmx, uid, gid


# ---- mounting


def _tmpfs(task: Task, data: bytes) -> FileSystem:
    fs = new_tmpfs(task, task.kernel.vfs.next_dev)
    fs.root.node.mode = stat.S_IFDIR | 0o1777
    set_tmpfs_options(task, fs, data)
    fs.root.node.atime_ns = fs.root.node.mtime_ns = fs.root.node.ctime_ns = fs.clock.realtime_ns()
    task.kernel.vfs.add(fs)
    return fs


def _devpts(task: Task, data: bytes) -> FileSystem:
    vfs = task.kernel.vfs
    if (b"newinstance", b"") not in _options(data):
        set_devpts_options(vfs.devpts, data)
        return vfs.devpts
    fs = DevPts(task.kernel.ram, task.kernel.clock, vfs.next_dev)
    fs.ptmx.mode = stat.S_IFCHR
    set_devpts_options(fs, data)
    vfs.add(fs)
    return fs


def _proc(task: Task, data: bytes) -> FileSystem:
    for name, value in _options(data):
        if name not in (b"hidepid", b"gid") or not value.isdigit() or int(value):
            raise EINVAL(f"proc has no option {name!r} but those of everybody")
    return task.kernel.vfs.proc_of(task.pid_ns)


def _sysfs(task: Task, data: bytes) -> FileSystem:
    return task.kernel.vfs.sysfs


def _devtmpfs(task: Task, data: bytes) -> FileSystem:
    return task.kernel.vfs.devfs


def _cgroup(task: Task, data: bytes) -> FileSystem:
    for name, _ in _options(data):
        if name not in (b"freezer", b"all"):
            raise ENOENT(f"there is no cgroup controller {name!r}")
    return task.kernel.vfs.cgroupfs


Maker = Callable[["Task", bytes], FileSystem]
TYPES: Mapping[bytes, Maker] = MappingProxyType(
    {
        b"cgroup": _cgroup,
        b"devpts": _devpts,
        b"devtmpfs": _devtmpfs,
        b"proc": _proc,
        b"sysfs": _sysfs,
        b"tmpfs": _tmpfs,
    }
)


def file_system(task: Task, name: bytes, data: bytes) -> FileSystem:
    """The file system that a mount of this type shows. Raises ENODEV, EINVAL, ENOENT."""
    maker = TYPES.get(name)
    if maker is None:
        raise ENODEV(f"there is no file system {name!r}")
    return maker(task, data)


def reconfigure(task: Task, fs: FileSystem, data: bytes) -> None:
    """MS_REMOUNT with new options. Raises EINVAL."""
    if isinstance(fs, TmpFs):
        set_tmpfs_options(task, fs, data)
    elif isinstance(fs, DevPts):
        set_devpts_options(fs, data)
