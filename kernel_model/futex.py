"""Futexes: tasks that wait until a word of memory is changed.

A futex is named by the memory that it is in: a page of an address space, or of what lies behind a
shared mapping. Waiters stand in the order in which they came.

Mirrors: Linux kernel/futex.c.
Not modelled: priority-inheritance futexes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emu.memory import PAGE_SHIFT
from kernel_model.abi.errno import EFAULT
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.chaos import Chaos
    from kernel_model.task import Task

Key = tuple[Any, int]
ALL_BITS = 0xFFFFFFFF


class Futexes:
    """All futexes of a kernel that somebody waits for."""

    def __init__(self, chaos: Chaos) -> None:
        self.chaos = chaos
        self._queues: dict[Key, WaitQueue] = {}

    def key(self, task: Task, addr: int) -> Key:
        """What names the futex at an address. Raises EFAULT."""
        assert task.mm is not None
        vma = task.mm.find(addr)
        if vma is None:
            raise EFAULT(f"no futex at {addr:#x}")
        if vma.shared and vma.backing is not None:
            page = vma.page_offset(addr >> PAGE_SHIFT)
            return (vma.backing, page << PAGE_SHIFT | addr & 0xFFF)
        return (task.mm, addr)

    def queue(self, key: Key) -> WaitQueue:
        """Who waits for a futex."""
        return self._queues.setdefault(key, WaitQueue())

    def waiters(self, key: Key) -> list[Task]:
        """The tasks that wait, the first one first."""
        queue = self._queues.get(key)
        return list(queue.waiters) if queue is not None else []

    def wake(self, task: Task, addr: int, count: int, bits: int = ALL_BITS) -> int:
        """Wake up to `count` waiters whose bit set meets `bits`; how many."""
        try:
            key = self.key(task, addr)
        except EFAULT:
            return 0
        return self.wake_key(key, count, bits)

    def wake_key(self, key: Key, count: int, bits: int = ALL_BITS) -> int:
        """The same for a futex that is at hand."""
        woken = 0
        for waiter in self.chaos.shuffled(self.waiters(key)):
            if woken >= count:
                break
            if waiter.futex_bits & bits:
                # The wait is over, whatever the word says when the handler looks again.
                assert waiter.restart_block is not None
                waiter.restart_block = replace(waiter.restart_block, done=1)
                waiter.wake()
                woken += 1
        if not self.waiters(key):
            self._queues.pop(key, None)
        return woken
