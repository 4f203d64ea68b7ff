"""The scheduler: round robin over one run queue, deterministic; real-time tasks go first.

A seed (chaos.py) gives whoever becomes runnable another place in the queue.

Mirrors:  Linux's policies as far as a program can tell: who goes first, who is preempted, who
          runs longer.
Deviates: fairness is that everybody gets a slice in turn; its length follows the nice value.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, MutableSequence
from typing import TYPE_CHECKING

from kernel_model.scheduling import SCHED_FIFO, SLICE_UNITS

if TYPE_CHECKING:
    from kernel_model.chaos import Chaos
    from kernel_model.task import Task

__all__ = ["SLICE_UNITS", "Scheduler"]


def _priority(task: Task) -> int:
    return max(task.scheduling.priority, task.boost)


class Scheduler:
    """Who runs next."""

    def __init__(self, chaos: Chaos) -> None:
        self.chaos = chaos
        self.queue: deque[Task] = deque()
        self.current: Task | None = None
        self.slice_left = SLICE_UNITS
        self.realtime = False
        """Some task has been given a real-time priority: the queue's order is not all."""

    def enqueue(self, task: Task) -> None:
        """A task has become runnable."""
        if task is not self.current and task not in self.queue and not task.frozen:
            self._get_in_line(self.queue, task)
            if self.realtime:
                self._preempt()

    def _get_in_line(self, queue: MutableSequence[Task], task: Task) -> None:
        if self.chaos.seed is None or self._is_urgent(queue, task):
            queue.append(task)
        else:
            # Asked again at the same time, chance gives the same place: `order` may look ahead.
            queue.insert(self.chaos.place_in_queue(task, len(queue)), task)

    def _is_urgent(self, queue: Iterable[Task], task: Task) -> bool:
        # That a task was real-time once is not in an image: it must make no difference.
        return self.realtime and any(map(_priority, (*queue, task)))

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

    def give_way(self) -> None:
        """sched_yield: the others first."""
        self.slice_left = 0
        if self.current is not None and self._is_urgent(self.queue, self.current):
            self.queue.append(self.current)
            self.current = None

    def reconsider(self) -> None:
        """A priority has changed."""
        self.realtime = True
        self._preempt()

    def _preempt(self) -> None:
        """Take the CPU from a task that is less urgent than one that waits."""
        current = self.current
        if current is not None and self.queue:
            if max(map(_priority, self.queue)) > _priority(current):
                self.slice_left = 0

    def pick(self) -> Task | None:
        """The task to run now: the current one while its slice lasts."""
        current = self.current
        if current is not None:
            if self.slice_left > 0:
                return current
            if not self.queue or self._goes_on(current):
                self.slice_left = current.scheduling.slice_units
                return current
            self._get_in_line(self.queue, current)
            self.current = None
        if self.queue:
            self.current = self._next()
            self.slice_left = self.current.scheduling.slice_units
        return self.current

    def _goes_on(self, task: Task) -> bool:
        """Whether the end of a slice means nothing: nobody who waits may run before it."""
        if not self.realtime:
            return False
        urgent = max(map(_priority, self.queue))
        return urgent < _priority(task) or (
            urgent == _priority(task) and task.scheduling.policy == SCHED_FIFO
        )

    def _next(self) -> Task:
        if not self.realtime:
            return self.queue.popleft()
        chosen = max(self.queue, key=_priority)  # the first of the most urgent
        self.queue.remove(chosen)
        return chosen

    def order(self) -> tuple[list[Task], int]:
        """Who would run, the next one first, and what that one has left of its slice."""
        waiting = list(self.queue)
        if self.realtime:
            waiting.sort(key=_priority, reverse=True)
        current = self.current
        if current is not None:
            if self.slice_left > 0:
                return [current, *waiting], self.slice_left
            if not waiting or self._goes_on(current):
                waiting.insert(0, current)
            else:
                self._get_in_line(waiting, current)
                if self.realtime:
                    waiting.sort(key=_priority, reverse=True)
        return waiting, waiting[0].scheduling.slice_units if waiting else SLICE_UNITS

    def set_order(self, tasks: list[Task], slice_left: int) -> None:
        """Restart: the opposite of `order`."""
        self.queue = deque(tasks)
        self.current = self.queue.popleft() if self.queue else None
        self.slice_left = slice_left
