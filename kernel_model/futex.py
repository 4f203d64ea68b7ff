"""Futexes: tasks that wait until a word of memory is changed.

A futex is named by the memory that it is in: a page of an address space, or of what lies behind a
shared mapping. Waiters stand in the order in which they came.

Mirrors: Linux kernel/futex.c.
Those with priority inheritance are in pi_futex.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from emu.memory import PAGE_SHIFT
from kernel_model.abi.errno import EFAULT, EINVAL
from kernel_model.restart_block import RestartBlock, RestartFunction
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.chaos import Chaos
    from kernel_model.task import Task

Key = tuple[Any, int]
ALL_BITS = 0xFFFFFFFF
LOCK_PI, UNLOCK_PI, TRYLOCK_PI = 6, 7, 8
WAIT_REQUEUE_PI, CMP_REQUEUE_PI = 11, 12
_PI_WAITS = (LOCK_PI, WAIT_REQUEUE_PI)
_COMMAND_BITS = 0x7F


def command_of(block: RestartBlock) -> int:
    """Which command a waiter is in."""
    return block.args[2] & _COMMAND_BITS


def refuse_pi(block: RestartBlock) -> None:
    """Whoever waits to own a futex is woken by those who own it. Raises EINVAL."""
    if command_of(block) in _PI_WAITS:
        raise EINVAL("the waiter is to own a futex: it can only be moved or given one")


class Futexes:
    """All futexes of a kernel that somebody waits for."""

    def __init__(self, chaos: Chaos, tasks: Mapping[int, Task]) -> None:
        self.chaos = chaos
        self._tasks = tasks
        self._queues: dict[Key, WaitQueue] = {}

    def key(self, task: Task, addr: int) -> Key:
        """What names the futex at an address. Raises EFAULT, EINVAL."""
        if addr & 3:
            raise EINVAL(f"a futex at {addr:#x} is not aligned")
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
        """The tasks that wait, the first one first.

        Also those that something else has woken and that have not looked yet: Linux takes them
        off the list only when they run, so a wake-up meanwhile is for them and is not lost.
        """
        queue = self._queues.get(key)
        waiting = list(queue.waiters) if queue is not None else []
        roused = [task for task in self._tasks.values() if self._roused(task, key)]
        if roused:
            waiting = sorted(waiting + roused, key=lambda task: task.sleep_number)
        return waiting

    def _roused(self, task: Task, key: Key) -> bool:
        block = task.restart_block
        if task.waiting is not None or task.syscall is None or not isinstance(block, RestartBlock):
            return False
        if block.function is not RestartFunction.FUTEX or block.done or task.exited:
            return False
        try:
            return self.key(task, block.args[0]) == key
        except EFAULT:
            return False

    def move(self, waiter: Task, target: Key) -> bool:
        """FUTEX_REQUEUE: sleep on for another futex; False if the waiter does not have it mapped.

        Its restart block names the new one: whoever runs the handler again must find it there.
        """
        block = waiter.restart_block
        assert isinstance(block, RestartBlock)
        refuse_pi(block)
        addr = self._address(waiter, target)
        if addr is None:
            return False
        waiter.restart_block = replace(block, args=(addr, *block.args[1:]))
        if waiter.waiting is not None:
            waiter.move_to_queue(self.queue(target))
        return True

    @staticmethod
    def _address(task: Task, key: Key) -> int | None:
        """Where a task sees a futex."""
        assert task.mm is not None
        where, offset = key
        if where is task.mm:
            return offset
        for vma in task.mm.vmas:
            if vma.shared and vma.backing is where:
                addr = vma.start + offset - (vma.offset << PAGE_SHIFT)
                if vma.start <= addr < vma.end:
                    return addr
        return None

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
            block = waiter.restart_block
            assert isinstance(block, RestartBlock)
            refuse_pi(block)
            if block.args[3] & bits:
                # The wait is over, whatever the word says when the handler looks again.
                waiter.restart_block = replace(block, done=1)
                waiter.wake()
                woken += 1
        if not self.waiters(key):
            self._queues.pop(key, None)
        return woken


FUTEX_WAITERS, FUTEX_OWNER_DIED, FUTEX_TID_MASK = 1 << 31, 1 << 30, (1 << 30) - 1
_ROBUST_LIST_LIMIT = 2048


def leave_robust_futexes(task: Task) -> None:
    """A thread ends: the futexes on its list that it owns are marked. Raises EFAULT.

    The list is the thread's own doing: it may be wrong, or a circle, and may end anywhere.
    """
    head = task.robust_list[0]
    width, mask = task.abi.word_bytes, task.abi.mask
    entry, offset, pending = (task.user.word(head + width * place) for place in range(3))
    pending, pending_inherits = pending & ~3, bool(pending & 1)
    for _ in range(_ROBUST_LIST_LIMIT):
        entry, inherits = entry & ~3, bool(entry & 1)
        if entry == head:
            break
        following = task.user.word(entry)
        if entry != pending:
            _owner_died(task, entry + offset & mask, inherits=inherits)
        entry = following
    if pending:
        _owner_died(task, pending + offset & mask, inherits=pending_inherits)


def _owner_died(task: Task, addr: int, *, inherits: bool) -> None:
    if addr & 3:
        raise EFAULT(f"a futex at {addr:#x} is not aligned")
    word = int.from_bytes(task.user.read(addr, 4), task.abi.byte_order)
    if word & FUTEX_TID_MASK != task.vpid:
        return
    task.user.write(
        addr, (word & FUTEX_WAITERS | FUTEX_OWNER_DIED).to_bytes(4, task.abi.byte_order)
    )
    if word & FUTEX_WAITERS and not inherits:
        # musl's entries never say that a futex inherits: then nobody is woken here, but `bequeath`
        # gives it away. Linux's handle_futex_death does not look at what futex_wake returns.
        with suppress(EINVAL):
            task.kernel.futexes.wake(task, addr, 1)
