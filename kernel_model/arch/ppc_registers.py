"""Positions of PowerPC registers in Registers.words, for both word sizes."""

from __future__ import annotations

PC = 0
CR, LR, CTR = 33, 34, 35
SO = 0x10000000
"""The summary overflow bit of CR0: a system call failed."""


def gpr(number: int) -> int:
    """Position of a general purpose register."""
    return 1 + number
