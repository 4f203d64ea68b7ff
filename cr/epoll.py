"""Checkpoint and restart of epoll sets.

A set names other open files, which may come later in the table, and may be sets again. So a set
is written bare, and what it watches follows the file table that it is in.

Image grammar:

    epoll        =  FileEpoll
    epoll-items  =  EPOLL_ITEMS  { BUFFER EpollItem ... }  [ EPOLL_READY ]   ; behind the table

Mirrors:  linux-cr fs/eventpoll.c -- ep_file_checkpoint, ep_items_checkpoint, ep_items_restore.
Deviates: EPOLL_READY is ours: which watches have news, in which order. Without it (pure) all are
          asked anew, and an edge-triggered one may tell the same news twice, as there.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from cr.image.files import EPOLL_ITEMS_PER_BUFFER, EpollItem, EpollItems, FileEpoll
from kernel_model.abi.errno import EBUSY
from kernel_model.abi.fcntl import O_ACCMODE, O_RDWR, POLLERR, POLLHUP
from kernel_model.epoll import EpollFile, Watch, check_watchable
from kernel_model.signalfd import SignalFile
from kernel_model.task import Task
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.openfile import OpenFile

_MOST_ITEMS = 1 << 20
_LAST_FD = 1 << 20


def checkpoint_epoll(ctx: Checkpoint, file: EpollFile, common: dict[str, int]) -> None:
    """Write a set without what it watches."""
    ctx.image.write(t.HDR_FILE, FileEpoll(f_type=t.FILE_EPOLL, **common))
    ctx.files_deferred.append(file)


def checkpoint_items(ctx: Checkpoint, owner: EpollFile) -> None:
    """Behind the table: write what a set watches."""
    watches = list(owner.watching.values())
    items = []
    for watch in watches:
        objref = ctx.objs.lookup(watch.file)
        if objref is None:
            ctx.refuse(EBUSY, f"an epoll set watches a file (descriptor {watch.fd}) outside of it")
        items.append(
            EpollItem(data=watch.data, fd=watch.fd, file_objref=objref, events=watch.events)
        )
    number, _ = ctx.objs.intern(owner)
    ctx.image.write(t.HDR_EPOLL_ITEMS, EpollItems(epfile_objref=number, num_items=len(items)))
    for start in range(0, len(items), EPOLL_ITEMS_PER_BUFFER):
        ctx.image.write_records(items[start : start + EPOLL_ITEMS_PER_BUFFER])
    if owner.ready and not ctx.pure:
        ready = tuple(watches.index(watch) for watch in owner.ready)
        ctx.image.write(t.HDR_EPOLL_READY, ours.EpollReady(ready=ready))


def restore_epoll(ctx: Restart, record: FileEpoll) -> OpenFile:
    """Make an empty set."""
    if record.f_flags & O_ACCMODE != O_RDWR:
        ctx.refuse("an epoll set is open for everything")
    return EpollFile(ctx.kernel.vfs.anonfs)


def restore_items(ctx: Restart) -> tuple[EpollFile, list[Watch]]:
    """Behind the table: watch again; which watches have news is for the caller to say."""
    head = ctx.image.read(t.HDR_EPOLL_ITEMS, EpollItems)
    owner = ctx.objs.fetch(ctx, head.epfile_objref, t.OBJ_FILE, EpollFile)
    if owner.watching or head.num_items > _MOST_ITEMS:
        ctx.refuse(f"a set with {head.num_items} watches, or with items twice")
    while len(owner.watching) < head.num_items:
        items = ctx.image.read_records(EpollItem)
        if not 0 < len(items) <= head.num_items - len(owner.watching):
            ctx.refuse(f"{len(items)} items are not the next of {head.num_items}")
        for item in items:
            _restore_item(ctx, owner, item)
    watches = list(owner.watching.values())
    ready: tuple[int, ...] = ()
    if ctx.image.peek() == t.HDR_EPOLL_READY:
        ready = ctx.image.read(t.HDR_EPOLL_READY, ours.EpollReady).ready
        if len(set(ready)) < len(ready) or not all(0 <= each < len(watches) for each in ready):
            ctx.refuse("the list of ready watches names one twice, or one that is not there")
    return owner, [watches[each] for each in ready]


def _restore_item(ctx: Restart, owner: EpollFile, item: EpollItem) -> None:
    file: OpenFile = ctx.objs.fetch(ctx, item.file_objref, t.OBJ_FILE, OpenFile)
    if item.fd >= _LAST_FD:
        ctx.refuse(f"descriptor {item.fd} is too large")

    def watch() -> None:
        check_watchable(owner, file)
        owner.add(file, item.fd, item.events, item.data)
        # A one-shot watch that has told its news waits for nothing, not even for errors.
        if not item.events & (POLLERR | POLLHUP):
            owner.watching[file, item.fd].events = item.events

    ctx.attempt(watch)


def listen_for_signals(table: FdTable, task: Task) -> None:
    """Commit: a signalfd in a set has the signals of the first task that has the set."""
    for _, owner in table.items():
        if isinstance(owner, EpollFile):
            for watch in owner.watching.values():
                if isinstance(watch.file, SignalFile) and not watch.queues:
                    watch.listen(task)
