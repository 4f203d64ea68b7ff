"""Instructions that the kernel executes for a user program: reading the processor's version.

Mirrors: Linux arch/powerpc/kernel/traps.c (emulate_instruction).
Not modelled: the other instructions that Linux emulates on processors without them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_model.arch.ppc_registers import PC, gpr

if TYPE_CHECKING:
    from kernel_model.task import Task

_MFPVR, _MFPVR_MASK = 0x7C1F42A6, 0xFC1FFFFF
PVR_7457A, PVR_POWER7 = 0x80030102, 0x003F0201
"""What AT_PLATFORM says as a number."""


def emulator(version: int) -> Callable[[Task], bool]:
    """For an ABI whose processor has this version."""

    def emulate(task: Task) -> bool:
        """Execute the refused instruction, if it is one of these; whether it was."""
        words = task.regs.words
        if task.user.readable(words[PC], 4) < 4:
            return False
        instruction = int.from_bytes(task.user.read(words[PC], 4), "big")
        if instruction & _MFPVR_MASK != _MFPVR:
            return False
        words[gpr(instruction >> 21 & 31)] = version
        words[PC] += 4
        return True

    return emulate
