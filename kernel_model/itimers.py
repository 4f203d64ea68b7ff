"""Interval timers: ITIMER_REAL on virtual time, ITIMER_VIRTUAL and _PROF on executed code.

RLIMIT_CPU is one more timer on executed code: SIGXCPU at the soft limit, and each second after it;
SIGKILL at the hard one.

Mirrors: Linux kernel/itimer.c, posix-cpu-timers.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model import posix_timers, signals
from kernel_model.abi.errno import EINVAL
from kernel_model.abi.limits import RLIM_INFINITY, RLIMIT_CPU
from kernel_model.abi.time import NS_PER_S
from kernel_model.clock import UNITS_PER_NS, ktime_add
from kernel_model.cpu_clocks import process_units

if TYPE_CHECKING:
    from kernel_model.signals import IntervalTimer
    from kernel_model.task import Task

ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = range(3)
_SECOND_UNITS = NS_PER_S * UNITS_PER_NS
_MICROSECOND = 1000
"""What getitimer shows of less: a timer that runs has never nothing left."""
_SIGNALS = (14, 26, 27)  # SIGALRM, SIGVTALRM, SIGPROF


def _timer(task: Task, which: int) -> IntervalTimer:
    if which not in (ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF):
        raise EINVAL(f"there is no interval timer {which}")
    return task.signal.itimers[which]


def clock_of(task: Task, which: int) -> int:
    """The clock that a timer runs on, in nanoseconds."""
    if which == ITIMER_REAL:
        return task.kernel.clock.now_ns()
    return process_units(task) // UNITS_PER_NS


def get(task: Task, which: int) -> tuple[int, int]:
    """(left, interval) in nanoseconds, as getitimer tells; left is 0 when it is off."""
    left, interval = exact(task, which)
    return max(left, _MICROSECOND) if left else 0, interval


def exact(task: Task, which: int) -> tuple[int, int]:
    """The same to the nanosecond. One that is due but was not looked at has a little left."""
    timer = _timer(task, which)
    left = max(timer.due - clock_of(task, which), 1) if timer.due else 0
    return left, timer.interval


def set_timer(task: Task, which: int, left: int, interval: int) -> None:
    """Start or stop (`left` 0) a timer."""
    timer = _timer(task, which)
    timer.interval = interval
    timer.due = ktime_add(clock_of(task, which), left) if left else 0
    if which == ITIMER_REAL:
        rearm(task)


def lateness(task: Task, which: int) -> int:
    """Since when a timer is due that has not fired, in nanoseconds plus 1; 0: it is not due."""
    timer = _timer(task, which)
    return max(0, clock_of(task, which) - timer.due + 1) if timer.due else 0


def start(task: Task, which: int, left: int, interval: int) -> None:
    """set_timer for one that may be due already: then `left` is its `lateness`, negative."""
    set_timer(task, which, max(left, 1) if left else 0, interval)
    if left < 0:
        task.signal.itimers[which].due += left
        if which == ITIMER_REAL:
            rearm(task)


def rearm(task: Task) -> None:
    """Set the clock for ITIMER_REAL as it stands in the process."""
    timer = task.signal.itimers[ITIMER_REAL]
    if timer.timer is not None:
        task.kernel.clock.cancel(timer.timer)
        timer.timer = None
    if timer.due:
        timer.timer = task.kernel.clock.set_timer(timer.due, task.signal.real_timer_fired)


def fire(task: Task, which: int) -> None:
    """A timer is due: send its signal, start it again when it has an interval."""
    timer = task.signal.itimers[which]
    timer.timer = None
    signals.send(task, signals.SigInfo(_SIGNALS[which], signals.SI_KERNEL))
    if not timer.interval:
        timer.due = 0
    else:
        now = clock_of(task, which)
        missed = max(0, (now - timer.due) // timer.interval)
        timer.due = ktime_add(timer.due, (missed + 1) * timer.interval)
    if which == ITIMER_REAL:
        rearm(task)


def fire_cpu_timers(task: Task) -> None:
    """Fire what the CPU time of the task's process has reached."""
    for which in (ITIMER_VIRTUAL, ITIMER_PROF):
        timer = task.signal.itimers[which]
        if timer.due and timer.due <= clock_of(task, which):
            fire(task, which)
    if task.signal.cpu_timers:
        posix_timers.fire_cpu_timers(task)
    soft, hard = task.signal.rlimits[RLIMIT_CPU]
    used = process_units(task)
    if hard != RLIM_INFINITY and used >= hard * _SECOND_UNITS:
        signals.send(task, signals.SigInfo(signals.SIGKILL, signals.SI_KERNEL))
    elif soft != RLIM_INFINITY and used >= soft * _SECOND_UNITS:
        task.signal.rlimits[RLIMIT_CPU] = (soft + 1, hard)
        signals.send(task, signals.SigInfo(signals.SIGXCPU, signals.SI_KERNEL))


def cpu_budget(task: Task) -> int | None:
    """Code that the task may execute before a CPU timer is due; None without one."""
    _, virtual, prof = task.signal.itimers
    seconds = task.signal.rlimits[RLIMIT_CPU][0]
    others = task.signal.cpu_timers
    if not virtual.due and not prof.due and seconds == RLIM_INFINITY and not others:
        return None  # nearly always: this is asked at every run of code
    due = [timer.due * UNITS_PER_NS for timer in (virtual, prof) if timer.due]
    # The soft limit is never above the hard one.
    if seconds != RLIM_INFINITY:
        due.append(seconds * _SECOND_UNITS)
    used = process_units(task)
    left = [each - used for each in due]
    if others:
        left += posix_timers.cpu_budgets(task)
    return min(left, default=None)
