"""Checkpoint and restart of eventfds.

Image grammar:

    eventfd  =  FileEventfd

Mirrors:  linux-cr fs/eventfd.c -- eventfd_checkpoint, eventfd_restore.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import types as t
from cr.image.files import FileEventfd
from kernel_model.abi.fcntl import O_ACCMODE, O_NONBLOCK, O_RDWR
from kernel_model.eventfd import EFD_SEMAPHORE, MOST, EventFile
from kernel_model.vfs.openfile import OpenFile


def checkpoint_eventfd(ctx: Checkpoint, file: EventFile, common: dict[str, int]) -> None:
    """Write the counter and whether it is a semaphore."""
    flags = (EFD_SEMAPHORE if file.semaphore else 0) | file.flags & O_NONBLOCK
    record = FileEventfd(f_type=t.FILE_EVENTFD, count=file.count, flags=flags, **common)
    ctx.image.write(t.HDR_FILE, record)


def restore_eventfd(ctx: Restart, record: FileEventfd) -> OpenFile:
    """Make an eventfd with that counter."""
    if record.flags & ~(EFD_SEMAPHORE | O_NONBLOCK) or record.count > MOST:
        ctx.refuse(f"an eventfd with flags {record.flags:#o} and count {record.count}")
    if record.f_flags & O_ACCMODE != O_RDWR:
        ctx.refuse("an eventfd is read and written")
    return EventFile(
        ctx.kernel.vfs.anonfs,
        ctx.kernel.abis[0].byte_order,
        record.count,
        semaphore=bool(record.flags & EFD_SEMAPHORE),
        flags=record.flags,
    )
