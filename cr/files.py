"""Checkpoint and restart of open files and of the tables that number them.

Image grammar:

    file-table  =  FILE_TABLE  { [ OBJREF file ]  FILE_DESC }  { epoll-items | queues }
                   { RECORD_LOCK }  { FILE_LEASE }  { DIRECTORY_NOTIFY }
    file        =  FILE  what its kind adds  [ FILE_OWNER ]  [ FILE_FLOCK ]

Every open file begins with the same prefix; what follows is decided at checkpoint by what the
file is, and at restart by what the image says.

Mirrors:  linux-cr fs/checkpoint.c -- checkpoint_file_common, checkpoint_file_desc,
          do_checkpoint_file_table, do_restore_file_table, restore_file_common.
Deviates: the opener's credentials are not kept by our files; f_credref is the task's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cr import (
    epoll,
    eventfd,
    locks,
    pipe,
    proc_files,
    regular,
    socket_queues,
    sockets,
    timers,
    tty_files,
    watches,
)
from cr.context import Checkpoint, Restart
from cr.creds import checkpoint_cred
from cr.image import files as image
from cr.image import types as t
from cr.security import check_label
from kernel_model.abi.errno import EBADF, EMFILE
from kernel_model.abi.fcntl import O_ACCMODE
from kernel_model.epoll import EpollFile
from kernel_model.eventfd import EventFile
from kernel_model.inotify import InotifyFile
from kernel_model.net.sockfs import SocketFile
from kernel_model.pidfd import PidFile
from kernel_model.pipe import PipeEnd
from kernel_model.signalfd import SignalFile
from kernel_model.timerfd import TimerFile
from kernel_model.tty.file import TtyFile
from kernel_model.vfs.cgroupfs import GroupOpenFile
from kernel_model.vfs.devices import ConsoleFile, NullFile, RandomFile
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.ns_file import NamespaceFile
from kernel_model.vfs.openfile import DirectoryFile, OpenFile, PathFile, RegularFile
from kernel_model.vfs.proc_nodes import NumberFile, TextFile

FMODE_READ, FMODE_WRITE, FMODE_LSEEK, FMODE_PREAD, FMODE_PWRITE = 1, 2, 4, 8, 16
_NR_OPEN = 1024 * 1024


def _mode(file: OpenFile) -> int:
    access = file.flags & O_ACCMODE
    mode = (FMODE_READ if access in (0, 2) else 0) | (FMODE_WRITE if access in (1, 2) else 0)
    return mode | (FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE if file.seekable else 0)


def checkpoint_file(ctx: Checkpoint, file: OpenFile) -> None:
    """Write one open file."""
    assert ctx.task is not None
    credref = ctx.write_object(t.OBJ_CRED, ctx.task.cred, checkpoint_cred)
    common = {
        "f_mode": _mode(file),
        "f_flags": file.flags,
        "f_credref": credref,
        "f_pos": file.position,
        "f_version": 0,
        "f_secref": 0,
    }
    kinds = type(file).__mro__
    write = next((_CHECKPOINT[kind] for kind in kinds if kind in _CHECKPOINT), None)
    if write is None:
        ctx.refuse(EBADF, f"files of the kind {type(file).__name__} cannot be checkpointed")
    write(ctx, file, common)
    locks.checkpoint_owner(ctx, file)
    locks.checkpoint_flock(ctx, file)


def _checkpoint_generic(ctx: Checkpoint, file: OpenFile, common: dict[str, int]) -> None:
    ctx.image.write(t.HDR_FILE, image.FileGeneric(f_type=t.FILE_GENERIC, **common))
    regular.checkpoint_generic(ctx, file)


def _checkpoint_path(ctx: Checkpoint, file: OpenFile, common: dict[str, int]) -> None:
    if ctx.pure:
        ctx.refuse(EBADF, "a descriptor was opened with O_PATH, and the image is to be pure")
    _checkpoint_generic(ctx, file, common)


_CHECKPOINT: dict[type[OpenFile], Callable[[Checkpoint, Any, dict[str, int]], None]] = {
    ConsoleFile: _checkpoint_generic,
    DirectoryFile: _checkpoint_generic,
    EpollFile: epoll.checkpoint_epoll,
    EventFile: eventfd.checkpoint_eventfd,
    GroupOpenFile: _checkpoint_generic,
    InotifyFile: watches.checkpoint_inotify,
    NamespaceFile: proc_files.checkpoint_namespace_file,
    NullFile: _checkpoint_generic,
    NumberFile: _checkpoint_generic,
    PathFile: _checkpoint_path,
    PidFile: watches.checkpoint_pidfd,
    PipeEnd: pipe.checkpoint_end,
    RandomFile: _checkpoint_generic,
    RegularFile: _checkpoint_generic,
    SignalFile: timers.checkpoint_signalfd,
    SocketFile: sockets.checkpoint_socket_file,
    TextFile: _checkpoint_generic,
    TimerFile: timers.checkpoint_timerfd,
    TtyFile: tty_files.checkpoint_tty_file,
}


def restore_file(ctx: Restart) -> OpenFile:
    """Open one file again."""
    f_type = int.from_bytes(ctx.image.peek_payload(4), ctx.abi.byte_order)
    restore = _RESTORE.get(f_type)
    cls = image.file_class(f_type)
    if restore is None or cls is None:
        ctx.refuse(f"open files of type {f_type} are not modelled", errno=EBADF.errno)
    record = ctx.image.read(t.HDR_FILE, cls)
    check_label(ctx, record.f_secref)
    file: OpenFile = restore(ctx, record)
    try:
        _restore_common(ctx, record, file)
        locks.restore_owner(ctx, file)
        locks.restore_flock(ctx, file)
    except BaseException:
        file.drop()
        raise
    return file


def _restore_common(ctx: Restart, record: image.File, file: OpenFile) -> None:
    access = record.f_mode & (FMODE_READ | FMODE_WRITE)
    if access != _mode(file) & (FMODE_READ | FMODE_WRITE):
        ctx.refuse("the mode of an open file and its flags do not agree")
    if file.seekable:
        if record.f_pos >= 1 << 63:
            ctx.refuse(f"a file position of {record.f_pos}")
        file.position = record.f_pos
    file.flags = record.f_flags


_RESTORE: dict[int, Callable[[Restart, Any], OpenFile]] = {
    t.FILE_GENERIC: regular.restore_generic,
    t.FILE_PIPE: pipe.restore_pipe_end,
    t.FILE_FIFO: pipe.restore_fifo_end,
    t.FILE_SOCKET: sockets.restore_socket_file,
    t.FILE_EVENTFD: eventfd.restore_eventfd,
    t.FILE_EPOLL: epoll.restore_epoll,
    t.FILE_TIMERFD: timers.restore_timerfd,
    t.FILE_SIGNALFD: timers.restore_signalfd,
    t.FILE_INOTIFY: watches.restore_inotify,
    t.FILE_PIDFD: watches.restore_pidfd,
    t.FILE_TTY: tty_files.restore_tty_file,
    t.FILE_NAMESPACE: proc_files.restore_namespace_file,
}


def checkpoint_table(ctx: Checkpoint, table: FdTable) -> None:
    """Write a table: each file before its first descriptor."""
    entries = sorted(table.items())
    ctx.image.write(t.HDR_FILE_TABLE, image.FileTable(fdt_nfds=len(entries)))
    for fd, file in entries:
        objref = ctx.write_object(t.OBJ_FILE, file, checkpoint_file)
        record = image.FileDesc(
            fd_objref=objref, fd_descriptor=fd, fd_close_on_exec=int(fd in table.close_on_exec)
        )
        ctx.image.write(t.HDR_FILE_DESC, record)
    while ctx.files_deferred:
        waiting = ctx.files_deferred.pop(0)
        if isinstance(waiting, EpollFile):
            epoll.checkpoint_items(ctx, waiting)
        else:
            socket_queues.checkpoint_queues(ctx, waiting)
    locks.checkpoint_record_locks(ctx, table)
    locks.checkpoint_leases(ctx, table)
    watches.checkpoint_notify(ctx, table)


def restore_table(ctx: Restart) -> FdTable:
    """Build a table aside."""
    record = ctx.image.read(t.HDR_FILE_TABLE, image.FileTable)
    if record.fdt_nfds > _NR_OPEN:
        ctx.refuse(f"{record.fdt_nfds} open files", errno=EMFILE.errno)
    table = FdTable()
    try:
        last = -1
        for _ in range(record.fdt_nfds):
            entry = ctx.image.read(t.HDR_FILE_DESC, image.FileDesc)
            if not last < entry.fd_descriptor < _NR_OPEN:
                ctx.refuse(f"descriptor {entry.fd_descriptor} is out of order or too large")
            last = entry.fd_descriptor
            file = ctx.objs.fetch(ctx, entry.fd_objref, t.OBJ_FILE, OpenFile)
            cloexec = bool(entry.fd_close_on_exec)
            table.install_at(entry.fd_descriptor, file.grab(), cloexec=cloexec)
        _restore_deferred(ctx)
        locks.restore_record_locks(ctx, table)
        locks.restore_leases(ctx, table)
        watches.restore_notify(ctx, table)
    except BaseException:
        table.drop()
        raise
    return table


def _restore_deferred(ctx: Restart) -> None:
    """Behind the table: what epoll sets watch, and what sockets have received.

    Which watches have news is said last, because a watch that is made tells the sets above it.
    """
    lists = []
    while (waiting := ctx.image.peek()) in (t.HDR_EPOLL_ITEMS, t.HDR_SOCKET_QUEUE):
        if waiting == t.HDR_EPOLL_ITEMS:
            lists.append(epoll.restore_items(ctx))
        else:
            socket_queues.restore_queues(ctx)
    for owner, ready in lists:
        if ctx.has_machine:
            owner.ready = ready
