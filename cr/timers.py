"""Checkpoint and restart of timerfds, signalfds and POSIX timers.

Image grammar:

    timerfd      =  FileTimerfd
    signalfd     =  FileSignalfd
    posix-timer  =  POSIX_TIMER        ; behind the shared SIGPENDING of the group's first thread

Times at which something is due are the image's virtual clock; a restart into a machine with
another clock shifts them.

Mirrors:  nothing: linux-cr refuses all three.
Deviates: a pure image refuses them as well (EBADF for the files, ENOTSUPP for timers).
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from cr.image.files import FileSignalfd, FileTimerfd
from kernel_model import posix_timers
from kernel_model.abi.errno import EBADF, ENOTSUPP
from kernel_model.abi.fcntl import O_ACCMODE, O_RDWR
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.cpu_clocks import is_cpu_clock
from kernel_model.posix_timers import PosixTimer
from kernel_model.signalfd import SignalFile
from kernel_model.signals import NSIG, SignalStruct
from kernel_model.task import Task
from kernel_model.timerfd import TimerFile
from kernel_model.vfs.openfile import OpenFile

_CLOCKS = (0, 1)


def checkpoint_timerfd(ctx: Checkpoint, file: TimerFile, common: dict[str, int]) -> None:
    """Write a timer with what it has counted."""
    if ctx.pure:
        ctx.refuse(EBADF, "an open timerfd, and the image is to be pure")
    record = FileTimerfd(
        f_type=t.FILE_TIMERFD,
        clock_id=file.clock_id,
        expired=int(file.expired),
        ticks=file.ticks,
        due_ns=file.due_ns,
        interval_ns=file.interval_ns,
        **common,
    )
    ctx.image.write(t.HDR_FILE, record)


def restore_timerfd(ctx: Restart, record: FileTimerfd) -> OpenFile:
    """Make a timer, and start it."""
    if record.clock_id not in _CLOCKS or max(record.due_ns, record.interval_ns) > KTIME_MAX_NS:
        ctx.refuse(f"a timerfd on clock {record.clock_id}, due at {record.due_ns} ns")
    if record.ticks > KTIME_MAX_NS or record.f_flags & O_ACCMODE != O_RDWR:
        ctx.refuse(f"a timerfd that expired {record.ticks} times")
    if record.expired and not record.due_ns:
        ctx.refuse("a timerfd that expired and was never due")
    kernel = ctx.kernel
    order = kernel.abis[0].byte_order
    file = TimerFile(kernel.vfs.anonfs, kernel.clock, order, record.clock_id, record.f_flags)
    file.due_ns = _shifted(ctx, record.due_ns)
    file.interval_ns, file.ticks = record.interval_ns, record.ticks
    file.expired = bool(record.expired)
    file.arm()
    return file


def _shifted(ctx: Restart, due_ns: int) -> int:
    return max(1, ctx.clock_time(due_ns)) if due_ns else 0


def checkpoint_signalfd(ctx: Checkpoint, file: SignalFile, common: dict[str, int]) -> None:
    """Write which signals it reads."""
    if ctx.pure:
        ctx.refuse(EBADF, "an open signalfd, and the image is to be pure")
    record = FileSignalfd(f_type=t.FILE_SIGNALFD, mask=file.mask, **common)
    ctx.image.write(t.HDR_FILE, record)


def restore_signalfd(ctx: Restart, record: FileSignalfd) -> OpenFile:
    """Make a signalfd."""
    if record.f_flags & O_ACCMODE != O_RDWR:
        ctx.refuse("a signalfd is read and written")
    return SignalFile(ctx.kernel.vfs.anonfs, record.mask, record.f_flags)


def checkpoint_posix_timers(ctx: Checkpoint, signal: SignalStruct) -> None:
    """Write the timers of a process."""
    if signal.posix_timers and ctx.pure:
        ctx.refuse(ENOTSUPP, "a POSIX timer, and the image is to be pure")
    for _, timer in sorted(signal.posix_timers.items()):
        record = ours.PosixTimer(
            number=timer.number,
            clock_id=timer.clock_id & 0xFFFFFFFF,
            notify=timer.notify,
            signo=timer.signo,
            tid=timer.tid,
            told=int(timer.told),
            value=timer.value,
            due_ns=timer.due_ns,
            interval_ns=timer.interval_ns,
            overrun=timer.overrun,
            last_overrun=timer.last_overrun,
        )
        ctx.image.write(t.HDR_POSIX_TIMER, record)


def restore_posix_timers(ctx: Restart, signal: SignalStruct) -> None:
    """Read the timers of a process; commit starts them."""
    while ctx.image.peek() == t.HDR_POSIX_TIMER:
        record = ctx.image.read(t.HDR_POSIX_TIMER, ours.PosixTimer)
        number = record.number
        if number in signal.posix_timers:
            ctx.refuse(f"timer {number} is there twice")
        clock_id = record.clock_id - (record.clock_id >> 31 << 32)
        if not (clock_id in _CLOCKS or is_cpu_clock(clock_id)) or record.notify & ~7:
            ctx.refuse(f"a timer on clock {record.clock_id}, notify {record.notify:#x}")
        if not 0 < record.signo <= NSIG and not record.notify & posix_timers.SIGEV_NONE:
            ctx.refuse(f"a timer that sends signal {record.signo}")
        if max(record.due_ns, record.interval_ns, record.overrun) > KTIME_MAX_NS:
            ctx.refuse(f"timer {number} is set for longer than time lasts")
        if record.last_overrun > posix_timers.DELAYTIMER_MAX:
            ctx.refuse(f"timer {number} has told of {record.last_overrun} expirations")
        if (record.interval_ns or record.told) and not record.due_ns:
            ctx.refuse(f"timer {number} has an interval, or has expired, and is off")
        signal.posix_timers[number] = PosixTimer(
            number,
            clock_id,
            record.notify,
            record.signo,
            record.value,
            record.tid,
            record.due_ns if is_cpu_clock(clock_id) else _shifted(ctx, record.due_ns),
            record.interval_ns,
            record.overrun,
            record.last_overrun,
            bool(record.told),
        )


def start_posix_timers(task: Task) -> None:
    """At commit."""
    for timer in task.signal.posix_timers.values():
        posix_timers.arm(task, timer)
