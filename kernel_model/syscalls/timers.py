"""timerfd, signalfd and POSIX timers.

Mirrors: Linux fs/timerfd.c, fs/signalfd.c, kernel/posix-timers.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model import posix_timers, signals
from kernel_model.abi.errno import EFAULT, EINVAL, EOPNOTSUPP, NotModelled
from kernel_model.abi.fcntl import O_CLOEXEC, O_NONBLOCK
from kernel_model.clock import ktime_add
from kernel_model.cpu_clocks import canonical, is_cpu_clock, owner
from kernel_model.posix_timers import SIGEV_NONE, SIGEV_THREAD_ID, PosixTimer
from kernel_model.signalfd import SignalFile
from kernel_model.syscalls.declare import Fd, Flags, Int, Ptr, Size, syscall
from kernel_model.syscalls.events import install
from kernel_model.syscalls.time import (
    CLOCK_MONOTONIC,
    CLOCK_REALTIME,
    NO_TIMERS,
    TIMER_ABSTIME,
    clock_ns,
    read_timespec,
    write_timespec,
)
from kernel_model.timerfd import TimerFile

if TYPE_CHECKING:
    from kernel_model.task import Task

_SIGSET_BYTES = 8
_NSIG = 64
_CANCEL_ON_SET = 2
"""TFD_TIMER_CANCEL_ON_SET: nobody can set the clock, so nothing is ever cancelled."""


def _read_spec(task: Task, addr: int) -> tuple[int, int]:
    """struct itimerspec: (interval, value)."""
    width = task.abi.structs.timespec.fixed_bytes()
    return read_timespec(task, addr), read_timespec(task, addr + width)


def _write_spec(task: Task, addr: int, left: int, interval: int) -> None:
    width = task.abi.structs.timespec.fixed_bytes()
    if task.user.writable(addr, 2 * width) < 2 * width:
        raise EFAULT(f"cannot store at {addr:#x}")
    write_timespec(task, addr, interval)
    write_timespec(task, addr + width, left)


def _due(task: Task, clock_id: int, value: int, *, absolute: bool) -> int:
    """When a timer of this clock is due, monotonic; 0 is never."""
    if not value:
        return 0
    clock = task.kernel.clock
    if absolute:
        return max(1, value - clock_ns(task, clock_id) + clock.now_ns())
    return clock.after(value)


# ---- timerfd


def _timer_file(task: Task, fd: int) -> TimerFile:
    file = task.files.get(fd)
    if not isinstance(file, TimerFile):
        raise EINVAL(f"descriptor {fd} is no timerfd")
    return file


@syscall()
def timerfd_create(task: Task, clock_id: Int, flags: Flags) -> int:
    """A timer as a file."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK) or clock_id not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
        raise EINVAL(f"timerfd on clock {clock_id}, flags {flags:#o}")
    kernel = task.kernel
    file = TimerFile(kernel.vfs.anonfs, kernel.clock, task.abi.byte_order, clock_id, flags)
    return install(task, file, cloexec=bool(flags & O_CLOEXEC))


@syscall()
def timerfd_settime(task: Task, fd: Fd, flags: Flags, new: Ptr, old: Ptr) -> int:
    """Start or stop the timer; store what it was."""
    interval, value = _read_spec(task, new)
    if flags & ~(TIMER_ABSTIME | _CANCEL_ON_SET):
        raise EINVAL(f"timerfd_settime flags {flags:#x}")
    file = _timer_file(task, fd)
    before = file.left()
    file.set(_due(task, file.clock_id, value, absolute=bool(flags & TIMER_ABSTIME)), interval)
    if old:
        _write_spec(task, old, *before)
    return 0


@syscall()
def timerfd_gettime(task: Task, fd: Fd, value: Ptr) -> int:
    """What is left of the timer."""
    _write_spec(task, value, *_timer_file(task, fd).left())
    return 0


# ---- signalfd


@syscall(partial="an epoll set cannot watch it")
def signalfd4(task: Task, fd: Fd, mask: Ptr, size: Size, flags: Flags) -> int:
    """Signals as a file; with a descriptor, change what that one reads."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise EINVAL(f"signalfd flags {flags:#o}")
    if size != _SIGSET_BYTES:
        raise EINVAL(f"a signal set of {size} bytes")
    wanted = task.abi.word_bytes
    words = [task.user.word(mask + offset) for offset in range(0, _SIGSET_BYTES, wanted)]
    chosen = sum(word << 8 * wanted * place for place, word in enumerate(words))
    if fd == -1:
        file = SignalFile(task.kernel.vfs.anonfs, chosen, flags)
        return install(task, file, cloexec=bool(flags & O_CLOEXEC))
    there = task.files.get(fd)
    if not isinstance(there, SignalFile):
        raise EINVAL(f"descriptor {fd} is no signalfd")
    there.mask = chosen & ~signals.UNBLOCKABLE
    task.sighand.signalfd.wake_all()
    return fd


@syscall(partial="an epoll set cannot watch it")
def signalfd(task: Task, fd: Fd, mask: Ptr, size: Size) -> int:
    """Signals as a file."""
    return int(signalfd4.handler(task, fd, mask, size, 0))


# ---- POSIX timers


def _timer(task: Task, number: int) -> PosixTimer:
    timer = task.signal.posix_timers.get(number)
    if timer is None:
        raise EINVAL(f"there is no timer {number}")
    return timer


def _read_event(task: Task, addr: int) -> tuple[int, int, int, int]:
    """struct sigevent: (value, signal, notify, thread)."""
    width, order = task.abi.word_bytes, task.abi.byte_order
    raw = task.user.read(addr, width + 12)
    value = int.from_bytes(raw[:width], order)
    signo, notify, tid = (
        int.from_bytes(raw[start : start + 4], order, signed=True)
        for start in range(width, width + 12, 4)
    )
    if notify & ~(SIGEV_NONE | posix_timers.SIGEV_THREAD | SIGEV_THREAD_ID):
        raise EINVAL(f"sigev_notify {notify:#x}")
    if notify & SIGEV_THREAD_ID:
        thread = task.find(tid)
        if thread is None or thread.signal is not task.signal:
            raise EINVAL(f"{tid} is no thread of the caller")
    if notify & ~SIGEV_THREAD_ID != SIGEV_NONE and not 0 < signo <= _NSIG:
        raise EINVAL(f"there is no signal {signo}")
    return value, signo, notify, tid


@syscall(partial="CPU clocks of other processes and CLOCK_BOOTTIME are refused")
def timer_create(task: Task, clock_id: Int, event: Ptr, number: Ptr) -> int:
    """A timer that sends a signal; store its number."""
    clock_ns(task, clock_id)
    if is_cpu_clock(clock_id):
        if owner(task, clock_id)[0].signal is not task.signal:
            raise NotModelled("a timer on the CPU clock of another process")
        clock_id = canonical(task, clock_id)
    elif clock_id in NO_TIMERS:
        raise EOPNOTSUPP(f"clock {clock_id} has no timers")
    elif clock_id not in (CLOCK_REALTIME, CLOCK_MONOTONIC):
        raise NotModelled(f"a timer on clock {clock_id}")
    timers = task.signal.posix_timers
    chosen = next(free for free in range(len(timers) + 1) if free not in timers)
    fields = (chosen, signals.SIGALRM, 0, 0)
    if event:
        fields = _read_event(task, event)
    task.user.write_int(number, chosen)
    value, signo, notify, tid = fields
    timers[chosen] = PosixTimer(chosen, clock_id, notify, signo, value, tid)
    return 0


@syscall()
def timer_settime(task: Task, number: Int, flags: Flags, new: Ptr, old: Ptr) -> int:
    """Start or stop a timer; store what it was."""
    if not new:
        raise EINVAL("no time to set")
    interval, value = _read_spec(task, new)
    timer = _timer(task, number)
    before = posix_timers.left(task, timer), timer.interval_ns
    absolute = bool(flags & TIMER_ABSTIME)
    if timer.on_cpu:
        now = 0 if absolute else posix_timers.now_of(task, timer)
        due = ktime_add(now, value) if value else 0
    else:
        due = _due(task, timer.clock_id, value, absolute=absolute)
    timer.disarm(task)
    timer.due_ns, timer.interval_ns, timer.told = due, interval if due else 0, False
    timer.overrun = timer.last_overrun = 0
    posix_timers.arm(task.signal.leader, timer)
    if old:
        _write_spec(task, old, *before)
    return 0


@syscall()
def timer_gettime(task: Task, number: Int, value: Ptr) -> int:
    """What is left of a timer."""
    timer = _timer(task, number)
    _write_spec(task, value, posix_timers.left(task, timer), timer.interval_ns)
    return 0


@syscall()
def timer_getoverrun(task: Task, number: Int) -> int:
    """Expirations that the last signal stood for besides its own."""
    return _timer(task, number).last_overrun


@syscall()
def timer_delete(task: Task, number: Int) -> int:
    """Delete a timer."""
    _timer(task, number).disarm(task)
    del task.signal.posix_timers[number]
    task.signal.count_cpu_timers()
    return 0
