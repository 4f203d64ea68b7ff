"""What a system call must remember from one run of its handler to the next.

A handler that sleeps is run again from its start. What it may not forget (the bytes that it has
already moved, the time at which it gives up) it leaves in `task.restart_block`, where C/R finds
it. The dispatcher clears that when a call ends, and leaves it alone when a call is run again. If a
signal ends the call and `done` is not 0, the call has succeeded: bytes moved are never denied.

Mirrors: Linux struct restart_block, and what Linux keeps on the kernel stack of a sleeper; the
functions are those that linux-cr can name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.task import Task


@dataclass(frozen=True)
class Progress:
    """Plain data, so that a checkpoint can save it."""

    done: int = 0
    """Bytes moved so far."""
    deadline_ns: int | None = None
    """When to give up, in the clock's monotonic time."""

    @property
    def result(self) -> int:
        """What the call returns if a signal ends it when `done` is not 0: bytes are not denied."""
        return self.done


class RestartFunction(Enum):
    """Which call goes on when restart_syscall is called."""

    NANOSLEEP = "nanosleep"
    POLL = "poll"
    FUTEX = "futex"


@dataclass(frozen=True)
class RestartBlock(Progress):
    """Progress of a call that restart_syscall can continue; `args` are the call's own."""

    function: RestartFunction = RestartFunction.NANOSLEEP
    args: tuple[int, ...] = ()

    @property
    def result(self) -> int:
        """`done` says that what the call waits for has happened (a futex was woken)."""
        return 0


def block_of(task: Task, function: RestartFunction) -> RestartBlock | None:
    """What a call has kept, if it is a call of that kind: an image may claim another."""
    block = task.restart_block
    return block if isinstance(block, RestartBlock) and block.function is function else None


class CallState:
    """What a call of a floor above keeps between its turns: an image on its way, a tree to come."""

    def abandon(self, task: Task) -> None:
        """The call will not have another turn: a signal came, or the task has died."""

    def told(self) -> str:
        """Its content in a few words, for the dump."""
        raise NotImplementedError
