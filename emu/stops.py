"""Why a CPU stopped: frozen values, handed from the machine to the kernel."""

from __future__ import annotations

from dataclasses import dataclass


class Stop:
    """Why `Machine.run` returned."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SyscallTrap(Stop):
    """The system call instruction; the program counter is behind it."""


@dataclass(frozen=True, slots=True)
class BudgetSpent(Stop):
    """The budget is used up; the program counter is at the target of a taken branch."""


@dataclass(frozen=True, slots=True)
class MemoryFault(Stop):
    """A page is missing or its rights do not suffice; the instruction had no effect.

    `access` is read, write or fetch. The program counter is at the instruction.
    """

    addr: int
    access: str


@dataclass(frozen=True, slots=True)
class Trapped(Stop):
    """Any other exception, by the name of its cause; the program counter is at the culprit.

    Causes: divide, step, breakpoint, overflow, bounds, illegal, protection, float, alignment,
    program. After a breakpoint or step the program counter is behind the instruction.
    """

    cause: str


SYSCALL = SyscallTrap()
BUDGET = BudgetSpent()
