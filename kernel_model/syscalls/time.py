"""Clocks, sleeping and interval timers.

Mirrors: Linux kernel/time.c, posix-timers.c, hrtimer.c (nanosleep and its restart), itimer.c.
Deviates: all clocks are the virtual one; the CPU-time clocks count executed code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model import itimers
from kernel_model.abi.errno import EFAULT, EINVAL, EOPNOTSUPP, EPERM
from kernel_model.abi.time import NS_PER_S, US_PER_S, timespec, timeval
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.cpu_clocks import cpu_clock_ns, is_cpu_clock
from kernel_model.restart_block import RestartBlock, RestartFunction, block_of
from kernel_model.syscalls.declare import Flags, Int, Ptr, UInt, syscall
from kernel_model.syscalls.dispatch import Interrupted
from kernel_model.waitqueue import Restart, Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID = range(4)
CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME = range(4, 8)
_REALTIME = {CLOCK_REALTIME, CLOCK_REALTIME_COARSE}
NO_TIMERS = {CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE}
"""Clocks that can be read and nothing else."""
_MONOTONIC = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME}
TIMER_ABSTIME = 1


def clock_ns(task: Task, clock: int) -> int:
    """What a clock shows. Raises EINVAL."""
    if clock in _REALTIME:
        return task.kernel.clock.realtime_ns()
    if clock in _MONOTONIC:
        return task.kernel.clock.now_ns()
    if is_cpu_clock(clock):
        return cpu_clock_ns(task, clock)
    raise EINVAL(f"clock {clock} is unknown")


def read_timespec(task: Task, addr: int) -> int:
    """A timespec in nanoseconds, at most KTIME_MAX_NS. Raises EINVAL when it is not normalised."""
    spec = task.user.read_record(task.abi.structs.timespec, addr)
    if spec.tv_sec < 0 or not 0 <= spec.tv_nsec < NS_PER_S:
        raise EINVAL("a timespec that is not normalised")
    return min(spec.tv_sec * NS_PER_S + spec.tv_nsec, KTIME_MAX_NS)


def write_timespec(task: Task, addr: int, ns: int) -> None:
    """Store nanoseconds as a timespec."""
    task.user.write_record(timespec(task.abi.structs.timespec, ns), addr)


def read_timeval(task: Task, addr: int) -> int:
    """A timeval in nanoseconds, at most KTIME_MAX_NS. Raises EINVAL when it is not normalised."""
    value = task.user.read_record(task.abi.structs.timeval, addr)
    if value.tv_sec < 0 or not 0 <= value.tv_usec < US_PER_S:
        raise EINVAL("a timeval that is not normalised")
    return min(value.tv_sec * NS_PER_S + value.tv_usec * 1000, KTIME_MAX_NS)


def write_timeval(task: Task, addr: int, ns: int) -> None:
    """Store nanoseconds as a timeval."""
    task.user.write_record(timeval(task.abi.structs.timeval, ns), addr)


@syscall()
def time(task: Task, result: Ptr) -> int:
    """Seconds since 1970."""
    now = task.kernel.clock.realtime_ns() // NS_PER_S
    if result:
        task.user.write_word(result, now)
    return now


@syscall()
def gettimeofday(task: Task, result: Ptr, zone: Ptr) -> int:
    """The time with microseconds; the zone is UTC."""
    if result:
        write_timeval(task, result, task.kernel.clock.realtime_ns())
    if zone:
        task.user.write(zone, bytes(8))
    return 0


@syscall()
def clock_gettime(task: Task, clock: Int, result: Ptr) -> int:
    """What a clock shows."""
    write_timespec(task, result, clock_ns(task, clock))
    return 0


@syscall()
def clock_getres(task: Task, clock: Int, result: Ptr) -> int:
    """All clocks have nanoseconds."""
    clock_ns(task, clock)
    if result:
        write_timespec(task, result, 1)
    return 0


@syscall(partial="the clock is the model's own: setting it is refused with EPERM")
def clock_settime(task: Task, clock: Int, value: Ptr) -> int:
    """Refused: virtual time belongs to who started the machine."""
    if clock not in _REALTIME:
        raise EINVAL(f"clock {clock} cannot be set")
    read_timespec(task, value)
    raise EPERM("virtual time cannot be set from inside")


def _sleep_until(task: Task, deadline_ns: int, remaining: int, relative: bool) -> int:
    """The common part of all sleeps; `remaining` is where the rest is stored, or 0."""
    now = task.kernel.clock.now_ns()
    if now >= deadline_ns:
        return 0
    if task.has_signal():
        if not relative:
            raise Interrupted(Restart.ERESTARTNOHAND)
        if remaining:
            try:
                write_timespec(task, remaining, deadline_ns - now)
            except EFAULT:
                task.restart_block = None
                raise
        raise Interrupted(Restart.ERESTART_RESTARTBLOCK)
    raise Sleep(deadline_ns=deadline_ns, restart=Restart.ERESTART_RESTARTBLOCK)


def _nanosleep(task: Task, clock: int, duration: int, remaining: int) -> int:
    block = block_of(task, RestartFunction.NANOSLEEP)
    if block is None:
        deadline = task.kernel.clock.after(duration)
        block = RestartBlock(
            deadline_ns=deadline, function=RestartFunction.NANOSLEEP, args=(clock, remaining)
        )
        task.restart_block = block
    assert block.deadline_ns is not None
    return _sleep_until(task, block.deadline_ns, remaining, relative=True)


@syscall()
def nanosleep(task: Task, request: Ptr, remaining: Ptr) -> int:
    """Sleep for a time; when a handler interrupts it, the rest is stored."""
    return _nanosleep(task, CLOCK_MONOTONIC, read_timespec(task, request), remaining)


@syscall()
def clock_nanosleep(task: Task, clock: Int, flags: Flags, request: Ptr, remaining: Ptr) -> int:
    """Sleep on a clock, for a time or until one."""
    if clock == CLOCK_THREAD_CPUTIME_ID:
        raise EINVAL("a thread cannot sleep on its own CPU time")
    now = clock_ns(task, clock)
    if clock in NO_TIMERS:
        raise EOPNOTSUPP(f"clock {clock} has no timers")
    wanted = read_timespec(task, request)
    if not flags & TIMER_ABSTIME:
        return _nanosleep(task, clock, wanted, remaining)
    deadline = wanted - now + task.kernel.clock.now_ns()
    return _sleep_until(task, deadline, 0, relative=False)


def continue_nanosleep(task: Task, block: RestartBlock) -> int:
    """restart_syscall after an interrupted nanosleep."""
    assert block.deadline_ns is not None
    return _sleep_until(task, block.deadline_ns, block.args[1], relative=True)


@syscall()
def pause(task: Task) -> int:
    """Wait for a signal that is handled."""
    raise Sleep(restart=Restart.ERESTARTNOHAND)


@syscall()
def alarm(task: Task, seconds: UInt) -> int:
    """Send SIGALRM after so many seconds; what was left of the last alarm, rounded up."""
    left, _ = itimers.get(task, itimers.ITIMER_REAL)
    itimers.set_timer(task, itimers.ITIMER_REAL, seconds * NS_PER_S, 0)
    whole, part = divmod(left, NS_PER_S)
    return whole + 1 if part >= NS_PER_S // 2 or (part and not whole) else whole


@syscall()
def getitimer(task: Task, which: Int, value: Ptr) -> int:
    """An interval timer: its interval and what is left."""
    left, interval = itimers.get(task, which)
    width = task.abi.structs.timeval.fixed_bytes()
    task.user.writable(value, 2 * width)
    write_timeval(task, value, interval)
    write_timeval(task, value + width, left)
    return 0


@syscall()
def setitimer(task: Task, which: Int, value: Ptr, old: Ptr) -> int:
    """Set an interval timer; a null `value` switches it off, as Linux still allows."""
    width = task.abi.structs.timeval.fixed_bytes()
    interval = read_timeval(task, value) if value else 0
    left = read_timeval(task, value + width) if value else 0
    before = itimers.get(task, which)
    if old:
        if task.user.writable(old, 2 * width) < 2 * width:
            raise EFAULT(f"cannot write at {old:#x}")
        write_timeval(task, old, before[1])
        write_timeval(task, old + width, before[0])
    itimers.set_timer(task, which, left, interval)
    return 0
