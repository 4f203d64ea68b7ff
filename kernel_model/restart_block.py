"""Progress that a system call keeps while its task sleeps.

A handler leaves no Python frame behind: what it must remember of the first time it ran (that a
sleep is to end at a certain time) stands here, reached from the task, saved by C/R.

Mirrors: Linux struct restart_block; the functions are those that linux-cr can name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class RestartFunction(Enum):
    """Which call goes on when restart_syscall is called."""

    NANOSLEEP = "nanosleep"
    POLL = "poll"
    FUTEX = "futex"


@dataclass(frozen=True, slots=True)
class RestartBlock:
    """`deadline_ns` is monotonic virtual time, None for no deadline; `args` are the call's own."""

    function: RestartFunction
    deadline_ns: int | None
    args: tuple[int, ...] = ()
