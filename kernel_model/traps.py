"""Which signal a CPU exception becomes.

Mirrors: Linux arch/x86/kernel/traps.c, arch/powerpc/kernel/traps.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.arch.fault_address import LONGEST_INSTRUCTION, exact_address
from emu.stops import MemoryFault, Trapped
from kernel_model.signals import (
    SI_KERNEL,
    SIGBUS,
    SIGFPE,
    SIGILL,
    SIGSEGV,
    SIGTRAP,
    SigInfo,
)

if TYPE_CHECKING:
    from kernel_model.task import Task

ILL_ILLOPN, ILL_PRVOPC = 2, 5
FPE_INTDIV, FPE_FLTINV = 1, 7
TRAP_BRKPT, TRAP_TRACE = 1, 2
BUS_ADRALN = 1

_SIGNALS: dict[str, tuple[int, int]] = {
    "divide": (SIGFPE, FPE_INTDIV),
    "step": (SIGTRAP, TRAP_TRACE),
    "breakpoint": (SIGTRAP, SI_KERNEL),
    "overflow": (SIGSEGV, SI_KERNEL),
    "bounds": (SIGSEGV, SI_KERNEL),
    "illegal": (SIGILL, ILL_ILLOPN),
    "protection": (SIGSEGV, SI_KERNEL),
    "float": (SIGFPE, FPE_FLTINV),
    "alignment": (SIGBUS, BUS_ADRALN),
    "program": (SIGTRAP, TRAP_BRKPT),
}
_NO_ADDRESS = {"breakpoint", "protection", "overflow", "bounds"}


def signal_of_trap(task: Task, stop: Trapped) -> SigInfo:
    """The signal for an exception; its address is the program counter where Linux says so."""
    signo, code = _SIGNALS[stop.cause]
    pc = task.regs.words[task.abi.pc]
    return SigInfo(signo, code, addr=0 if stop.cause in _NO_ADDRESS else pc, cause=stop.cause)


def fault_address(task: Task, stop: MemoryFault) -> int:
    """The first byte that an access could not have: si_addr."""
    pc = task.regs.words[task.abi.pc]
    code = task.user.read(pc, task.user.readable(pc, LONGEST_INSTRUCTION))
    return exact_address(task.regs, code, stop.addr, stop.access)
