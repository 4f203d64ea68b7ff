"""Which signal a CPU exception becomes.

Mirrors: Linux arch/x86/kernel/traps.c, arch/powerpc/kernel/traps.c, arch/*/mm/fault.c.
Not modelled: error codes of the general protection fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.arch.fault_address import LONGEST_INSTRUCTION, exact_address, operand_addresses
from emu.stops import MemoryFault, Trapped
from kernel_model.arch.x86_signal_fpu import pending_exception
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
    from kernel_model.mm.fault import BadAccess
    from kernel_model.task import Task

ILL_PRVOPC = 5
FPE_INTDIV, FPE_FLTINV = 1, 7
TRAP_BRKPT, TRAP_TRACE = 1, 2
BUS_ADRALN = 1

_SIGNALS: dict[str, tuple[int, int]] = {
    "divide": (SIGFPE, FPE_INTDIV),
    "step": (SIGTRAP, TRAP_TRACE),
    "breakpoint": (SIGTRAP, SI_KERNEL),
    "overflow": (SIGSEGV, SI_KERNEL),
    "bounds": (SIGSEGV, SI_KERNEL),
    "protection": (SIGSEGV, SI_KERNEL),
    "alignment": (SIGBUS, BUS_ADRALN),
    "program": (SIGTRAP, TRAP_BRKPT),
    "privileged": (SIGILL, ILL_PRVOPC),
}
_NO_ADDRESS = {"breakpoint", "protection", "overflow", "bounds"}


def signal_of_trap(task: Task, stop: Trapped) -> SigInfo:
    """The signal for an exception; its address is the program counter where Linux says so."""
    addr = 0 if stop.cause in _NO_ADDRESS else task.regs.words[task.abi.pc]
    if stop.cause == "illegal":
        signo, code = SIGILL, task.abi.illegal_code
    elif stop.cause == "float":
        signo, code = SIGFPE, pending_exception(task.regs) or FPE_FLTINV
    else:
        signo, code = _SIGNALS[stop.cause]
    if stop.cause == "alignment":
        addr = next(operand_addresses(task.regs, _instruction(task)), 0)
    return SigInfo(signo, code, addr=addr, cause=stop.cause)


def signal_of_fault(task: Task, stop: MemoryFault, bad: BadAccess) -> SigInfo:
    """The signal for an access that is not allowed; its address is the first byte refused."""
    top = stop.addr >> task.abi.canonical_bits
    if top and top != (1 << 64 - task.abi.canonical_bits) - 1:
        return SigInfo(SIGSEGV, SI_KERNEL, cause="protection")
    addr = exact_address(task.regs, _instruction(task), stop.addr, stop.access)
    return SigInfo(SIGBUS if bad.bus else SIGSEGV, bad.code, addr=addr, cause=stop.access)


def _instruction(task: Task) -> bytes:
    """The bytes at the program counter, as far as they can be read."""
    pc = task.regs.words[task.abi.pc]
    return task.user.read(pc, task.user.readable(pc, LONGEST_INSTRUCTION))
