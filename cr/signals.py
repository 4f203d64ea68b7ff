"""Checkpoint and restart of signals: handlers, masks, pending ones, limits and interval timers.

Image grammar:

    sighand  =  SIGHAND
    signal   =  SIGNAL  SIGPENDING shared  { posix-timer }  [ LATE_TIMERS ]
                                                            ; after TASK_OBJS of a group's first
    thread   =  SIGPENDING private  SIGNAL_TASK  [ WAIT_MASK ]  ; the last records of a task

Interval timers are saved as what is left of them: the image does not know when it is restarted.

Mirrors:  linux-cr checkpoint/signal.c -- checkpoint_signal, restore_signal,
          checkpoint_sigpending, checkpoint_obj_sighand, restore_itimer.
Deviates: the original exchanged the arguments of list_add_tail when it restored the queue; here
          the order of queued signals is kept. A pure image says 1 ns of an expired timer; ours has
          LATE_TIMERS, with which it fires at once.
"""

from __future__ import annotations

from dataclasses import replace

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import signals as image
from cr.image import types as t
from cr.jobs import (
    checkpoint_group_news,
    restore_controlling,
    restore_group_news,
)
from cr.terminals import checkpoint_tty
from cr.timers import checkpoint_posix_timers, restore_posix_timers, start_posix_timers
from kernel_model import itimers
from kernel_model.abi.errno import EBUSY, EPERM
from kernel_model.abi.limits import RLIMIT_CPU
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.signals import (
    SIG_DFL,
    UNBLOCKABLE,
    Action,
    IntervalTimer,
    Pending,
    Sighand,
    SigInfo,
    SignalStruct,
    bit,
)
from kernel_model.task import Task

_WORD = (1 << 64) - 1

_DEFAULT = Action()


def checkpoint_sighand(ctx: Checkpoint, sighand: Sighand) -> None:
    """Write the 64 actions."""
    default = _action(_DEFAULT)
    actions = tuple(
        default if action == _DEFAULT else _action(action) for action in sighand.actions
    )
    ctx.image.write(t.HDR_SIGHAND, image.Sighand(action=actions))


def _action(action: Action) -> image.Sigaction:
    return image.Sigaction(
        sa_handler=action.handler,
        sa_flags=action.flags & _WORD,
        sa_restorer=action.restorer,
        sa_mask=image.Sigset.of_mask(action.mask),
    )


def restore_sighand(ctx: Restart) -> Sighand:
    """Read the 64 actions; SIGKILL and SIGSTOP keep theirs."""
    record = ctx.image.read(t.HDR_SIGHAND, image.Sighand)
    sighand, default = Sighand(), _action(_DEFAULT)
    for number, action in enumerate(record.action, start=1):
        if bit(number) & UNBLOCKABLE and action.sa_handler != SIG_DFL:
            ctx.refuse(f"signal {number} cannot have a handler")
        if action == default:
            continue
        sighand.actions[number - 1] = Action(
            action.sa_handler,
            action.sa_flags,
            action.sa_restorer,
            action.sa_mask.mask & ~UNBLOCKABLE,
        )
    return sighand


def checkpoint_signal(ctx: Checkpoint, task: Task) -> None:
    """Write what the thread group shares."""
    left = [itimers.exact(task, which) for which in range(3)]
    tty = task.signal.tty
    tty_objref = checkpoint_tty(ctx, tty) if tty is not None else 0
    record = image.Signal(
        rlim=tuple(
            image.Rlimit(rlim_cur=soft, rlim_max=hard) for soft, hard in task.signal.rlimits
        ),
        it_real_value=left[0][0],
        it_real_incr=left[0][1],
        it_virt_value=left[1][0],
        it_virt_incr=left[1][1],
        it_prof_value=left[2][0],
        it_prof_incr=left[2][1],
        tty_objref=tty_objref,
        tty_pgrp=ctx.pid_ns.number_of(tty.pgrp) if tty is not None else 0,
        tty_old_pgrp=ctx.pid_ns.number_of(task.signal.tty_old_pgrp),
    )
    ctx.image.write(t.HDR_SIGNAL, record)
    _checkpoint_pending(ctx, task.signal.pending)
    checkpoint_posix_timers(ctx, task.signal)
    late = [itimers.lateness(task, which) for which in range(3)]
    if any(late) and not ctx.pure:
        record_late = ours.LateTimers(real=late[0], virtual=late[1], prof=late[2])
        ctx.image.write(t.HDR_LATE_TIMERS, record_late)
    checkpoint_group_news(ctx, task.signal)


_NO_TIME = (RLIMIT_CPU, image.Rlimit(rlim_cur=1, rlim_max=0))
"""The one soft limit above its hard one: who asks for no time gets a second."""


def restore_signal(ctx: Restart) -> SignalStruct:
    """Read what a thread group shares. The timers hold what is left: commit starts them."""
    record = ctx.image.read(t.HDR_SIGNAL, image.Signal)
    limits = []
    mine = ctx.opener.signal.rlimits
    for which, limit in enumerate(record.rlim):
        if limit.rlim_cur > limit.rlim_max and (which, limit) != _NO_TIME:
            ctx.refuse(f"limit {which}: the soft one is above the hard one")
        if limit.rlim_max > mine[which][1] and not ctx.opener.cred.cap("CAP_SYS_RESOURCE"):
            ctx.refuse(f"raising limit {which} needs CAP_SYS_RESOURCE", errno=EPERM.errno)
        limits.append((limit.rlim_cur, limit.rlim_max))
    signal = SignalStruct(limits)
    values = (
        (record.it_real_value, record.it_real_incr),
        (record.it_virt_value, record.it_virt_incr),
        (record.it_prof_value, record.it_prof_incr),
    )
    for which, (left, interval) in enumerate(values):
        if max(left, interval) > KTIME_MAX_NS:
            ctx.refuse(f"interval timer {which} is set for longer than time lasts")
    signal.itimers = (
        IntervalTimer(*values[0]),
        IntervalTimer(*values[1]),
        IntervalTimer(*values[2]),
    )
    signal.pending = _restore_pending(ctx)
    restore_posix_timers(ctx, signal)
    _restore_late_timers(ctx, signal)
    restore_group_news(ctx, signal)
    restore_controlling(ctx, record, signal)
    return signal


def _restore_late_timers(ctx: Restart, signal: SignalStruct) -> None:
    if ctx.image.peek() != t.HDR_LATE_TIMERS:
        return
    record = ctx.image.read(t.HDR_LATE_TIMERS, ours.LateTimers)
    for timer, late in zip(signal.itimers, (record.real, record.virtual, record.prof)):
        if late and timer.due != 1:
            ctx.refuse("an interval timer that is due has time left")
        if late:
            timer.due = -late


def start_timers(task: Task) -> None:
    """At commit: make what is left of each timer a time at which it is due."""
    for which, timer in enumerate(task.signal.itimers):
        itimers.start(task, which, timer.due, timer.interval)
    start_posix_timers(task)


def checkpoint_thread_signals(ctx: Checkpoint, task: Task) -> None:
    """Write a thread's own pending signals and its mask."""
    _checkpoint_pending(ctx, task.pending)
    blocked = task.blocked if task.saved_blocked is None else task.saved_blocked
    ctx.image.write(
        t.HDR_SIGNAL_TASK, image.SignalTask(blocked=image.Sigset.of_mask(blocked & ~UNBLOCKABLE))
    )
    over = task.syscall is None and task.interrupted is None
    if over and task.saved_blocked is not None and not ctx.pure:
        mask = image.Sigset.of_mask(task.blocked & ~UNBLOCKABLE)
        ctx.image.write(t.HDR_WAIT_MASK, image.WaitMask(blocked=mask))


def restore_thread_signals(ctx: Restart) -> tuple[Pending, int, int | None]:
    """Read a thread's own pending signals, its mask, and that of a call that is just over."""
    pending = _restore_pending(ctx)
    blocked = ctx.image.read(t.HDR_SIGNAL_TASK, image.SignalTask).blocked.mask & ~UNBLOCKABLE
    if ctx.image.peek() != t.HDR_WAIT_MASK:
        return pending, blocked, None
    waited = ctx.image.read(t.HDR_WAIT_MASK, image.WaitMask).blocked.mask
    return pending, blocked, waited & ~UNBLOCKABLE


def _checkpoint_pending(ctx: Checkpoint, pending: Pending) -> None:
    queue = tuple(_siginfo(ctx, info) for info in pending.queue)
    record = image.Sigpending(
        nr_pending=len(queue), signal=image.Sigset.of_mask(pending.signals), siginfo=queue
    )
    ctx.image.write(t.HDR_SIGPENDING, record)


def _restore_pending(ctx: Restart) -> Pending:
    record = ctx.image.read(t.HDR_SIGPENDING, image.Sigpending)
    queue = [_of_siginfo(info) for info in record.siginfo]
    signals = record.signal.mask
    for info in queue:
        if not signals & bit(info.signo):
            ctx.refuse(f"signal {info.signo} is queued, but not pending")
    return Pending(signals, queue)


def _signed(value: int, bits: int = 32) -> int:
    value &= (1 << bits) - 1
    return value - (value >> (bits - 1) << bits)


def _siginfo(ctx: Checkpoint, info: SigInfo) -> image.Siginfo:
    # Whoever sends himself a signal chooses every byte of its siginfo.
    record = image.Siginfo(
        csi_signo=info.signo,
        csi_errno=info.errno,
        csi_code=info.code,
        csi_pid=info.pid & 0xFFFFFFFF,
        csi_uid=info.uid & 0xFFFFFFFF,
        csi_fd=info.fd,
        csi_tid=info.timer_id & 0xFFFFFFFF,
        csi_band=info.band & 0xFFFFFFFF,
        csi_overrun=info.overrun & 0xFFFFFFFF,
        csi_trapno=info.trapno,
        csi_status=info.status,
        csi_int=_signed(info.value),
        csi_ptr=info.value & _WORD,
        csi_utime=info.utime & _WORD,
        csi_stime=info.stime & _WORD,
        csi_addr=info.addr,
        csi_sys_private=0,
    )
    if _of_siginfo(record) != replace(info, cause=""):
        ctx.refuse(EBUSY, f"signal {info.signo} is queued with more than its record can say")
    return record


def _of_siginfo(info: image.Siginfo) -> SigInfo:
    return SigInfo(
        signo=info.csi_signo,
        code=info.csi_code,
        errno=info.csi_errno,
        pid=_signed(info.csi_pid),
        uid=info.csi_uid,
        value=info.csi_ptr,
        addr=info.csi_addr,
        status=info.csi_status,
        utime=_signed(info.csi_utime, 64),
        stime=_signed(info.csi_stime, 64),
        band=_signed(info.csi_band),
        fd=info.csi_fd,
        timer_id=_signed(info.csi_tid),
        overrun=_signed(info.csi_overrun),
        trapno=info.csi_trapno,
    )
