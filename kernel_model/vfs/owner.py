"""Who hears of an open file by a signal: F_SETOWN, F_SETSIG, O_ASYNC.

Whatever can become ready keeps its asynchronous open files at hand and tells them (`tell`) with a
reason; the open file knows its owner, and the owner which signal.

Mirrors: Linux fs/fcntl.c (f_setown, send_sigio, kill_fasync).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN
from kernel_model.abi.fcntl import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from kernel_model.signals import SI_KERNEL, SIGIO, SigInfo, send, send_queued

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP = range(3)
POLL_IN, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP = range(1, 7)
_POLLMSG = 0x400
_BANDS = {
    POLL_IN: POLLIN | POLLRDNORM,
    POLL_OUT: POLLOUT | POLLWRNORM | POLLWRBAND,
    POLL_MSG: POLLIN | POLLRDNORM | _POLLMSG,
    POLL_ERR: POLLERR,
    POLL_PRI: POLLPRI | POLLRDBAND,
    POLL_HUP: POLLHUP | POLLERR,
}


@dataclass(frozen=True, slots=True)
class FileOwner:
    """The task, process or group, and with whose rights it is told."""

    number: int = 0
    """A kernel number; 0: nobody."""
    kind: int = F_OWNER_PID
    uid: int = 0
    euid: int = 0


NOBODY = FileOwner()


def owner_for(task: Task, number: int, kind: int) -> FileOwner:
    """What F_SETOWN of a kernel number by `task` makes."""
    return FileOwner(number, kind, task.cred.uid, task.cred.euid) if number else NOBODY


def tell(files: Iterable[OpenFile], reason: int) -> None:
    """Something has happened (POLL_*) to asynchronous files."""
    for file in tuple(files):
        if file.async_fd >= 0 and file.async_kernel is not None and file.owner.number:
            for task in _targets(file.async_kernel, file.owner):
                _send(task, file, reason, file.async_fd)


def tell_one(file: OpenFile, reason: int, fd: int) -> None:
    """The same for one file that was not made asynchronous, but asked for this (dnotify)."""
    if file.async_kernel is not None and file.owner.number:
        for task in _targets(file.async_kernel, file.owner):
            _send(task, file, reason, fd)


def _targets(kernel: Kernel, owner: FileOwner) -> Iterator[Task]:
    if owner.kind != F_OWNER_PGRP:
        task = kernel.tasks.get(owner.number)
        if task is not None:
            yield task
        return
    for task in list(kernel.tasks.values()):
        if task.is_leader and task.signal.pgid == owner.number:
            yield task


def _send(task: Task, file: OpenFile, reason: int, fd: int) -> None:
    owner, theirs = file.owner, task.cred
    if owner.euid and not {owner.euid, owner.uid} & {theirs.suid, theirs.uid}:
        return
    to_thread = owner.kind == F_OWNER_TID
    if file.async_signo:
        info = SigInfo(file.async_signo, reason, band=_BANDS[reason], fd=fd)
        with suppress(EAGAIN):  # no room for what happened: plain SIGIO says that something did
            return send_queued(task, info, to_thread=to_thread)
    send(task, SigInfo(SIGIO, SI_KERNEL), to_thread=to_thread)
