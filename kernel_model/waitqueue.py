"""Waiting without a waiting frame.

A handler that must wait raises `Sleep`, having changed nothing that it cannot repeat. The
scheduler then parks the task on the queues named, and runs the same handler again, from its
start, when one of them is woken (or the deadline passes, or a signal comes). So a sleeping task
is registers plus data, and freezing it looks like a spurious wakeup.

Mirrors: Linux wait queues and the ERESTART* return codes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.epoll import Watch
    from kernel_model.task import Task


class Restart(IntEnum):
    """What becomes of a call that a signal interrupts: Linux's kernel-internal errnos."""

    ERESTARTSYS = 512
    ERESTARTNOINTR = 513
    ERESTARTNOHAND = 514
    ERESTART_RESTARTBLOCK = 516


class Unwind(Exception):
    """Not an error: leave the handler, the scheduler knows what to do."""


class WaitQueue:
    """The tasks that wait for one thing to happen, in the order in which they came."""

    __slots__ = ("key", "waiters", "watches")

    def __init__(self, key: int = 0) -> None:
        self.waiters: list[Task] = []
        self.key = key
        """The POLL* events that a wake-up can mean; 0: any."""
        self.watches: list[Watch] = []
        """What epoll sets have here."""

    def wake_all(self) -> None:
        """Make every waiter runnable; each looks again whether what it wants is there."""
        if self.waiters:
            for task in tuple(self.waiters):
                task.wake()
        if self.watches:
            for watch in tuple(self.watches):
                watch.woken(self.key)


class Sleep(Unwind):
    """Wait until one of `queues` is woken or virtual time reaches `deadline_ns`.

    `restart` says what a signal makes of the call; `interrupted` is the result (an errno class or
    a count) that replaces it where Linux would not restart, for instance a partial count.
    """

    stoppable = False
    """Whether a stop and SIGCONT make the call fail with EINTR, although no handler ran."""

    def __init__(
        self,
        *queues: WaitQueue,
        deadline_ns: int | None = None,
        restart: Restart = Restart.ERESTARTSYS,
        uninterruptible: bool = False,
        external: bool = False,
    ) -> None:
        self.queues = queues
        self.deadline_ns = deadline_ns
        self.restart = restart
        self.uninterruptible = uninterruptible
        self.external = external
        """The waker is outside the machine (console input): virtual time stands still."""


class TaskDead(Unwind):
    """The task has exited inside this handler; there is nothing to return to."""
