"""The scheduler: round robin over one run queue, deterministic.

Mirrors nothing of Linux's schedulers; fairness is that everybody gets the same slice in turn.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.task import Task

SLICE_UNITS = 40_000_000
"""A time slice: 10 ms of virtual time, in bytes of code."""


class Scheduler:
    """Who runs next."""

    def __init__(self) -> None:
        self.queue: deque[Task] = deque()
        self.current: Task | None = None
        self.slice_left = SLICE_UNITS

    def enqueue(self, task: Task) -> None:
        """A task has become runnable."""
        if task is not self.current and task not in self.queue and not task.frozen:
            self.queue.append(task)

    def leave_queue(self, task: Task) -> None:
        """A runnable task must wait; the current one finishes its handler first."""
        if task in self.queue:
            self.queue.remove(task)

    def dequeue(self, task: Task) -> None:
        """A task is no longer runnable."""
        if task is self.current:
            self.current = None
        elif task in self.queue:
            self.queue.remove(task)

    def pick(self) -> Task | None:
        """The task to run now: the current one while its slice lasts."""
        if self.current is not None:
            if self.slice_left > 0 or not self.queue:
                if self.slice_left <= 0:
                    self.slice_left = SLICE_UNITS
                return self.current
            self.queue.append(self.current)
            self.current = None
        if self.queue:
            self.current = self.queue.popleft()
            self.slice_left = SLICE_UNITS
        return self.current

    def order(self) -> tuple[list[Task], int]:
        """Who would run, the next one first, and what that one has left of its slice."""
        waiting = list(self.queue)
        if self.current is None:
            return waiting, SLICE_UNITS
        if self.slice_left > 0:
            return [self.current, *waiting], self.slice_left
        return [*waiting, self.current], SLICE_UNITS

    def set_order(self, tasks: list[Task], slice_left: int) -> None:
        """Restart: the opposite of `order`."""
        self.queue = deque(tasks)
        self.current = self.queue.popleft() if self.queue else None
        self.slice_left = slice_left
