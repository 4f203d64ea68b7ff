"""Clocks that count what a process or a thread has executed, and their numbers.

A clock of another task has a number made of its own: the complement of the task's number above
three bits. Two of them say which clock (all are the same here), the third that it is a thread's.

Mirrors:  Linux kernel/time/posix-cpu-timers.c.
Deviates: all execution is user time, so the PROF, VIRT and SCHED clocks of a task agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL
from kernel_model.clock import UNITS_PER_NS

if TYPE_CHECKING:
    from kernel_model.task import Task

PROCESS_CPUTIME, THREAD_CPUTIME = 2, 3
_PER_THREAD, _WHICH, _SCHED = 4, 3, 2


def process_units(task: Task) -> int:
    """Code that the process has executed, in bytes, with its dead threads."""
    return task.signal.run_units + sum(t.run_units for t in task.signal.threads if not t.exited)


def is_cpu_clock(clock: int) -> bool:
    """Whether a clock counts executed code."""
    return clock in (PROCESS_CPUTIME, THREAD_CPUTIME) or clock < 0


def canonical(task: Task, clock: int) -> int:
    """The number that means the same from now on: a thread's own clock gets its number."""
    if clock == PROCESS_CPUTIME or (clock < 0 and not clock & _PER_THREAD and not ~clock >> 3):
        return PROCESS_CPUTIME
    number = task.vpid if clock == THREAD_CPUTIME else ~(clock >> 3) or task.vpid
    per_thread = _PER_THREAD if clock == THREAD_CPUTIME else clock & _PER_THREAD
    return ~number << 3 | per_thread | _SCHED


def owner(task: Task, clock: int) -> tuple[Task, bool]:
    """The task of a CPU clock, and whether it is the thread's alone. Raises EINVAL."""
    if clock == PROCESS_CPUTIME:
        return task, False
    if clock == THREAD_CPUTIME:
        return task, True
    if clock & _WHICH == _WHICH:
        raise EINVAL(f"clock {clock} is unknown")
    per_thread = bool(clock & _PER_THREAD)
    number = ~(clock >> 3)
    target = task.find(number) if number else task
    if target is None:
        raise EINVAL(f"clock {clock} is of a task that is not there")
    if per_thread:
        if target.signal is not task.signal:
            raise EINVAL("the clock of a thread of another process")
    elif number and not target.is_leader:
        raise EINVAL(f"{number} is a thread, not a process")
    return target, per_thread


def cpu_clock_ns(task: Task, clock: int) -> int:
    """What a CPU clock shows, asked by a task. Raises EINVAL."""
    target, per_thread = owner(task, clock)
    return (target.run_units if per_thread else process_units(target)) // UNITS_PER_NS
