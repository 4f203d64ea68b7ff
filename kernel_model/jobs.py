"""Job control: process groups as terminals and exit see them.

A group is orphaned when no member has a parent outside of the group, in the same session: then
nobody is there who would ever continue its stopped members.

Mirrors: Linux kernel/exit.c (will_become_orphaned_pgrp, has_stopped_jobs, kill_orphaned_pgrp),
         drivers/tty/tty_io.c (tty_check_change), n_tty.c (job_control).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EIO
from kernel_model.signals import (
    SI_KERNEL,
    SIG_IGN,
    SIGCONT,
    SIGHUP,
    SIGTTIN,
    SIGTTOU,
    SigInfo,
    bit,
    send,
)
from kernel_model.waitqueue import Restart, Sleep

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task
    from kernel_model.tty.terminal import Tty


def members(kernel: Kernel, pgid: int) -> Iterator[Task]:
    """The processes of a group, zombies included, by number."""
    for _, task in sorted(kernel.tasks.items()):
        if task.is_leader and task.signal.pgid == pgid:
            yield task


def kill_group(kernel: Kernel, pgid: int, *signals: int) -> None:
    """Send signals of the kernel to every process of a group."""
    for signo in signals:
        for task in members(kernel, pgid):
            if not gone(task):
                send(task.signal.threads[-1] if task.exited else task, SigInfo(signo, SI_KERNEL))


def gone(task: Task) -> bool:
    """Whether all threads of a process have exited."""
    return all(thread.exited for thread in task.signal.threads)


def is_orphaned(kernel: Kernel, pgid: int, ignored: Task | None = None) -> bool:
    """Whether a group is orphaned, or would be without `ignored`."""
    for task in members(kernel, pgid):
        parent = task.parent
        if task is ignored or gone(task) or parent is None or parent is kernel.pid_ns.init:
            continue
        if parent.signal.pgid != pgid and parent.signal.sid == task.signal.sid:
            return False
    return True


def note_orphaned(task: Task, parent: Task | None, ignored: Task | None) -> None:
    """`task` loses `parent`, or exits (`ignored`): its group may have lost its last link.

    A group that is orphaned by that and has stopped members gets SIGHUP and SIGCONT.
    """
    kernel, pgid = task.kernel, task.signal.pgid
    if parent is None or parent.signal.pgid == pgid or parent.signal.sid != task.signal.sid:
        return
    if is_orphaned(kernel, pgid, ignored) and any(
        thread.stopped for member in members(kernel, pgid) for thread in member.signal.threads
    ):
        kill_group(kernel, pgid, SIGHUP, SIGCONT)


def _deaf(task: Task, signo: int) -> bool:
    """Whether a task blocks or ignores a signal."""
    return bool(task.blocked & bit(signo)) or (task.sighand.actions[signo - 1].handler == SIG_IGN)


def may_read(task: Task, tty: Tty) -> None:
    """A background read: SIGTTIN to the group, or EIO where that would do no good."""
    signal = task.signal
    if signal.tty is not tty or not tty.pgrp or signal.pgid == tty.pgrp:
        return
    if _deaf(task, SIGTTIN) or is_orphaned(task.kernel, signal.pgid):
        raise EIO("a background group reads from its terminal")
    _interrupt(task, SIGTTIN)


def may_change(task: Task, tty: Tty) -> None:
    """A background write or change: SIGTTOU to the group, unless it does not care."""
    signal = task.signal
    if signal.tty is not tty or not tty.pgrp or signal.pgid == tty.pgrp:
        return
    if _deaf(task, SIGTTOU):
        return
    if is_orphaned(task.kernel, signal.pgid):
        raise EIO("an orphaned background group changes its terminal")
    _interrupt(task, SIGTTOU)


def _interrupt(task: Task, signo: int) -> None:
    kill_group(task.kernel, task.signal.pgid, signo)
    # The signal has come before the sleep begins: the call is interrupted at once.
    raise Sleep(restart=Restart.ERESTARTSYS)
