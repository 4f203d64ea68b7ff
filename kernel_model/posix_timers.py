"""POSIX timers: they belong to a process, and send a signal when they expire.

A timer has at most one signal pending. An interval timer starts again when that signal is taken;
the expirations in between are its overrun count.

Mirrors:  Linux kernel/posix-timers.c (posix_timer_fn, do_schedule_next_timer).
Deviates: a timer on the CPU clock of another process is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kernel_model import signals
from kernel_model.abi.errno import EINVAL
from kernel_model.clock import UNITS_PER_NS, Timer, ktime_add
from kernel_model.cpu_clocks import cpu_clock_ns, is_cpu_clock, owner, process_units

if TYPE_CHECKING:
    from kernel_model.task import Task

DELAYTIMER_MAX = (1 << 31) - 1
"""The most overruns that are told."""
SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 0, 1, 2, 4


@dataclass(slots=True, eq=False)
class PosixTimer:
    """One timer of a process. `due_ns` is monotonic; 0 is off."""

    number: int
    clock_id: int
    notify: int
    signo: int
    value: int
    tid: int
    due_ns: int = 0
    interval_ns: int = 0
    overrun: int = 0
    """Expirations since the signal that is pending."""
    last_overrun: int = 0
    """What timer_getoverrun tells."""
    told: bool = False
    """It expired, its signal is pending, and it was not started again."""
    timer: Timer | None = None

    @property
    def on_cpu(self) -> bool:
        """Whether executed code is its time; `due_ns` then is of that clock."""
        return is_cpu_clock(self.clock_id)

    def disarm(self, task: Task) -> None:
        """Take it from the clock."""
        if self.timer is not None:
            task.kernel.clock.cancel(self.timer)
            self.timer = None

    def forward(self, now_ns: int) -> int:
        """Move an interval timer's next expiration behind now; how many were passed."""
        passed = max(0, now_ns - self.due_ns) // self.interval_ns + 1
        self.due_ns = ktime_add(self.due_ns, passed * self.interval_ns)
        return passed


class Expiry:
    """What the clock calls: one timer of one process."""

    def __init__(self, task: Task, timer: PosixTimer) -> None:
        self.task = task
        self.timer = timer

    def __call__(self) -> None:
        """The timer is due."""
        self.timer.timer = None
        expire(self.task, self.timer)


def now_of(task: Task, timer: PosixTimer) -> int:
    """What a timer's clock shows; of a thread that is gone, nothing any more."""
    if not timer.on_cpu:
        return task.kernel.clock.now_ns()
    try:
        return cpu_clock_ns(task, timer.clock_id)
    except EINVAL:
        return 0


def arm(task: Task, timer: PosixTimer) -> None:
    """Set the clock for a timer as it stands; those on executed code are looked at as it runs."""
    timer.disarm(task)
    if timer.on_cpu:
        task.signal.count_cpu_timers()
    elif timer.due_ns and not timer.told and timer.notify != SIGEV_NONE:
        timer.timer = task.kernel.clock.set_timer(timer.due_ns, Expiry(task, timer))


def expire(leader: Task, timer: PosixTimer) -> None:
    """Send the signal."""
    to_thread = bool(timer.notify & SIGEV_THREAD_ID)
    target = leader.find(timer.tid) if to_thread else leader
    if target is None:
        target, to_thread = leader, False
    ignored = signals.ignored(target, timer.signo)
    if ignored:
        # Nobody will take the signal and start the timer again.
        if timer.interval_ns:
            timer.overrun += timer.forward(now_of(leader, timer))
            arm(leader, timer)
        else:
            timer.due_ns = 0
        return
    timer.told = True
    info = signals.SigInfo(timer.signo, signals.SI_TIMER, timer_id=timer.number, value=timer.value)
    signals.send(target, info, to_thread=to_thread)


def taken(task: Task, info: signals.SigInfo) -> signals.SigInfo:
    """A timer's signal is taken: start the timer again, and tell what was missed."""
    timer = task.signal.posix_timers.get(info.timer_id)
    if timer is None or not timer.told:
        return info
    timer.told = False
    if timer.interval_ns:
        timer.overrun += timer.forward(now_of(task, timer)) - 1
        arm(task.signal.leader, timer)
    else:
        timer.due_ns = 0
    timer.last_overrun, timer.overrun = min(timer.overrun, DELAYTIMER_MAX), 0
    return replace(info, overrun=timer.last_overrun)


def left(task: Task, timer: PosixTimer) -> int:
    """Time left; 0 when it is off."""
    if not timer.due_ns:
        return 0
    now = now_of(task, timer)
    if timer.interval_ns and (timer.told or timer.notify == SIGEV_NONE) and timer.due_ns <= now:
        timer.overrun += timer.forward(now)
    if timer.due_ns <= now and timer.notify == SIGEV_NONE:
        return 0
    return max(1, timer.due_ns - now)


def fire_cpu_timers(task: Task) -> None:
    """Fire what the task's running has made due."""
    for timer in list(task.signal.posix_timers.values()):
        if timer.on_cpu and timer.due_ns and not timer.told and timer.notify != SIGEV_NONE:
            if timer.due_ns <= now_of(task, timer):
                expire(task.signal.leader, timer)


def cpu_budgets(task: Task) -> Iterator[int]:
    """Code that the task may execute before each of its timers is due."""
    for timer in task.signal.posix_timers.values():
        if timer.on_cpu and timer.due_ns and not timer.told and timer.notify != SIGEV_NONE:
            try:
                target, per_thread = owner(task, timer.clock_id)
            except EINVAL:
                continue
            if target is task or not per_thread:
                used = target.run_units if per_thread else process_units(task)
                yield timer.due_ns * UNITS_PER_NS - used


def delete_all(task: Task) -> None:
    """exec, or the end of the process."""
    for timer in task.signal.posix_timers.values():
        timer.disarm(task)
    task.signal.posix_timers.clear()
    task.signal.count_cpu_timers()
