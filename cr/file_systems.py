"""Checkpoint and restart of the file systems that mounts show.

Image grammar: see cr.image.mounts; each is

    file-system  =  MOUNT_FS  MOUNT_DATA*       ; the pieces of a tar, if its files are in memory

Device numbers name them. Those of the boot are there already: what their files are, and how they
are set, is changed, and can be put back.

Mirrors:  nothing; linux-cr has no file systems in its images.
"""

from __future__ import annotations

import stat
from io import BytesIO

from cr.context import Checkpoint, Restart
from cr.image import mounts as image
from cr.image import types as t
from kernel_model.tty.devpts import DevPts
from kernel_model.vfs.devices import DevFs
from kernel_model.vfs.disk import Disk, DiskError
from kernel_model.vfs.disk_tar import read_tar, write_tar
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.filesystems import TmpFs, new_tmpfs
from kernel_model.vfs.memfs import MemFs
from kernel_model.vfs.procfs import ProcFs
from kernel_model.vfs.vfs import FIRST_EXTRA_DEV

_PIECE_BYTES = 1 << 20
_LARGEST = 1 << 62
_ANYBODY = 0xFFFFFFFF


def checkpoint_fs(ctx: Checkpoint, fs: FileSystem) -> None:
    """Write how a file system is set, and its files if nothing else keeps them."""
    tar = BytesIO()
    if isinstance(fs, MemFs) and fs is not ctx.kernel.vfs.rootfs:
        fs.sync()
        write_tar(fs.disk, tar)
    content = tar.getvalue()
    pieces = [content[at : at + _PIECE_BYTES] for at in range(0, len(content), _PIECE_BYTES)]
    kinds = {TmpFs: image.FS_TMPFS, DevPts: image.FS_DEVPTS, ProcFs: image.FS_PROC}
    pts = fs if isinstance(fs, DevPts) else None
    record = image.MountFs(
        dev=fs.dev,
        kind=image.FS_FIRST if fs.dev < FIRST_EXTRA_DEV else kinds[type(fs)],
        read_only=int(fs.read_only),
        init=_init_of(ctx, fs),
        capacity_bytes=fs.disk.capacity_bytes if isinstance(fs, TmpFs) else 0,
        slave_mode=pts.mode if pts else 0,
        ptmx_mode=pts.ptmx.mode if pts else 0,
        uid=_ANYBODY if pts is None or pts.uid is None else pts.uid,
        gid=_ANYBODY if pts is None or pts.gid is None else pts.gid,
        nr_pieces=len(pieces),
        size_bytes=len(content),
    )
    ctx.image.write(t.HDR_MOUNT_FS, record)
    for piece in pieces:
        ctx.image.write(t.HDR_MOUNT_DATA, image.MountData(content=piece))


def _init_of(ctx: Checkpoint, fs: FileSystem) -> int:
    if not isinstance(fs, ProcFs) or fs.pid_ns is None or fs.pid_ns.init is None:
        return 0
    init = fs.pid_ns.init
    return 0 if init.exited else ctx.pid_ns.number_of(init.pid)


def restore_fs(ctx: Restart, next_dev: int) -> None:
    """Make a file system, or set one of the boot's as the image has it; `next_dev` is the first
    device number that the image says is free."""
    record = ctx.image.read(t.HDR_MOUNT_FS, image.MountFs)
    known = ctx.mounts.by_dev.get(record.dev)
    first = record.kind == image.FS_FIRST
    if first != (known is not None) or not 0 < record.dev < next_dev:
        ctx.refuse(f"file system {record.dev} is none of the boot's, or is there twice")
    if not first and record.dev < FIRST_EXTRA_DEV:
        ctx.refuse(f"device number {record.dev} is the boot's")
    disk = _restore_files(ctx, record)
    fs = known if known is not None else _new_fs(ctx, record)
    if disk is not None:
        fs = _with_files(ctx, fs, disk)
    if isinstance(fs, TmpFs):
        fs.disk.capacity_bytes = record.capacity_bytes
    if isinstance(fs, DevPts):
        _restore_devpts(ctx, fs, record)
    fs.read_only = bool(record.read_only)
    ctx.mounts.by_dev[record.dev] = fs


def _new_fs(ctx: Restart, record: image.MountFs) -> FileSystem:
    kernel = ctx.kernel
    if record.kind == image.FS_TMPFS:
        if record.capacity_bytes > _LARGEST or not record.nr_pieces:
            ctx.refuse("a tmpfs without files, or of absurd size")
        return new_tmpfs(ctx.opener, record.dev)
    if record.kind == image.FS_DEVPTS:
        return DevPts(kernel.ram, kernel.clock, record.dev)
    fs = kernel.vfs.procs[0].of_namespace(record.dev, None)
    ctx.mounts.inits.append((fs, record.init))
    return fs


def _restore_files(ctx: Restart, record: image.MountFs) -> Disk | None:
    tar = bytearray()
    for _ in range(record.nr_pieces):
        tar += ctx.image.read(t.HDR_MOUNT_DATA, image.MountData).content
        if len(tar) > record.size_bytes:
            break
    if len(tar) != record.size_bytes:
        ctx.refuse("the files of a file system are longer or shorter than it says")
    if not record.nr_pieces:
        return None
    try:
        return read_tar(bytes(tar))
    except DiskError as bad:
        ctx.refuse(str(bad))


def _with_files(ctx: Restart, fs: FileSystem, disk: Disk) -> FileSystem:
    """The same file system with other files; that of the boot stays as it is."""
    if not isinstance(fs, MemFs) or fs is ctx.kernel.vfs.rootfs:
        ctx.refuse("files for a file system that has none in memory")
    if not isinstance(fs, TmpFs):
        fs = fs.twin()
    fs.use(disk)
    if isinstance(fs, DevFs) and fs.program is None:
        ctx.refuse("a /dev without the program of the first process")
    return fs


def _restore_devpts(ctx: Restart, fs: DevPts, record: image.MountFs) -> None:
    if record.slave_mode & ~0o7777 or stat.S_IFMT(record.ptmx_mode) != stat.S_IFCHR:
        ctx.refuse("permissions of a devpts that cannot be")
    fs.mode, fs.ptmx.mode = record.slave_mode, record.ptmx_mode
    fs.uid = None if record.uid == _ANYBODY else record.uid
    fs.gid = None if record.gid == _ANYBODY else record.gid


def settings_of(fs: FileSystem) -> tuple[object, ...]:
    """What a restart changes in a file system of the boot's, to be put back."""
    pts = (fs.mode, fs.uid, fs.gid, fs.ptmx.mode) if isinstance(fs, DevPts) else ()
    return (fs.read_only, *pts)


def put_back(fs: FileSystem, settings: tuple[object, ...]) -> None:
    """The image was refused: as it was."""
    fs.read_only = bool(settings[0])
    if isinstance(fs, DevPts):
        fs.mode, fs.uid, fs.gid, fs.ptmx.mode = settings[1:]  # type: ignore[assignment]
