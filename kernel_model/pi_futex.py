"""Futexes with priority inheritance: the kernel knows who owns one, and hands it over.

The word holds the owner's number; that, and the waiters' restart blocks, is all the state there is,
so a restart needs nothing else. A waiter says in its block which command it is in: LOCK_PI waits
to own the futex, WAIT_REQUEUE_PI waits on another one until it is moved to this. Whoever is given
a futex finds its number in the word and `done` in its block when its handler runs again.

While somebody more urgent waits, the owner runs as urgently as that, and so does whoever it waits
for in turn.

Mirrors:  Linux kernel/futex (futex_lock_pi, futex_unlock_pi, futex_requeue, exit_pi_state_list),
          kernel/locking/rtmutex.c as far as a program can tell.
Deviates: only real-time priorities are inherited; nice values are not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EDEADLK, EFAULT, EINVAL, EPERM, ESRCH
from kernel_model.futex import (
    FUTEX_OWNER_DIED,
    FUTEX_TID_MASK,
    FUTEX_WAITERS,
    LOCK_PI,
    WAIT_REQUEUE_PI,
    Futexes,
    Key,
    command_of,
)
from kernel_model.restart_block import RestartBlock, RestartFunction

if TYPE_CHECKING:
    from kernel_model.task import Task


def read_word(task: Task, addr: int) -> int:
    """The word of a futex."""
    return int.from_bytes(task.user.read(addr, 4), task.abi.byte_order)


def pi_waiters(futexes: Futexes, key: Key) -> list[Task]:
    """Who waits to own a futex and has not been given it; the most urgent and oldest first."""
    waiting = [task for task in futexes.waiters(key) if _waits(task)]
    return sorted(waiting, key=lambda task: -max(task.scheduling.priority, task.boost))


def _waits(task: Task) -> bool:
    block = task.restart_block
    return (
        isinstance(block, RestartBlock)
        and block.function is RestartFunction.FUTEX
        and command_of(block) == LOCK_PI
        and not block.done
    )


def try_to_own(task: Task, addr: int, *, waiters: bool = False) -> bool:
    """Take the futex at `addr` if it is free; else mark that somebody waits.

    Raises EDEADLK for who owns it already, ESRCH if its owner is no task, EINVAL if the word is
    not what the kernel has made it.
    """
    futexes = task.kernel.futexes
    word = read_word(task, addr)
    owner = word & FUTEX_TID_MASK
    if owner == task.vpid:
        raise EDEADLK("the caller owns this futex")
    waiting = pi_waiters(futexes, futexes.key(task, addr))
    if not owner:
        if waiting and not word & FUTEX_OWNER_DIED:
            raise EINVAL("somebody waits for a futex that nobody owns")
        mark = FUTEX_WAITERS if waiting or waiters else 0
        _write(task, addr, word & FUTEX_OWNER_DIED | task.vpid | mark)
        return True
    holder = task.find(owner)
    if holder is None or holder.exited:
        raise ESRCH(f"the futex is owned by {owner}, which is no task")
    _refuse_circle(task, holder)
    if not word & FUTEX_WAITERS:
        _write(task, addr, word | FUTEX_WAITERS)
    return False


def _write(task: Task, addr: int, word: int) -> None:
    task.user.write(addr, word.to_bytes(4, task.abi.byte_order))


def owner_of(waiter: Task) -> Task | None:
    """Who owns what a task waits for; None if it does not wait to own anything."""
    block = waiter.restart_block
    if not _waits(waiter) or waiter.exited or not isinstance(block, RestartBlock):
        return None
    try:
        return waiter.find(read_word(waiter, block.args[0]) & FUTEX_TID_MASK)
    except EFAULT:
        return None


def _refuse_circle(task: Task, holder: Task) -> None:
    seen: list[Task] = []
    each: Task | None = holder
    while each is not None and each not in seen:
        if each is task:
            raise EDEADLK("its owner waits for what the caller owns")
        seen.append(each)
        each = owner_of(each)


def give_up(task: Task, addr: int) -> None:
    """FUTEX_UNLOCK_PI: the most urgent waiter owns it now. Raises EPERM."""
    word = read_word(task, addr)
    if word & FUTEX_TID_MASK != task.vpid:
        raise EPERM("the caller does not own this futex")
    futexes = task.kernel.futexes
    waiting = pi_waiters(futexes, futexes.key(task, addr))
    if waiting:
        _hand_over(waiting[0], 0)
    else:
        _write(task, addr, 0)
    inherit(task)


def _hand_over(heir: Task, died: int) -> None:
    block = heir.restart_block
    assert isinstance(block, RestartBlock)
    _write(heir, block.args[0], heir.vpid | FUTEX_WAITERS | died)
    heir.restart_block = replace(block, done=1)
    heir.wake()


def owned_by(task: Task) -> list[tuple[Key, list[Task]]]:
    """What a task owns that somebody waits for."""
    futexes = task.kernel.futexes
    keys: list[Key] = []
    for waiter in task.kernel.tasks.values():
        if waiter is not task and owner_of(waiter) is task:
            block = waiter.restart_block
            assert isinstance(block, RestartBlock)
            key = futexes.key(waiter, block.args[0])
            if key not in keys:
                keys.append(key)
    return [(key, pi_waiters(futexes, key)) for key in keys]


def bequeath(task: Task, owned: list[tuple[Key, list[Task]]]) -> None:
    """The task has died: each of its futexes goes to a waiter, who is told that its owner died."""
    for _, waiting in owned:
        try:
            _hand_over(waiting[0], FUTEX_OWNER_DIED)
        except EFAULT:
            continue  # nobody can look at the word any more
    if owned:
        inherit(task)


def inherit(task: Task) -> None:
    """Somebody waits or waits no longer: who owns something runs as urgently as its waiters."""
    kernel = task.kernel
    if not kernel.sched.realtime:
        return
    before = {each: each.boost for each in kernel.tasks.values()}
    for each in before:
        each.boost = 0
    pairs = [(each, owner_of(each)) for each in before if each.syscall is not None]
    changed = True
    while changed:
        changed = False
        for waiter, owner in pairs:
            urgent = max(waiter.scheduling.priority, waiter.boost)
            if owner is not None and urgent > max(owner.scheduling.priority, owner.boost):
                owner.boost, changed = urgent, True
    if any(each.boost != old for each, old in before.items()):
        kernel.sched.reconsider()


def requeue_pi(task: Task, addr: int, addr2: int, most: int) -> int:
    """FUTEX_CMP_REQUEUE_PI: the first waiter owns the other futex if it is free, or waits for it
    with `most` others; how many have left this one.
    """
    futexes = task.kernel.futexes
    source, target = futexes.key(task, addr), futexes.key(task, addr2)
    waiting = futexes.waiters(source)
    for waiter in waiting:
        block = waiter.restart_block
        assert isinstance(block, RestartBlock)
        if command_of(block) != WAIT_REQUEUE_PI or futexes.key(waiter, block.args[1]) != target:
            raise EINVAL("a waiter does not wait to be moved there")
    if not waiting:
        return 0
    waiting.sort(key=lambda each: -each.scheduling.priority)
    moved = 0
    first = waiting[0]
    if not read_word(task, addr2) & FUTEX_TID_MASK:
        block = first.restart_block
        assert isinstance(block, RestartBlock)
        try_to_own(first, block.args[1], waiters=most > 0 and len(waiting) > 1)
        first.restart_block = replace(block, done=1)
        first.wake()
        waiting, moved = waiting[1:], 1
    for waiter in waiting[: most + 1 - moved]:
        _move(futexes, waiter, target)
        moved += 1
    inherit(task)
    return moved


def _move(futexes: Futexes, waiter: Task, target: Key) -> None:
    block = waiter.restart_block
    assert isinstance(block, RestartBlock)
    addr, operation = block.args[1], block.args[2]
    operation = operation & ~0x7F | LOCK_PI
    if try_to_own(waiter, addr):
        waiter.restart_block = replace(block, done=1)
        waiter.wake()
        return
    waiter.restart_block = replace(block, args=(addr, 0, operation, REQUEUED))
    if waiter.waiting is not None:
        waiter.move_to_queue(futexes.queue(target))


REQUEUED = 1
"""In the last argument of a block: the waiter has come from another futex."""
