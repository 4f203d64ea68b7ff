"""Robust futexes: what a thread still holds when it ends is marked, and a waiter is told.

A thread keeps a list of the locks that it holds in its own memory, and tells the kernel where. Each
entry of the list lies at a fixed distance from the lock's futex; `pending` is the one that is being
taken or given back at this moment.

Mirrors: Linux kernel/futex.c -- exit_robust_list, handle_futex_death.
Deviates: a list that is damaged ends where it can be read no further, as there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT

if TYPE_CHECKING:
    from kernel_model.task import Task

FUTEX_WAITERS, FUTEX_OWNER_DIED, FUTEX_TID_MASK = 0x80000000, 0x40000000, 0x3FFFFFFF
LONGEST_LIST = 2048
_PRIORITY_INHERITING = 1
"""The lowest bit of an entry's address says that its futex is of that kind."""


def exit_robust_list(task: Task) -> None:
    """The thread leaves its memory: give up every lock on its list."""
    head, _ = task.robust_list
    if not head or task.mm is None:
        return
    word = task.abi.word_bytes
    try:
        entry, offset, pending = (task.user.word(head + position * word) for position in range(3))
        for _ in range(LONGEST_LIST):
            if entry & ~_PRIORITY_INHERITING == head:
                break
            # The next one first: whoever is woken may free this one.
            following = task.user.word(entry & ~_PRIORITY_INHERITING)
            if entry != pending:
                _give_up(task, entry, offset)
            entry = following
    except EFAULT:
        return
    if pending:
        _give_up(task, pending, offset)


def _give_up(task: Task, entry: int, offset: int) -> None:
    """One lock: its owner is dead, and the first waiter may know."""
    addr = (entry & ~_PRIORITY_INHERITING) + offset & task.abi.mask
    try:
        value = int.from_bytes(task.user.read(addr, 4), task.abi.byte_order)
        if value & FUTEX_TID_MASK != task.vpid:
            return
        task.user.write_int(addr, value & FUTEX_WAITERS | FUTEX_OWNER_DIED)
    except EFAULT:
        return
    if value & FUTEX_WAITERS and not entry & _PRIORITY_INHERITING:
        task.kernel.futexes.wake(task, addr, 1)
