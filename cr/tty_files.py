"""Checkpoint and restart of open terminals.

Image grammar:

    tty-file  =  [ OBJREF tty master ]  [ OBJREF tty slave ]  FILE tty  [ TTY_FILE ]

Mirrors:  linux-cr drivers/tty/tty_io.c -- tty_file_checkpoint, tty_file_restore.
Deviates: TTY_FILE is ours: a name that is not the usual one (/dev/tty), one that is gone, a file
          that hung up before its terminal was opened again.
"""

from __future__ import annotations

import stat
from dataclasses import replace

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from cr.image.files import FileTty
from cr.image.mounts import FilePlace
from cr.mounts import checkpoint_place, name_of, place_at, restore_place
from cr.terminals import checkpoint_tty
from kernel_model.abi.errno import ENOSYS
from kernel_model.abi.fcntl import O_ACCMODE, O_RDWR, device_of
from kernel_model.tty.file import TtyFile
from kernel_model.tty.terminal import Kind, Tty
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Dentry, Path
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.path import Walk, is_reachable

_PTY_MAJOR = 136


# ---- checkpoint


def checkpoint_tty_file(ctx: Checkpoint, file: TtyFile, common: dict[str, int]) -> None:
    """Write an open terminal; the terminal first, if it is new to the image."""
    objref = checkpoint_tty(ctx, file.tty)
    ctx.image.write(t.HDR_FILE, FileTty(f_type=t.FILE_TTY, tty_objref=objref, **common))
    path = file.path
    if path is None:
        ctx.refuse(ENOSYS, "an open terminal without a name")
    unlinked = path.dentry.unlinked
    name = b"" if unlinked else name_of(ctx, path)
    if ctx.pure or (
        name == _usual_name(file.tty) and not file.hung_up and is_reachable(path, ctx.root)
    ):
        return
    record = ours.TtyFile(hung_up=int(file.hung_up), unlinked=int(unlinked), name=name)
    ctx.image.write(t.HDR_TTY_FILE, record)
    checkpoint_place(ctx, path)


def _usual_name(tty: Tty) -> bytes:
    if tty.kind is Kind.SLAVE:
        return b"/dev/pts/%d" % tty.index
    return b"/dev/pts/ptmx" if tty.kind is Kind.MASTER else b"/dev/console"


# ---- restart


def restore_tty_file(ctx: Restart, record: FileTty) -> OpenFile:
    """Open a terminal that was restored before."""
    tty = ctx.objs.fetch(ctx, record.tty_objref, t.OBJ_TTY, Tty)
    extra = ours.TtyFile(hung_up=0, unlinked=0, name=_usual_name(tty))
    elsewhere = None
    if ctx.image.peek() == t.HDR_TTY_FILE:
        extra = ctx.image.read(t.HDR_TTY_FILE, ours.TtyFile)
        elsewhere = restore_place(ctx)
    elif tty.hung_up:
        extra = replace(extra, hung_up=1, unlinked=1)
    if record.f_flags & O_ACCMODE == O_ACCMODE:
        ctx.refuse("a terminal is read, written, or both")
    place = _place(ctx, tty, extra, elsewhere)
    hung_up, closed = tty.hung_up, tty.link.other_closed if tty.link is not None else False
    if tty.kind is Kind.MASTER:
        file = ctx.masters.pop(tty, None)
        if file is None:
            ctx.refuse("a master has one open file")
        if record.f_flags & O_ACCMODE != O_RDWR:
            ctx.masters[tty] = file
            ctx.refuse("a master is open for reading and writing")
        file.path = place
    else:
        file = TtyFile(tty, place.inode, place, record.f_flags)
        tty.hung_up = hung_up
        if tty.link is not None and closed and file.hung_up:
            tty.link.other_closed = closed
    file.hung_up = bool(extra.hung_up)
    return file


def _place(ctx: Restart, tty: Tty, extra: ours.TtyFile, elsewhere: FilePlace | None) -> Path:
    if extra.unlinked:
        if tty.node is None:
            ctx.refuse("only the name of a slave can be gone")
        devpts = tty.devpts
        mounts = sorted(ctx.mounts.by_number.values(), key=lambda mount: mount.number)
        mount = next((each for each in mounts if each.fs is devpts), None)
        if elsewhere is not None:
            mount = ctx.mounts.by_number[elsewhere.mount]
        if mount is None or mount.fs is not devpts:
            ctx.refuse("a terminal's name is in another file system")
        dentry = Dentry(mount.root, b"%d" % tty.index, Inode(devpts, tty.node))
        dentry.unlinked = True
        return Path(mount, dentry)
    place: Path
    if elsewhere is not None:
        place = place_at(ctx, elsewhere)
    else:
        place = ctx.attempt(lambda: Walk(ctx.opener).resolve(extra.name))
    node = place.inode.node
    number = device_of(node.rdev)
    right = number == (5, 0) if tty.kind is not Kind.MASTER else number == (5, 2)
    right = right or (tty.kind is Kind.SLAVE and number == (_PTY_MAJOR, tty.index))
    right = right or (tty.kind is Kind.CONSOLE and number == (5, 1))
    if not stat.S_ISCHR(node.mode) or not right:
        ctx.refuse(f"{extra.name!r} is not this terminal")
    return place
