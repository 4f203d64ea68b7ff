"""Checkpoint and restart of files that have, or had, a name: regular files, directories, devices.

Image grammar:

    name  =  FILE_NAME  [ FILE_PLACE ]                          ; where the name does not lead to it
    file  =  FILE generic  name  [ UNLINKED { UNLINKED_DATA } [ FILE_SEALS ] | PROC_FILE ]
    fs    =  FS  name pwd  name root

The image never holds what is in a file; it is opened again by its name. A file whose last name is
gone is the exception: its attributes and bytes follow in records of ours, once for each inode.

Mirrors:  linux-cr fs/checkpoint.c -- generic_file_checkpoint, generic_file_restore,
          checkpoint_fname, restore_open_fname; checkpoint_fs, restore_fs.
Deviates: the original refused unlinked files (EBADF); so do we in pure images.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import task as image_task
from cr.image import types as t
from cr.image.files import File
from cr.image.mounts import FilePlace
from cr.image.watches import FileSeals
from cr.mounts import checkpoint_place, name_of, place_at, restore_place
from cr.proc_files import checkpoint_proc, is_of_task, restore_text
from kernel_model.abi.errno import EAGAIN, EBADF, EINVAL, LinuxError
from kernel_model.abi.fcntl import O_CREAT, O_EXCL, O_NOCTTY, O_PATH, O_TRUNC
from kernel_model.vfs.disk import DiskNode
from kernel_model.vfs.fs_struct import FsStruct
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Dentry, Path
from kernel_model.vfs.open import open_found, open_path, open_place
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.path import Walk
from kernel_model.waitqueue import Sleep

_CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC
PATH_LIMIT = 4096
_EXTENT_BYTES = 1 << 20
_MAX_FILE_BYTES = 1 << 40


def checkpoint_name(ctx: Checkpoint, path: Path) -> bool:
    """Write the name of a file, as seen from the container's root. False when it has none left.

    A file that was unlinked gets the name that it had, with the mark that /proc shows.
    """
    ctx.image.write_string(t.HDR_FILE_NAME, name_of(ctx, path))
    checkpoint_place(ctx, path)
    return not _is_removed(path)


def _is_removed(path: Path) -> bool:
    """Whether the name is gone, or a directory above it is."""
    dentry: Dentry | None = path.dentry
    while dentry is not None and not dentry.unlinked:
        dentry = dentry.parent
    return dentry is not None


def checkpoint_generic(ctx: Checkpoint, file: OpenFile) -> None:
    """Write what follows the FILE record of a file that is opened by name."""
    path = file.path
    if path is None:
        ctx.refuse(EBADF, "an open file has no name")
    if is_of_task(file):
        checkpoint_proc(ctx, file)
        return
    if checkpoint_name(ctx, path):
        return
    if ctx.pure:
        ctx.refuse(EBADF, "an open file was unlinked, and the image is to be pure")
    inode = file.inode
    if not _may_be_nameless(inode.node.mode):
        ctx.refuse(EBADF, "an open device was unlinked")
    _checkpoint_unlinked(ctx, inode)


def _checkpoint_unlinked(ctx: Checkpoint, inode: Inode) -> None:
    node = inode.node
    objref, first = ctx.objs.intern(inode)
    size = node.size
    inode.sync()
    extents = list(_extents(node)) if first and stat.S_ISREG(node.mode) else []
    record = ours.Unlinked(
        objref=objref,
        mode=node.mode,
        uid=node.uid,
        gid=node.gid,
        rdev=node.rdev,
        size=size,
        atime_ns=node.atime_ns,
        mtime_ns=node.mtime_ns,
        ctime_ns=node.ctime_ns,
        ino=node.ino,
        nr_extents=len(extents),
    )
    ctx.image.write(t.HDR_UNLINKED, record)
    for offset, content in extents:
        ctx.image.write(t.HDR_UNLINKED_DATA, ours.UnlinkedData(offset=offset, content=content))
    if first and inode.seals is not None:
        ctx.image.write(t.HDR_FILE_SEALS, FileSeals(seals=inode.seals))


def _may_be_nameless(mode: int) -> bool:
    """Files and directories (which are empty then) can go on without a name."""
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _extents(node: DiskNode) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of what a file keeps, in records of sensible size."""
    for offset, data in node.extents():
        for start in range(0, len(data), _EXTENT_BYTES):
            yield offset + start, data[start : start + _EXTENT_BYTES]


def restore_generic(ctx: Restart, record: File) -> OpenFile:
    """Open a file by its name, or make the unlinked one that follows."""
    if record.f_flags & _CREATION_FLAGS or record.f_flags & O_PATH:
        ctx.refuse(f"an open file cannot have the flags {record.f_flags:#o}")
    name = ctx.image.read_string(t.HDR_FILE_NAME, PATH_LIMIT)
    elsewhere = restore_place(ctx)
    if ctx.image.peek() == t.HDR_PROC_FILE:
        return restore_text(ctx, record)
    if ctx.image.peek() == t.HDR_UNLINKED:
        return _restore_unlinked(ctx, record, name.removesuffix(b" (deleted)"), elsewhere)
    if not name.startswith(b"/"):
        ctx.refuse(f"{name!r} is no absolute name")
    try:
        if elsewhere is not None:
            file = open_found(ctx.opener, place_at(ctx, elsewhere), record.f_flags | O_NOCTTY)
        else:
            file = open_path(ctx.opener, name, record.f_flags | O_NOCTTY)
    except LinuxError as error:
        shown = name.decode(errors="replace")
        ctx.refuse(f"cannot open {shown}: {error}", errno=error.errno)
    except Sleep:
        ctx.refuse(f"{name!r}: somebody has a lease on it, or a FIFO waits", errno=EAGAIN.errno)
    return file


def _restore_unlinked(
    ctx: Restart, record: File, name: bytes, elsewhere: FilePlace | None
) -> OpenFile:
    unlinked = ctx.image.read(t.HDR_UNLINKED, ours.Unlinked)
    if not _may_be_nameless(unlinked.mode) or unlinked.size > _MAX_FILE_BYTES:
        ctx.refuse("only a file of sensible size or a directory can be without a name")
    if stat.S_ISDIR(unlinked.mode) and (unlinked.size or unlinked.nr_extents):
        ctx.refuse("a directory without a name is empty")
    if ctx.objs.known(unlinked.objref):
        place = ctx.objs.fetch(ctx, unlinked.objref, t.OBJ_INODE, Path)
    else:
        place = ctx.attempt(lambda: _make_unlinked(ctx, unlinked, name, elsewhere))
    for _ in range(unlinked.nr_extents):
        extent = ctx.image.read(t.HDR_UNLINKED_DATA, ours.UnlinkedData)
        if extent.offset + len(extent.content) > unlinked.size:
            ctx.refuse("data behind the end of an unlinked file")
        ctx.attempt(partial(_store, place.inode, extent))
    if ctx.image.peek() == t.HDR_FILE_SEALS:
        place.inode.seals = ctx.image.read(t.HDR_FILE_SEALS, FileSeals).seals
    node = place.inode.node
    node.mtime_ns, node.ctime_ns = unlinked.mtime_ns, unlinked.ctime_ns
    file: OpenFile = ctx.attempt(lambda: open_place(ctx.opener, place, record.f_flags))
    return file


def _make_unlinked(
    ctx: Restart, unlinked: ours.Unlinked, name: bytes, elsewhere: FilePlace | None
) -> Path:
    mount = ctx.mounts.by_number[elsewhere.mount] if elsewhere is not None else None
    shown = elsewhere.path if elsewhere is not None else name
    place = ctx.kernel.vfs.nameless(unlinked.mode, unlinked.ino, shown, mount)
    node = place.inode.node
    node.uid, node.gid = unlinked.uid, unlinked.gid
    node.atime_ns = unlinked.atime_ns
    if stat.S_ISREG(unlinked.mode):
        node.resize(unlinked.size)
    ctx.objs.insert(ctx, unlinked.objref, t.OBJ_INODE, place, place.inode.forget_if_unused)
    return place


def _store(inode: Inode, extent: ours.UnlinkedData) -> None:
    inode.fs.reserve(inode.node.growth(extent.offset, len(extent.content)))
    inode.node.store(extent.offset, extent.content)


def checkpoint_fs(ctx: Checkpoint, fs: FsStruct) -> None:
    """Write umask, working directory and root."""
    ctx.image.write(t.HDR_FS, image_task.Fs(umask=fs.umask))
    for place in (fs.pwd, fs.root):
        if not checkpoint_name(ctx, place):
            ctx.refuse(EBADF, "a working directory or root directory has no name any more")


def restore_fs(ctx: Restart) -> FsStruct:
    """Find working directory and root again."""
    record = ctx.image.read(t.HDR_FS, image_task.Fs)
    places = []
    for _ in range(2):
        name, place = restore_name(ctx)
        if not place.inode.is_dir:
            ctx.refuse(f"{name!r} is no directory", errno=EINVAL.errno)
        places.append(place)
    return FsStruct(places[1], places[0], record.umask)


def restore_name(ctx: Restart) -> tuple[bytes, Path]:
    """Read the name of a file, and find it."""
    name = ctx.image.read_string(t.HDR_FILE_NAME, PATH_LIMIT)
    elsewhere = restore_place(ctx)
    if elsewhere is not None:
        return name, place_at(ctx, elsewhere)
    return name, ctx.attempt(partial(Walk(ctx.opener).resolve, name))
