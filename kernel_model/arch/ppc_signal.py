"""What the signal frames of both PowerPCs share: the words of pt_regs, MSR, and the units.

The saved MSR tells which units' state the frame holds. Only those that the program uses are
saved; on return a unit that the frame does not hold is cleared. FPRs and VRSAVE are always there.

Mirrors: Linux arch/powerpc/kernel/signal_32.c, signal_64.c, ptrace.h (PT_*).
Deviates: orig_gpr3 is r3, and trap, dar, dsisr are those of the fault that is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.arch.ppc import ALTIVEC_BYTES, FP_BYTES, MSR_FP, MSR_VEC, MSR_VSX, VSX_BYTES
from kernel_model.arch.ppc_registers import CR, CTR, LR, PC, gpr
from kernel_model.mm.fault import SEGV_ACCERR
from kernel_model.siginfo import pack_siginfo as _pack_siginfo
from kernel_model.signals import SigInfo

if TYPE_CHECKING:
    from emu.arch.spec import Registers
    from kernel_model.task import Task

NR_SIGRETURN, NR_RT_SIGRETURN = 119, 172
_LI_R0, _SC = 0x38000000, 0x44000002
GREGS = 48
"""Words in a frame; pt_regs has 44 of them."""
PT_NIP, PT_MSR, PT_ORIG_R3, PT_CTR, PT_LNK, PT_XER, PT_CCR = range(32, 39)
PT_SOFTE, PT_TRAP, PT_DAR, PT_DSISR, PT_RESULT = range(39, 44)
_MSR_OF_UNIT = {"fp": MSR_FP, "altivec": MSR_VEC, "vsx": MSR_VSX}
_TRAPS = {
    "read": 0x300,
    "write": 0x300,
    "fetch": 0x400,
    "alignment": 0x600,
    "program": 0x700,
    "illegal": 0x700,
    "float": 0x700,
}
_SYSCALL_TRAP = 0xC00
_DSISR_NO_PAGE, _DSISR_PROTECTED, _DSISR_STORE = 0x40000000, 0x08000000, 0x02000000
_VSCR_AT, _VRSAVE_AT = 512, 528


def pack_siginfo(task: Task, info: SigInfo) -> bytes:
    """siginfo_t."""
    return _pack_siginfo(task.abi, info)


def trampoline(number: int) -> bytes:
    """li r0, number; sc: unwinders know a signal frame by these two words."""
    return (_LI_R0 | number).to_bytes(4, "big") + _SC.to_bytes(4, "big")


def general_words(task: Task, info: SigInfo, base_msr: int) -> list[int]:
    """pt_regs, with room up to GREGS words."""
    words, units = task.regs.words, task.regs.units
    saved = [0] * GREGS
    saved[:32] = words[gpr(0) : gpr(32)]
    saved[PT_NIP], saved[PT_ORIG_R3] = words[PC], words[gpr(3)]
    saved[PT_CTR], saved[PT_LNK], saved[PT_CCR] = words[CTR], words[LR], words[CR]
    saved[PT_XER] = task.regs["xer"]
    saved[PT_MSR] = base_msr
    for unit in units:
        saved[PT_MSR] |= _MSR_OF_UNIT[unit]
    saved[PT_TRAP] = _TRAPS.get(info.cause, _SYSCALL_TRAP)
    if info.cause in ("read", "write", "fetch"):
        saved[PT_DAR] = info.addr & task.abi.mask
        saved[PT_DSISR] = _DSISR_PROTECTED if info.code == SEGV_ACCERR else _DSISR_NO_PAGE
        if info.cause == "write":
            saved[PT_DSISR] |= _DSISR_STORE
    return saved


def restore_general(regs: Registers, saved: tuple[int, ...]) -> None:
    """The registers that a frame may set: not MSR. Instructions lie at multiples of 4."""
    words = regs.words
    for number in range(32):
        words[gpr(number)] = saved[number]
    words[PC] = saved[PT_NIP] & ~3
    words[CTR], words[LR], words[CR] = saved[PT_CTR], saved[PT_LNK], saved[PT_CCR] & 0xFFFFFFFF
    xer = saved[PT_XER] & XER_BITS
    if regs["xer"] != xer:
        regs["xer"] = xer


XER_BITS = 0xE000007F
"""SO, OV, CA and the byte count: what XER has in these CPUs."""


def saved_fp(regs: Registers) -> bytes:
    """FPRs and FPSCR; zeros when the program never used them."""
    return regs.units.get("fp", bytes(FP_BYTES))


def saved_vectors(regs: Registers) -> tuple[bytes, bytes]:
    """VRs and VSCR (33 vectors), and VRSAVE (4 bytes)."""
    state = regs.units.get("altivec", bytes(ALTIVEC_BYTES))
    return state[:_VRSAVE_AT], state[_VRSAVE_AT : _VRSAVE_AT + 4]


def restore_units(
    regs: Registers, msr: int, fp: bytes, vectors: bytes, vrsave: bytes, vsx: bytes | None
) -> None:
    """Units from a frame; `vectors` and `vsx` count if `msr` says that they are there.

    FPRs come back always. A unit that was never used stays unused while there is nothing but zeros
    to put into it.
    """
    units = regs.units
    fp = fp[:-8] + bytes(4) + fp[-4:]
    if not msr & MSR_VEC:
        vectors = bytes(_VRSAVE_AT)
    vectors = vectors[:_VSCR_AT] + bytes(12) + _vscr(vectors[_VSCR_AT + 12 : _VRSAVE_AT])
    known = regs.spec.fresh_units
    wanted = {"fp": fp, "altivec": vectors + vrsave + bytes(4)}
    if "vsx" in known:
        wanted["vsx"] = vsx if vsx is not None and msr & MSR_VSX else bytes(VSX_BYTES)
        if wanted["vsx"] != bytes(VSX_BYTES):
            units.setdefault("vsx", b"")
    for unit, state in wanted.items():
        if unit not in known:
            continue
        if unit in units or "vsx" in units or any(state):
            units[unit] = state
    regs.units = units


def _vscr(word: bytes) -> bytes:
    """Its two bits: NJ and SAT."""
    return (int.from_bytes(word, "big") & 0x10001).to_bytes(4, "big")


def quiet_fpscr(regs: Registers) -> None:
    """No floating-point exception that is pending or enabled reaches the handler."""
    units = regs.units
    if "fp" in units and any(units["fp"][-8:]):
        units["fp"] = units["fp"][:-8] + bytes(8)
        regs.units = units
