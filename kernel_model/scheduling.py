"""How a task shares the processor: policy, priorities, nice value.

The scheduler takes real-time tasks first, and gives the others slices whose length follows their
nice value, each step being a quarter as in Linux.

Mirrors:  Linux task_struct's policy, rt_priority, static_prio; io_context's ioprio.
Deviates: I/O takes no time in this machine, so its priority is kept and shown, no more.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE = 0, 1, 2, 3, 5
POLICIES = frozenset({SCHED_NORMAL, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE})
REALTIME = frozenset({SCHED_FIFO, SCHED_RR})
HIGHEST_PRIORITY = 99
LOWEST_NICE, HIGHEST_NICE = -20, 19
IO_NONE, IO_REALTIME, IO_BEST_EFFORT, IO_IDLE = range(4)
IO_CLASS_SHIFT, IO_LEVELS = 13, 8
SLICE_UNITS = 40_000_000
"""A time slice at nice 0: 10 ms of virtual time, in bytes of code."""
LONGEST_SLICE_UNITS = SLICE_UNITS * 5**20 // 4**20
_SHORTEST_UNITS = 4_000_000


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Immutable: a change makes a new one."""

    policy: int = SCHED_NORMAL
    priority: int = 0
    """1 to 99 of a real-time task, else 0."""
    nice: int = 0
    io_priority: int = 0
    """IOPRIO_*: a class in the upper bits, a level in the lower ones."""
    reset_on_fork: bool = False

    def of_child(self) -> Scheduling:
        """What fork hands on."""
        if not self.reset_on_fork:
            return self
        return Scheduling(nice=max(self.nice, 0), io_priority=self.io_priority)

    @property
    def slice_units(self) -> int:
        """How long the task runs before others get their turn."""
        if not self.nice:
            return SLICE_UNITS
        scaled = SLICE_UNITS
        for _ in range(abs(self.nice)):
            scaled = scaled * 4 // 5 if self.nice > 0 else scaled * 5 // 4
        return max(scaled, _SHORTEST_UNITS)


DEFAULT = Scheduling()
