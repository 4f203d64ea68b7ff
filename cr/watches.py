"""Checkpoint and restart of inotify, dnotify, pidfds.

Image grammar:

    inotify     =  FileInotify  { INOTIFY_WATCH  FILE_NAME  [ unlinked ] }  { INOTIFY_EVENT }
    pidfd       =  FilePidfd
    file-table  =  ...  { DIRECTORY_NOTIFY }

A watch is found again by the name of what it watches; where that is gone, what is left of it is
there. What the restart itself opens and closes is nobody's doing: until its end those who watch are
deaf.

Mirrors:  nothing: linux-cr refuses inotify (EBADF) and a directory that somebody is told of.
Deviates: a pure image refuses all three with EBADF.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import types as t
from cr.image import watches as image
from cr.image.files import FileInotify, FilePidfd
from cr.regular import checkpoint_name, restore_name
from cr.unlinked import checkpoint_unlinked
from kernel_model import dnotify
from kernel_model.abi.errno import EBADF
from kernel_model.abi.fcntl import O_ACCMODE, O_RDONLY, O_RDWR
from kernel_model.dnotify import DirectoryMark, find_mark
from kernel_model.inotify import IN_IGNORED, KEPT, MOST_EVENTS, Event, InotifyFile, Watch
from kernel_model.pidfd import PidFile
from kernel_model.task import Task
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.openfile import OpenFile


def checkpoint_inotify(ctx: Checkpoint, file: InotifyFile, common: dict[str, int]) -> None:
    """Write an instance with what it watches, and what it has to tell."""
    if ctx.pure:
        ctx.refuse(EBADF, "an open inotify instance, and the image is to be pure")
    record = FileInotify(
        f_type=t.FILE_INOTIFY,
        last_wd=file.last_wd,
        nr_watches=len(file.watching),
        nr_events=len(file.events),
        **common,
    )
    ctx.image.write(t.HDR_FILE, record)
    for wd, watch in file.watching.items():
        ctx.image.write(t.HDR_INOTIFY_WATCH, image.InotifyWatch(wd=wd, mask=watch.mask))
        if not checkpoint_name(ctx, watch.path):
            checkpoint_unlinked(ctx, watch.path)
    for event in file.events:
        told = image.InotifyEvent(
            wd=event.wd, mask=event.mask, cookie=event.cookie, name=event.name
        )
        ctx.image.write(t.HDR_INOTIFY_EVENT, told)


def restore_inotify(ctx: Restart, record: FileInotify) -> OpenFile:
    """Make an instance, and watch again."""
    if record.f_flags & O_ACCMODE != O_RDONLY:
        ctx.refuse("an inotify instance is only read")
    file = InotifyFile(ctx.kernel.vfs.anonfs, record.f_flags)
    file.deaf = True
    ctx.at_end.append(file.listen)
    try:
        _fill(ctx, file, record)
    except BaseException:
        file.drop()
        raise
    return file


def _fill(ctx: Restart, file: InotifyFile, record: FileInotify) -> None:
    for _ in range(record.nr_watches):
        watch = ctx.image.read(t.HDR_INOTIFY_WATCH, image.InotifyWatch)
        name, place = restore_name(ctx, follow=False)
        if watch.wd in file.watching or watch.mask & ~KEPT:
            ctx.refuse(f"watch {watch.wd} is there twice, or has the mask {watch.mask:#x}")
        if any(each.inode is place.inode for each in file.watching.values()):
            ctx.refuse(f"{name!r} is watched twice")
        file.watching[watch.wd] = Watch(file, watch.wd, place, watch.mask)
    for _ in range(record.nr_events):
        event = ctx.image.read(t.HDR_INOTIFY_EVENT, image.InotifyEvent)
        file.events.append(Event(event.wd, event.mask, event.cookie, event.name))
    if len(file.events) > MOST_EVENTS + sum(e.mask == IN_IGNORED for e in file.events) + 1:
        ctx.refuse("more events than an instance keeps")
    file.last_wd = record.last_wd


def checkpoint_notify(ctx: Checkpoint, table: FdTable) -> None:
    """Behind a table: write what it is to be told of directories."""
    done: list[OpenFile] = []
    for _, file in table.items():
        mark = find_mark(file, table) if file.inode.marks and file not in done else None
        if mark is None:
            continue
        if ctx.pure:
            ctx.refuse(EBADF, "an open directory that somebody is told of (F_NOTIFY), and pure")
        done.append(file)
        objref, _ = ctx.objs.intern(file)
        assert file.inode.marks is not None
        told = [each for each in file.inode.marks if isinstance(each, DirectoryMark)]
        record = image.DirectoryNotify(
            file_objref=objref, fd=mark.fd, mask=mark.mask, order=told.index(mark)
        )
        ctx.image.write(t.HDR_DIRECTORY_NOTIFY, record)


def restore_notify(ctx: Restart, table: FdTable) -> None:
    """Behind a table: tell of directories again; it ends with the table if the restart fails."""
    while ctx.image.peek() == t.HDR_DIRECTORY_NOTIFY:
        record = ctx.image.read(t.HDR_DIRECTORY_NOTIFY, image.DirectoryNotify)
        file = ctx.objs.fetch(ctx, record.file_objref, t.OBJ_FILE, OpenFile)
        if not file.inode.is_dir or find_mark(file, table) is not None:
            ctx.refuse("F_NOTIFY of what is no directory, or twice")
        if all(file is not other for _, other in table.items()):
            ctx.refuse("F_NOTIFY of a file that is not in the table")
        if not record.mask & dnotify.ALL_EVENTS:
            ctx.refuse(f"F_NOTIFY of {record.mask:#x}")
        mark = DirectoryMark(file, table, record.fd, record.mask)
        mark.deaf, mark.order = True, record.order
        ctx.at_end.append(mark.listen)
        file.async_kernel = ctx.kernel


def checkpoint_pidfd(ctx: Checkpoint, file: PidFile, common: dict[str, int]) -> None:
    """Write which process it means."""
    assert ctx.task is not None
    if ctx.pure:
        ctx.refuse(EBADF, "an open pidfd, and the image is to be pure")
    own = file.number == ctx.task.tgid
    number = 0 if own or not file.number else ctx.pid_ns.number_of(file.number)
    if file.number and not own and not number:
        ctx.refuse(EBADF, "a pidfd of a process outside of the container")
    record = FilePidfd(f_type=t.FILE_PIDFD, number=number, own=int(own), **common)
    ctx.image.write(t.HDR_FILE, record)


def restore_pidfd(ctx: Restart, record: FilePidfd) -> OpenFile:
    """Mean the process of the same number; the task itself is known at the commit."""
    if record.f_flags & O_ACCMODE != O_RDWR:
        ctx.refuse("a pidfd is open for everything")
    number = ctx.opener.pid_ns.find(record.number) if record.number else 0
    file = PidFile(ctx.kernel.vfs.anonfs, ctx.kernel.pidfds, number, record.f_flags)
    file.is_own = bool(record.own)
    return file


def own_pidfds(table: FdTable, task: Task) -> None:
    """Commit: which number the task has is known now."""
    for _, file in table.items():
        if isinstance(file, PidFile) and file.is_own:
            file.is_own = False
            file.follow(task.tgid)
