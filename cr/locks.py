"""Checkpoint and restart of locks on files.

Image grammar:

    file        =  FILE  what its kind adds  [ FILE_FLOCK ]
    file-table  =  FILE_TABLE  { [ OBJREF file ]  FILE_DESC }  { epoll-items }  { RECORD_LOCK }

A flock belongs to an open file, a record lock to a table of descriptors; each is written where its
owner is. Who waits for a lock is written like any sleeper: its call begins again.

Mirrors:  nothing: linux-cr refuses both (EBADF); so does a pure image.
Deviates: a lock that somebody outside of the image has taken meanwhile makes the restart fail.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from kernel_model.abi.errno import EAGAIN, EBADF
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.locks import Range, locks_of
from kernel_model.vfs.openfile import OpenFile

_MOST_LOCKS = 1 << 14


def checkpoint_flock(ctx: Checkpoint, file: OpenFile) -> None:
    """Behind a file: write what flock has locked for it."""
    locks = file.inode.locks
    if locks is None or file not in locks.whole:
        return
    if ctx.pure:
        ctx.refuse(EBADF, "an open file has a lock (flock), and the image is to be pure")
    ctx.image.write(t.HDR_FILE_FLOCK, ours.FileFlock(kind=locks.whole[file]))


def checkpoint_record_locks(ctx: Checkpoint, table: FdTable) -> None:
    """Behind a table: write what it has locked."""
    assert ctx.task is not None
    inodes: dict[Inode, OpenFile] = {}
    for _, file in table.items():
        if file.inode.locks is not None and table in file.inode.locks.records:
            inodes.setdefault(file.inode, file)
    for inode, file in inodes.items():
        if ctx.pure:
            ctx.refuse(EBADF, "an open file has a record lock, and the image is to be pure")
        assert inode.locks is not None
        objref, _ = ctx.objs.intern(file)
        order = list(inode.locks.records).index(table)
        for each in inode.locks.records[table]:
            own = each.pid == ctx.task.tgid
            record = ours.RecordLock(
                file_objref=objref,
                kind=each.kind,
                first=each.first,
                last=each.last,
                pid=0 if own else ctx.pid_ns.number_of(each.pid),
                order=order,
            )
            ctx.image.write(t.HDR_RECORD_LOCK, record)


def restore_flock(ctx: Restart, file: OpenFile) -> None:
    """Behind a file: lock it again; the lock ends with the file if the restart fails."""
    if ctx.image.peek() != t.HDR_FILE_FLOCK:
        return
    record = ctx.image.read(t.HDR_FILE_FLOCK, ours.FileFlock)
    locks = locks_of(file.inode)
    if locks.whole_hinders(file, record.kind):
        ctx.refuse("another open file has a lock (flock)", errno=EAGAIN.errno)
    locks.whole[file] = record.kind


def restore_record_locks(ctx: Restart, table: FdTable) -> None:
    """Behind a table: lock the ranges again; they end with the table if the restart fails."""
    count = 0
    while ctx.image.peek() == t.HDR_RECORD_LOCK:
        record = ctx.image.read(t.HDR_RECORD_LOCK, ours.RecordLock)
        count += 1
        file = ctx.objs.fetch(ctx, record.file_objref, t.OBJ_FILE, OpenFile)
        if count > _MOST_LOCKS or all(file is not other for _, other in table.items()):
            ctx.refuse("a record lock of a file that is not in the table, or too many of them")
        pid = ctx.opener.pid_ns.find(record.pid) if record.pid else 0
        wanted = Range(record.kind, record.first, record.last, pid)
        _restore_lock(ctx, file.inode, table, wanted, record.order)


def _restore_lock(ctx: Restart, inode: Inode, table: FdTable, wanted: Range, order: int) -> None:
    held = inode.locks.records.get(table, []) if inode.locks is not None else []
    if any(each.meets(wanted) for each in held):
        ctx.refuse("two record locks of one owner overlap")
    locks = locks_of(inode)
    if locks.hindrance(table, wanted) is not None:
        ctx.refuse("another process has a record lock there", errno=EAGAIN.errno)
    if not held:
        ctx.lock_order[inode, table] = order
    locks.put(table, wanted)
    if not held:
        place = {owner: ctx.lock_order.get((inode, owner), -1) for owner in locks.records}
        locks.records = dict(sorted(locks.records.items(), key=lambda pair: place[pair[0]]))


def own_locks(table: FdTable, pid: int) -> None:
    """Commit: whose record locks these are is known now."""
    for _, file in table.items():
        if file.inode.locks is not None:
            file.inode.locks.name_owner(table, pid)
