"""What pending signals do to a task on its way back to user mode.

Mirrors: Linux kernel/signal.c (get_signal_to_deliver), arch do_signal and how it handles ERESTART*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINTR
from kernel_model.signals import (
    ALL,
    CORE_DUMPING,
    CORE_FLAG,
    IGNORED_BY_DEFAULT,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SI_KERNEL,
    SIG_DFL,
    SIG_IGN,
    SIGSEGV,
    SIGSTOP,
    STOPPING,
    UNBLOCKABLE,
    Action,
    SigInfo,
    bit,
    deliverable,
    dequeue,
    force,
    own_fault,
)
from kernel_model.waitqueue import Restart

if TYPE_CHECKING:
    from kernel_model.task import Task


def deliver(task: Task) -> None:
    """Act on pending signals before user code runs. The task may be dead or stopped after it."""
    while not task.exited:
        if task.signal.group_exit_code is not None:
            task.exit(task.signal.group_exit_code)
            return
        info = dequeue(task, ~task.blocked & ALL)
        if info is None:
            break
        if task.kernel.trace.wanted:
            task.kernel.trace.delivered(task, info)
        action = task.sighand.actions[info.signo - 1]
        if action.handler == SIG_IGN:
            continue
        if action.handler != SIG_DFL:
            _enter_handler(task, info, action)
            task.attention = bool(deliverable(task))
            return
        shielded = task.immune(info.signo) and not own_fault(info)
        if bit(info.signo) & IGNORED_BY_DEFAULT or shielded:
            continue
        if bit(info.signo) & STOPPING:
            if info.signo != SIGSTOP and task.in_orphaned_group:
                continue
            task.stop(info.signo)
            return
        dumped = CORE_FLAG if bit(info.signo) & CORE_DUMPING and task.dumps_core else 0
        task.exit_group(info.signo | dumped)
        return
    if task.exited:
        return
    _restart_call(task, None)
    if task.saved_blocked is not None:
        task.blocked = task.saved_blocked
        task.saved_blocked = None
    task.attention = bool(deliverable(task))


def _restart_call(task: Task, action: Action | None) -> None:
    """An interrupted system call: start it again, or let it fail with EINTR."""
    restart = task.interrupted
    if restart is None:
        return
    task.interrupted = None
    if action is not None and (
        restart in (Restart.ERESTARTNOHAND, Restart.ERESTART_RESTARTBLOCK)
        or (restart == Restart.ERESTARTSYS and not action.flags & SA_RESTART)
    ):
        task.restart_block = None
        task.abi.set_result(task, -EINTR.errno)
        task.kernel.count_call(task)
        return
    task.abi.rewind(task.regs)
    if restart == Restart.ERESTART_RESTARTBLOCK:
        task.regs.words[task.abi.number] = task.kernel.calls.number(task.abi, "restart_syscall")
    else:
        task.restart_block = None


def _enter_handler(task: Task, info: SigInfo, action: Action) -> None:
    _restart_call(task, action)
    mask = task.blocked if task.saved_blocked is None else task.saved_blocked
    task.saved_blocked = None
    if action.flags & SA_RESETHAND:
        task.sighand.actions[info.signo - 1] = Action(SIG_DFL, action.flags, 0, action.mask)
    try:
        task.abi.push_frame(task, info.signo, info, action, mask)
    except EFAULT:
        # No room for the frame: the task is beyond help, unless it handles SIGSEGV elsewhere.
        if info.signo == SIGSEGV:
            task.sighand.actions[SIGSEGV - 1] = Action()
        force(task, SigInfo(SIGSEGV, SI_KERNEL))
        deliver(task)
        return
    blocked = task.blocked | action.mask
    if not action.flags & SA_NODEFER:
        blocked |= bit(info.signo)
    task.blocked = blocked & ~UNBLOCKABLE
