"""Positions of PowerPC registers in Registers.words, for both word sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.task import Task

PC = 0
CR, LR, CTR = 33, 34, 35
SO = 0x10000000
"""The summary overflow bit of CR0: a system call failed."""


def gpr(number: int) -> int:
    """Position of a general purpose register."""
    return 1 + number


def function_descriptors(task: Task) -> bool:
    """Whether function pointers of the running program are descriptors (ELFv1)."""
    return task.elf_flags & 3 < 2
