"""Chance on purpose: another order of runnable tasks, and everything else a program must survive.

A seeded kernel makes choices that Linux leaves open. Each choice is a pure function of the seed,
the virtual clock, the task and what is asked: nothing is used up by asking. So a checkpoint can
look ahead without changing anything, and all that C/R must carry is the seed and the two switches.

With a seed alone only the order of runnable tasks changes. With `wild` also: short reads and
writes of streams, EINTR where a stop and SIGCONT would cause it even without a handler, the order
in which futex waiters are woken, and where mmap puts a mapping.

What is chosen for a call must not depend on how often its handler is run, because a restart runs
the handlers of sleepers once more: only the run that succeeds may be shortened, and EINTR is
given on the first run of a handler alone.

Mirrors:  nothing. (The guest's own random bytes are another source: randomness.py.)
Not modelled: short transfers of regular files, which Linux does not do; signals of its own.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

from kernel_model.pipe import PIPE_BUF

if TYPE_CHECKING:
    from kernel_model.clock import Clock
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile
    from kernel_model.waitqueue import Sleep

T = TypeVar("T")
MAX_SEED = (1 << 64) - 1
_PAGE_BITS = 12
_MOST_PAGES_DOWN = 256
_ONE_IN = 4


class Chaos:
    """`seed` None: no choice is made by chance. `wild`: more than the order of tasks."""

    def __init__(self, clock: Clock, seed: int | None = None, wild: bool = False) -> None:
        self.clock = clock
        self.seed = seed
        self.wild = wild and seed is not None

    def state(self) -> tuple[int | None, bool]:
        """Everything there is to know of it."""
        return self.seed, self.wild

    def draw(self, what: str, pid: int, choices: int) -> int:
        """A number below `choices`; the same one for the same question at the same time."""
        question = f"{self.seed}/{self.clock.units}/{pid}/{what}".encode()
        number = int.from_bytes(hashlib.blake2b(question, digest_size=8).digest(), "big")
        return number % choices

    # ---- with any seed

    def place_in_queue(self, task: Task, waiting: int) -> int:
        """Before how many of those who wait for the CPU a task gets in line: there is a seed."""
        return self.draw("queue", task.pid, waiting + 1)

    # ---- only when wild

    def shorter_read(self, task: Task, file: OpenFile, count: int) -> int:
        """How much a read may return at most, when `count` bytes were asked for."""
        if not self.wild or count < 2 or not file.is_stream:
            return count
        return 1 + self.draw("read", task.pid, count)

    def shorter_write(self, task: Task, file: OpenFile, data: bytes) -> bytes:
        """What a write moves at most. Up to PIPE_BUF bytes go into a pipe whole or not at all."""
        least = PIPE_BUF if file.writes_whole else 0
        if not self.wild or len(data) <= least + 1 or not file.is_stream:
            return data
        if task.restart_block is not None:
            return data  # it has moved some, slept, and goes on: what was begun is what is wanted
        return data[: least + 1 + self.draw("write", task.pid, len(data) - least)]

    def interrupts(self, task: Task, sleep: Sleep) -> bool:
        """Whether a call that is about to sleep for the first time fails with EINTR instead."""
        return self.wild and sleep.stoppable and not self.draw("interrupt", task.pid, _ONE_IN)

    def shuffled(self, waiters: list[T]) -> list[T]:
        """The waiters of a futex in the order in which they are woken."""
        if not self.wild or len(waiters) < 2:
            return waiters
        left, order = list(waiters), []
        while left:
            order.append(left.pop(self.draw(f"futex{len(left)}", 0, len(left))))
        return order

    def pages_down(self, task: Task) -> int:
        """By how many bytes a new mapping lies lower than it might."""
        if not self.wild:
            return 0
        return self.draw("mmap", task.pid, _MOST_PAGES_DOWN) << _PAGE_BITS
