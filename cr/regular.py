"""Checkpoint and restart of files that have, or had, a name: regular files, directories, devices.

Image grammar:

    name  =  FILE_NAME  [ FILE_PLACE ]                          ; where the name does not lead to it
    file  =  FILE generic  name  [ unlinked | PROC_FILE ]
    fs    =  FS  name pwd  [ unlinked ]  name root  [ unlinked ]

The image never holds what is in a file; it is opened again by its name. A file whose last name is
gone is the exception (`unlinked.py`).

Mirrors:  linux-cr fs/checkpoint.c -- generic_file_checkpoint, generic_file_restore,
          checkpoint_fname, restore_open_fname; checkpoint_fs, restore_fs.
"""

from __future__ import annotations

from functools import partial

from cr.context import Checkpoint, Restart
from cr.image import task as image_task
from cr.image import types as t
from cr.image.files import File
from cr.mounts import checkpoint_place, name_of, place_at, restore_place
from cr.proc_files import checkpoint_proc, is_of_task, is_place_of_task, restore_text
from cr.unlinked import checkpoint_unlinked, is_removed, restore_unlinked
from emu.printable import printable
from kernel_model.abi.errno import EAGAIN, EBADF, EINVAL, LinuxError
from kernel_model.abi.fcntl import (
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_LARGEFILE,
    O_NOCTTY,
    O_NOFOLLOW,
    O_PATH,
    O_TRUNC,
)
from kernel_model.vfs.fs_struct import FsStruct
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.open import open_found, open_path, open_place
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.path import Walk
from kernel_model.waitqueue import Sleep

_PATH_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW
_CREATION_FLAGS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC
PATH_LIMIT = 4096
_EXTENT_BYTES = 1 << 20


def checkpoint_name(ctx: Checkpoint, path: Path) -> bool:
    """Write the name of a file, as seen from the container's root. False when it has none left.

    A file that was unlinked gets the name that it had, with the mark that /proc shows.
    """
    ctx.image.write_string(t.HDR_FILE_NAME, name_of(ctx, path))
    checkpoint_place(ctx, path)
    return not is_removed(path)


def checkpoint_generic(ctx: Checkpoint, file: OpenFile) -> None:
    """Write what follows the FILE record of a file that is opened by name."""
    path = file.path
    if path is None:
        ctx.refuse(EBADF, "an open file has no name")
    if is_of_task(file):
        checkpoint_proc(ctx, file)
        return
    if not checkpoint_name(ctx, path):
        checkpoint_unlinked(ctx, path)


def restore_generic(ctx: Restart, record: File) -> OpenFile:
    """Open a file by its name, or make the unlinked one that follows."""
    beside_path = record.f_flags & ~_PATH_FLAGS if record.f_flags & O_PATH else 0
    if record.f_flags & _CREATION_FLAGS or beside_path:
        ctx.refuse(f"an open file cannot have the flags {record.f_flags:#o}")
    name = ctx.image.read_string(t.HDR_FILE_NAME, PATH_LIMIT)
    elsewhere = restore_place(ctx)
    if ctx.image.peek() == t.HDR_PROC_FILE:
        return restore_text(ctx, record)
    removed = None
    if ctx.image.peek() == t.HDR_UNLINKED:
        removed = restore_unlinked(ctx, name, elsewhere)
    elif not name.startswith(b"/"):
        ctx.refuse(f"{name!r} is no absolute name")
    flags = record.f_flags | O_NOCTTY | O_LARGEFILE  # it may have grown since it was opened
    try:
        if removed is not None:
            file = open_place(ctx.opener, removed, flags)
        elif elsewhere is not None:
            file = open_found(ctx.opener, place_at(ctx, elsewhere), flags)
        else:
            file = open_path(ctx.opener, name, flags)
    except LinuxError as error:
        shown = printable(name)
        ctx.refuse(f"cannot open {shown}: {error}", errno=error.errno)
    except Sleep:
        ctx.refuse(f"{name!r}: somebody has a lease on it, or a FIFO waits", errno=EAGAIN.errno)
    file.flags &= record.f_flags | ~O_LARGEFILE
    return file


def checkpoint_fs(ctx: Checkpoint, fs: FsStruct) -> None:
    """Write umask, working directory and root."""
    ctx.image.write(t.HDR_FS, image_task.Fs(umask=fs.umask))
    for place in (fs.pwd, fs.root):
        if is_place_of_task(place):
            ctx.refuse(
                EBADF, "a working or root directory in /proc/PID, which comes after its user"
            )
        if checkpoint_name(ctx, place):
            continue
        if place == ctx.root:
            ctx.refuse(EBADF, "the root directory of the tree has no name any more")
        checkpoint_unlinked(ctx, place)


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


def restore_name(ctx: Restart, *, follow: bool = True) -> tuple[bytes, Path]:
    """Read the name of a file, and find it, or make it if the name was its last."""
    name = ctx.image.read_string(t.HDR_FILE_NAME, PATH_LIMIT)
    elsewhere = restore_place(ctx)
    if ctx.image.peek() == t.HDR_UNLINKED:
        return name, restore_unlinked(ctx, name, elsewhere)
    if elsewhere is not None:
        return name, place_at(ctx, elsewhere)
    return name, ctx.attempt(partial(Walk(ctx.opener).resolve, name, follow=follow))
