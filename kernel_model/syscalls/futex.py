"""The futex call.

Mirrors: Linux kernel/futex.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_model import pi_futex
from kernel_model.abi.errno import EAGAIN, EINVAL, ENOSYS, EPERM, ESRCH, ETIMEDOUT, NotModelled
from kernel_model.futex import (
    ALL_BITS,
    CMP_REQUEUE_PI,
    FUTEX_TID_MASK,
    LOCK_PI,
    TRYLOCK_PI,
    UNLOCK_PI,
    WAIT_REQUEUE_PI,
    Key,
    command_of,
)
from kernel_model.restart_block import RestartBlock, RestartFunction, block_of
from kernel_model.syscalls.declare import Int, Ptr, UInt, syscall
from kernel_model.syscalls.dispatch import Interrupted
from kernel_model.syscalls.time import read_timespec
from kernel_model.waitqueue import Restart, Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_WAIT, _WAKE, _, _REQUEUE, _CMP_REQUEUE, _WAKE_OP = range(6)
_WAIT_BITSET, _WAKE_BITSET = 9, 10
_TAKES_CLOCK = (_WAIT_BITSET, WAIT_REQUEUE_PI)
_PRIVATE, _CLOCK_REALTIME = 128, 256


@syscall(partial="FUTEX_FD is refused; LOCK_PI inherits real-time priorities, not nice values")
def futex(
    task: Task, addr: Ptr, operation: Int, value: UInt, timeout: Ptr, addr2: Ptr, value3: UInt
) -> int:
    """Wait until a word changes, or wake those who wait."""
    command = operation & ~(_PRIVATE | _CLOCK_REALTIME)
    if command not in _COMMANDS:
        raise ENOSYS(f"futex operation {command}")
    if operation & _CLOCK_REALTIME and command not in _TAKES_CLOCK:
        raise ENOSYS(f"futex operation {command} does not choose its clock")
    futexes = task.kernel.futexes
    if command in (_WAIT, _WAIT_BITSET):
        bits = value3 if command == _WAIT_BITSET else ALL_BITS
        return _wait(task, addr, operation, value, timeout, bits)
    if command in _OWNING:
        return _OWNING[command](task, addr, operation, value, timeout, addr2, value3)
    key = futexes.key(task, addr)
    if command == _WAKE:
        return futexes.wake_key(key, value)
    if command == _WAKE_BITSET:
        if not value3:
            raise EINVAL("an empty bit set")
        return futexes.wake_key(key, value, value3)
    if command in (_REQUEUE, _CMP_REQUEUE):
        if command == _CMP_REQUEUE and _word(task, addr) != value3:
            raise EAGAIN("the word has changed")
        return _requeue(task, key, futexes.key(task, addr2), value, timeout & 0xFFFFFFFF)
    assert command == _WAKE_OP
    return _wake_op(task, addr, addr2, value, timeout & 0xFFFFFFFF, value3)


def _lock_pi(task: Task, addr: int, operation: int, *rest: int) -> int:
    block = block_of(task, RestartFunction.FUTEX)
    if block is None:
        timeout = rest[1]
        clock = task.kernel.clock
        deadline = read_timespec(task, timeout) - clock.epoch_ns if timeout else None
        if pi_futex.try_to_own(task, addr):
            return 0
        block = RestartBlock(
            deadline_ns=deadline, function=RestartFunction.FUTEX, args=(addr, 0, operation, 0)
        )
        task.restart_block = block
    return _wait_to_own(task, block)


def _wait_to_own(task: Task, block: RestartBlock) -> int:
    try:
        if block.done:
            return 0
        addr, _, _, requeued = block.args
        if not pi_futex.read_word(task, addr) & FUTEX_TID_MASK and pi_futex.try_to_own(task, addr):
            return 0
        deadline = block.deadline_ns
        if deadline is not None and task.kernel.clock.now_ns() >= deadline:
            raise ETIMEDOUT("the futex was not given up in time")
        if task.has_signal():
            if requeued:
                raise EAGAIN("a signal came, and the call cannot begin again")
            raise Interrupted(Restart.ERESTARTNOINTR)
    except BaseException:
        task.restart_block = None
        pi_futex.inherit(task)
        raise
    pi_futex.inherit(task)
    futexes = task.kernel.futexes
    queue = futexes.queue(futexes.key(task, addr))
    raise Sleep(queue, deadline_ns=deadline, restart=Restart.ERESTARTNOINTR)


def _unlock_pi(task: Task, addr: int, *_rest: int) -> int:
    pi_futex.give_up(task, addr)
    return 0


def _trylock_pi(task: Task, addr: int, *_rest: int) -> int:
    if not pi_futex.try_to_own(task, addr):
        raise EAGAIN("somebody owns the futex")
    return 0


def _wait_requeue_pi(
    task: Task, addr: int, operation: int, value: int, timeout: int, addr2: int, value3: int
) -> int:
    block = block_of(task, RestartFunction.FUTEX)
    if block is None:
        if addr == addr2 or not value3 or addr2 & 3:
            raise EINVAL("two different futexes, and some bits")
        deadline = _deadline(task, operation, timeout)
        task.kernel.futexes.key(task, addr2)
        if _word(task, addr) != value:
            raise EAGAIN("the word has another value")
        block = RestartBlock(
            deadline_ns=deadline,
            function=RestartFunction.FUTEX,
            args=(addr, addr2, operation, value3),
        )
        task.restart_block = block
    if command_of(block) == LOCK_PI:
        return _wait_to_own(task, block)
    if block.done:
        pi_futex.inherit(task)
        return 0
    deadline = block.deadline_ns
    if deadline is not None and task.kernel.clock.now_ns() >= deadline:
        raise ETIMEDOUT("nobody has moved the waiter in time")
    if task.has_signal():
        raise Interrupted(Restart.ERESTARTNOINTR)
    futexes = task.kernel.futexes
    queue = futexes.queue(futexes.key(task, addr))
    raise Sleep(queue, deadline_ns=deadline, restart=Restart.ERESTARTNOINTR)


def _cmp_requeue_pi(
    task: Task, addr: int, operation: int, value: int, most: int, addr2: int, value3: int
) -> int:
    if value != 1 or addr == addr2 or addr2 & 3:
        raise EINVAL("one is woken, and the others go to another futex")
    if _word(task, addr) != value3:
        raise EAGAIN("the word has changed")
    return pi_futex.requeue_pi(task, addr, addr2, most & 0xFFFFFFFF)


_OWNING: dict[int, Callable[..., int]] = {
    LOCK_PI: _lock_pi,
    UNLOCK_PI: _unlock_pi,
    TRYLOCK_PI: _trylock_pi,
    WAIT_REQUEUE_PI: _wait_requeue_pi,
    CMP_REQUEUE_PI: _cmp_requeue_pi,
}
_COMMANDS = {_WAIT, _WAKE, _REQUEUE, _CMP_REQUEUE, _WAKE_OP, _WAIT_BITSET, _WAKE_BITSET, *_OWNING}


def _word(task: Task, addr: int) -> int:
    return int.from_bytes(task.user.read(addr, 4), task.abi.byte_order)


def _deadline(task: Task, operation: int, timeout: int) -> int | None:
    if not timeout:
        return None
    when = read_timespec(task, timeout)
    clock = task.kernel.clock
    if operation & ~(_PRIVATE | _CLOCK_REALTIME) == _WAIT:
        return clock.after(when)
    if operation & _CLOCK_REALTIME:
        return when - clock.epoch_ns
    return when


def _wait(task: Task, addr: int, operation: int, value: int, timeout: int, bits: int) -> int:
    if not bits:
        raise EINVAL("an empty bit set")
    block = block_of(task, RestartFunction.FUTEX)
    if block is None:
        deadline = _deadline(task, operation, timeout)
        if _word(task, addr) != value:
            raise EAGAIN("the word has another value")
        block = RestartBlock(
            deadline_ns=deadline,
            function=RestartFunction.FUTEX,
            args=(addr, value, operation, bits),
        )
        task.restart_block = block
    return continue_futex(task, block)


def continue_futex(task: Task, block: RestartBlock) -> int:
    """Wait on: also what restart_syscall does after a signal without a handler."""
    if block.done:
        return 0
    deadline = block.deadline_ns
    if deadline is not None and task.kernel.clock.now_ns() >= deadline:
        raise ETIMEDOUT("nobody has woken the futex in time")
    kind = Restart.ERESTARTSYS if deadline is None else Restart.ERESTART_RESTARTBLOCK
    if task.has_signal():
        raise Interrupted(kind)
    addr = block.args[0]
    futexes = task.kernel.futexes
    raise Sleep(futexes.queue(futexes.key(task, addr)), deadline_ns=deadline, restart=kind)


def _requeue(task: Task, source: Key, target: Key, wake: int, move: int) -> int:
    futexes = task.kernel.futexes
    woken = futexes.wake_key(source, wake)
    moved = 0
    for waiter in futexes.waiters(source)[:move]:
        moved += futexes.move(waiter, target)
    return woken + moved


def _wake_op(task: Task, addr: int, addr2: int, count: int, count2: int, encoded: int) -> int:
    futexes = task.kernel.futexes
    operation, comparison = encoded >> 28 & 15, encoded >> 24 & 15
    argument = (encoded >> 12 & 0xFFF ^ 0x800) - 0x800
    compared = (encoded & 0xFFF ^ 0x800) - 0x800
    if operation & 8:
        argument = 1 << (argument & 31)
    old = _word(task, addr2)
    signed = old - (old >> 31 << 32)
    results = {
        0: argument,
        1: signed + argument,
        2: signed | argument,
        3: signed & ~argument,
        4: signed ^ argument,
    }
    tests = {
        0: signed == compared,
        1: signed != compared,
        2: signed < compared,
        3: signed <= compared,
        4: signed > compared,
        5: signed >= compared,
    }
    if operation & 7 not in results or comparison not in tests:
        raise NotModelled(f"FUTEX_WAKE_OP {encoded:#x}")
    task.user.write_int(addr2, results[operation & 7])
    woken = futexes.wake(task, addr, count)
    if tests[comparison]:
        woken += futexes.wake(task, addr2, count2)
    return woken


@syscall()
def get_robust_list(task: Task, pid: Int, head: Ptr, length: Ptr) -> int:
    """Where a thread's list of robust futexes begins."""
    target = task if pid == 0 else task.find(pid)
    if target is None:
        raise ESRCH(f"there is no thread {pid}")
    mine, theirs = task.cred.euid, (target.cred.euid, target.cred.uid)
    if pid and mine not in theirs and not task.cred.cap("CAP_SYS_PTRACE"):
        raise EPERM(f"thread {pid} is somebody else's")
    task.user.write_word(length, 3 * task.abi.word_bytes)
    task.user.write_word(head, target.robust_list[0])
    return 0
