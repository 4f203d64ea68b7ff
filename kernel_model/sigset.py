"""Signal sets and actions as user memory holds them.

A set is 64 bits; 32-bit ABIs store it as two words, the low signals first, whatever the byte order
of each word.

Mirrors: Linux sigset_t, struct sigaction (kernel's), struct old_sigaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.signals import Action

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi
    from kernel_model.task import Task

SIGSET_BYTES = 8


def pack_set(abi: Abi, signals: int) -> bytes:
    """A set as bytes."""
    order = abi.byte_order
    width = abi.word_bytes
    mask = abi.mask
    words = [signals >> 8 * width * k & mask for k in range(SIGSET_BYTES // width)]
    return b"".join(word.to_bytes(width, order) for word in words)


def unpack_set(abi: Abi, data: bytes) -> int:
    """A set from bytes."""
    order = abi.byte_order
    width = abi.word_bytes
    signals = 0
    for k in range(SIGSET_BYTES // width):
        word = int.from_bytes(data[width * k : width * k + width], order)
        signals |= word << 8 * width * k
    return signals


def read_action(task: Task, addr: int) -> Action:
    """struct sigaction: handler, flags, restorer, mask."""
    user, width = task.user, task.abi.word_bytes
    mask = unpack_set(task.abi, user.read(addr + 3 * width, SIGSET_BYTES))
    return Action(user.word(addr), user.word(addr + width), user.word(addr + 2 * width), mask)


def write_action(task: Task, addr: int, action: Action) -> None:
    """Store a struct sigaction."""
    order = task.abi.byte_order
    width = task.abi.word_bytes
    words = (action.handler, action.flags & task.abi.mask, action.restorer)
    data = b"".join(word.to_bytes(width, order) for word in words)
    task.user.write(addr, data + pack_set(task.abi, action.mask))


def read_old_action(task: Task, addr: int) -> Action:
    """struct old_sigaction: handler, mask of one word, flags, restorer."""
    user, width = task.user, task.abi.word_bytes
    handler, mask, flags, restorer = (user.word(addr + width * k) for k in range(4))
    return Action(handler, flags, restorer, mask)


def write_old_action(task: Task, addr: int, action: Action) -> None:
    """Store a struct old_sigaction."""
    order = task.abi.byte_order
    mask = task.abi.mask
    words = (action.handler, action.mask & mask, action.flags & mask, action.restorer)
    task.user.write(
        addr,
        b"".join(word.to_bytes(task.abi.word_bytes, order) for word in words),
    )
