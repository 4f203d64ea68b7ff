"""Checkpoint and restart of pipes and FIFOs.

A pipe is one inode with two ends, and each end is an ordinary open file. The walk over the
file tables may meet either end first, or meet one end and never the other. The bytes in the
pipe must be written once, and read back before anyone can look.

Image grammar:

    pipe-end  =  FilePipe             [ NAMELESS  bytes ]
    fifo-end  =  FilePipe  FILE_NAME  [ unlinked ]  [ bytes ]     ; bytes after the FIRST end met
    bytes     =  [ PIPE_EXTRA ]  PIPE_BUF           ; ours: another size (F_SETPIPE_SZ)

Mirrors:  linux-cr fs/pipe.c -- pipe_file_checkpoint, pipe_file_restore, fifo_file_restore.
Deviates: the kernel parks the *other end* under `pipe_objref`, because do_pipe() can only make
          both ends at once. We park the pipe itself. The image bytes are the same.
Not modelled: a pure image has no sizes: a pipe that holds more than the default is refused.
"""

from __future__ import annotations

from cr import regular
from cr.context import Checkpoint, Restart
from cr.image import types as t
from cr.image.files import FilePipe
from cr.image.pipes import PipeExtra
from cr.nameless import checkpoint_nameless, restore_nameless
from cr.unlinked import checkpoint_unlinked
from emu.printable import printable
from kernel_model.abi.errno import EBADF, EBUSY
from kernel_model.abi.fcntl import O_ACCMODE, O_NONBLOCK
from kernel_model.fifo import FifoEnd
from kernel_model.pipe import PIPE_CAPACITY, PIPE_CAPACITY_MAX, Pipe, PipeEnd
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.openfile import OpenFile

_EITHER = O_ACCMODE


def checkpoint_end(ctx: Checkpoint, end: PipeEnd, common: dict[str, int]) -> None:
    """Write one end; write the bytes too if this pipe is new to the image."""
    if end.pipe is ctx.image_pipe:
        ctx.refuse(EBUSY, "the image is to be written to a pipe that would be in it")
    objref, first = ctx.objs.intern(end.pipe)
    f_type = t.FILE_PIPE if end.path is None else t.FILE_FIFO
    ctx.image.write(t.HDR_FILE, FilePipe(f_type=f_type, pipe_objref=objref, **common))
    if end.path is not None and not regular.checkpoint_name(ctx, end.path):
        checkpoint_unlinked(ctx, end.path)
    if first:
        if end.path is None:
            checkpoint_nameless(ctx, end.inode)
        if end.pipe.capacity != PIPE_CAPACITY and not ctx.pure:
            ctx.image.write(t.HDR_PIPE_EXTRA, PipeExtra(capacity=end.pipe.capacity))
        elif len(end.pipe.buffer) > PIPE_CAPACITY:
            ctx.refuse(
                EBADF, f"a pipe holds more than {PIPE_CAPACITY} bytes, and the image is to be pure"
            )
        ctx.image.write_blob(t.HDR_PIPE_BUF, bytes(end.pipe.buffer))


class _ParkedPipe:
    """A pipe that was restored, and the inode that its ends share."""

    def __init__(self, pipe: Pipe, inode: Inode) -> None:
        self.pipe = pipe
        self.inode = inode


def restore_pipe_end(ctx: Restart, record: FilePipe) -> OpenFile:
    """Open one end; create and fill the pipe if this is the first end met."""
    if ctx.objs.known(record.pipe_objref):
        parked = ctx.objs.fetch(ctx, record.pipe_objref, t.OBJ_INODE, _ParkedPipe)
    else:
        inode = restore_nameless(ctx, ctx.kernel.vfs.pipefs)
        parked = _fill(ctx, record, Pipe(), inode)
    flags = record.f_flags & (O_ACCMODE | O_NONBLOCK)
    if flags & O_ACCMODE == _EITHER:
        ctx.refuse("a pipe is read, written, or both")
    return PipeEnd(parked.pipe, parked.inode, None, flags)


def restore_fifo_end(ctx: Restart, record: FilePipe) -> OpenFile:
    """Open one end of a FIFO by its name, without waiting for the other side."""
    name, place = regular.restore_name(ctx)
    inode: Inode = place.inode
    if inode.mode & 0o170000 != 0o010000:
        ctx.refuse(f"{printable(name)} is no FIFO")
    if ctx.objs.known(record.pipe_objref):
        parked = ctx.objs.fetch(ctx, record.pipe_objref, t.OBJ_INODE, _ParkedPipe)
    else:
        if inode.pipe is not None and (inode.pipe.readers or inode.pipe.writers):
            ctx.refuse(f"{printable(name)} is in use")
        parked = _fill(ctx, record, Pipe(), inode)
    if record.f_flags & O_ACCMODE == _EITHER:
        ctx.refuse("a FIFO is read, written, or both")
    return FifoEnd(ctx.kernel, parked.pipe, inode, place, record.f_flags)


def _fill(ctx: Restart, record: FilePipe, pipe: Pipe, inode: Inode) -> _ParkedPipe:
    # Read before changing anything: if the image is cut short here, there is nothing to undo.
    if ctx.image.peek() == t.HDR_PIPE_EXTRA:
        pipe.capacity = ctx.image.read(t.HDR_PIPE_EXTRA, PipeExtra).capacity
        privileged = ctx.opener.cred.cap("CAP_SYS_RESOURCE")
        if pipe.capacity > PIPE_CAPACITY_MAX and not privileged:
            ctx.refuse(f"a pipe of {pipe.capacity} bytes needs CAP_SYS_RESOURCE")
    pipe.buffer += ctx.image.read_blob(t.HDR_PIPE_BUF, pipe.capacity)
    parked = _ParkedPipe(pipe, inode)
    ctx.objs.insert(ctx, record.pipe_objref, t.OBJ_INODE, parked)
    return parked
