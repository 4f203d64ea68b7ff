"""Checkpoint and restart of locks on files, of leases, of who is told by SIGIO.

Image grammar:

    file        =  FILE  what its kind adds  [ FILE_OWNER ]  [ FILE_FLOCK ]
    file-table  =  FILE_TABLE  { [ OBJREF file ]  FILE_DESC }  { epoll-items }
                   { RECORD_LOCK }  { FILE_LEASE }

A flock belongs to an open file, a record lock to a table of descriptors; each is written where its
owner is. Who waits for a lock is written like any sleeper: its call begins again.

Mirrors:  nothing: linux-cr refuses locks (EBADF) and owners (EBUSY); so does a pure image.
Deviates: a lock that somebody outside of the image has taken meanwhile makes the restart fail.
"""

from __future__ import annotations

from dataclasses import replace

from cr.context import Checkpoint, Restart
from cr.image import locks as ours
from cr.image import types as t
from kernel_model.abi.errno import EAGAIN, EBADF, EBUSY
from kernel_model.abi.fcntl import FASYNC
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.task import Task
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.locks import Lease, Range, locks_of
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.owner import F_OWNER_PGRP, NOBODY, FileOwner

_NO_TARGET = 3
_TO_COME = -1


def checkpoint_owner(ctx: Checkpoint, file: OpenFile) -> None:
    """Behind a file: write who is told of it."""
    owner, task = file.owner, ctx.task
    assert task is not None
    if not owner.number and not file.async_signo and file.async_fd < 0:
        return
    if ctx.pure:
        ctx.refuse(EBUSY, "an open file has an owner for SIGIO (F_SETOWN)")
    own = owner.kind != F_OWNER_PGRP and owner.number == task.pid
    record = ours.FileOwner(
        number=0 if own or not owner.number else ctx.pid_ns.number_of(owner.number),
        kind=owner.kind,
        uid=owner.uid,
        euid=owner.euid,
        signo=file.async_signo,
        fd=file.async_fd,
        own=int(own),
    )
    ctx.image.write(t.HDR_FILE_OWNER, record)


def restore_owner(ctx: Restart, file: OpenFile) -> None:
    """Behind a file: who is told of it; of an `own` one that is known at the commit."""
    asked = bool(file.flags & FASYNC)
    if ctx.image.peek() != t.HDR_FILE_OWNER:
        if asked:
            ctx.refuse("O_ASYNC without a descriptor that is told")
        return
    record = ctx.image.read(t.HDR_FILE_OWNER, ours.FileOwner)
    if (record.fd >= 0) != asked or (asked and not (file.tells or file.inode.is_regular)):
        ctx.refuse("O_ASYNC and the descriptor that is told do not agree")
    if record.own and (record.number or record.kind == F_OWNER_PGRP):
        ctx.refuse("an owner that is the task, and has another number")
    number = ctx.opener.pid_ns.find(record.number) if record.number else 0
    if file.tells:
        file.ask_for_signals(ctx.opener, record.fd)
    file.async_fd, file.async_kernel = record.fd, ctx.kernel
    file.async_signo = record.signo
    file.owner = FileOwner(_TO_COME if record.own else number, record.kind, record.uid, record.euid)
    if not file.owner.number:
        file.owner = NOBODY


def checkpoint_leases(ctx: Checkpoint, table: FdTable) -> None:
    """Behind a table: write the leases that were taken by it."""
    for _, file in table.items():
        locks = file.inode.locks
        lease = locks.leases.get(file) if locks is not None else None
        if lease is None or file in ctx.leases:
            continue
        if ctx.pure:
            ctx.refuse(EBADF, "an open file has a lease, and the image is to be pure")
        if lease.owner is not table and lease.owner.users:
            continue
        ctx.leases.add(file)
        objref, _ = ctx.objs.intern(file)
        record = ours.FileLease(
            file_objref=objref,
            kind=lease.kind,
            target=_NO_TARGET if lease.target is None else lease.target,
            owned=int(lease.owner is table),
            break_at_ns=lease.break_at_ns,
        )
        ctx.image.write(t.HDR_FILE_LEASE, record)


def restore_leases(ctx: Restart, table: FdTable) -> None:
    """Behind a table: take the leases again; they end with their files if the restart fails."""
    while ctx.image.peek() == t.HDR_FILE_LEASE:
        record = ctx.image.read(t.HDR_FILE_LEASE, ours.FileLease)
        file = ctx.objs.fetch(ctx, record.file_objref, t.OBJ_FILE, OpenFile)
        if not file.inode.is_regular or file.async_fd < 0:
            ctx.refuse("a lease of what is no regular file, or that nobody is told of")
        locks = locks_of(file.inode)
        if file in locks.leases or (record.kind and len(locks.leases)):
            ctx.refuse("two leases of a file")
        broken = record.target != _NO_TARGET
        if broken != bool(record.break_at_ns) or record.break_at_ns > KTIME_MAX_NS:
            ctx.refuse(f"a lease that is broken at {record.break_at_ns} ns")
        owner = table
        if not record.owned:
            owner = FdTable()
            owner.users = 0
        break_at_ns = ctx.clock_time(record.break_at_ns) if broken else 0
        target = record.target if broken else None
        locks.leases[file] = Lease(record.kind, owner, target, break_at_ns)


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
    while ctx.image.peek() == t.HDR_RECORD_LOCK:
        record = ctx.image.read(t.HDR_RECORD_LOCK, ours.RecordLock)
        file = ctx.objs.fetch(ctx, record.file_objref, t.OBJ_FILE, OpenFile)
        if all(file is not other for _, other in table.items()):
            ctx.refuse("a record lock of a file that is not in the table")
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


def own_files(table: FdTable, task: Task) -> None:
    """Commit: whose files and record locks these are is known now."""
    for _, file in table.items():
        if file.inode.locks is not None:
            file.inode.locks.name_owner(table, task.tgid)
        if file.owner.number == _TO_COME:
            file.owner = replace(file.owner, number=task.pid)
