"""How far a system is run: the places to stop at, and why it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class AfterSyscalls:
    """A place to stop: `count` more system calls, of any task, have been completed."""

    count: int


@dataclass(frozen=True)
class AfterTime:
    """A place to stop: `ns` more nanoseconds of virtual time have passed."""

    ns: int


@dataclass(frozen=True)
class AfterBlocks:
    """A place to stop: `count` more stretches of code up to a taken branch have been executed."""

    count: int


@dataclass(frozen=True)
class AfterTurns:
    """A place to stop: `count` more turns of the kernel's loop, each one task's time on the CPU."""

    count: int


Until = AfterSyscalls | AfterTime | AfterBlocks | AfterTurns


def after_syscalls(count: int) -> AfterSyscalls:
    """Run until `count` more system calls have been completed."""
    if count <= 0:
        raise ValueError(f"{count} system calls are no place to stop after")
    return AfterSyscalls(count)


def after_time(ns: int) -> AfterTime:
    """Run for `ns` nanoseconds of virtual time."""
    if ns <= 0:
        raise ValueError(f"{ns} ns are no time to stop after")
    return AfterTime(ns)


class Ended(Enum):
    """Why `System.run` came back."""

    EXITED = "every task has exited"
    REACHED = "the place to stop was reached"
    TIMED_OUT = "the most virtual time was reached"
    INTERRUPTED = "the host asked for it"
