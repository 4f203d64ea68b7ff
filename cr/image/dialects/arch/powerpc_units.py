"""PowerPC registers as Nathan Lynch's records have them, and as the native ones do.

One struct had all units: struct pt_regs as the kernel has it, floating point (with VSX, two halves
each), AltiVec, SPE; a mask says which of them mean something.

Mirrors:  "powerpc checkpoint/restart" v2, features_used; linux-cr v18 and later, which kept it.
Deviates: MSR is not believed: what it says is only the word size of the task. VSCR and VSX, which
          the patches declared and never filled, are filled.
          The bits of units that a machine cannot have are kept, and are the restart's to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

from cr.image.arch import powerpc
from cr.image.types import Framed
from emu.layout import Bytes, Record, array, at, hex32, hex64, raw, record, s32

FEATURE_FP, FEATURE_DEBUG, FEATURE_ALTIVEC, FEATURE_SPE, FEATURE_VSX = 0x1, 0x2, 0x4, 0x8, 0x10
_KNOWN = FEATURE_FP | FEATURE_DEBUG | FEATURE_ALTIVEC | FEATURE_SPE | FEATURE_VSX
PT_REGS_WORDS = 44
NIP, MSR, ORIG_GPR3, CTR, LINK, XER, CCR, SOFTE, TRAP = range(32, 41)
MSR_SF = 1 << 63
MSR_USER32 = 0xD032
TIF_32BIT = 1 << 4
VECTOR = powerpc.VECTOR_BYTES
NO_VECTORS = (bytes(VECTOR),) * powerpc.REGISTERS
NO_REGISTERS = (0,) * powerpc.REGISTERS

Refuse = Callable[[str], NoReturn]


@record(size=692)
class UnitsTail(Record):
    """How the CPU records end that know all units."""

    fpscr: hex32 = at("status and control")
    fpexc_mode: s32 = at("how floating point exceptions are taken", default=0)
    dabr: hex64 = at("data breakpoint", default=0)
    vr: Annotated[tuple[bytes, ...], array(raw(VECTOR), 32)] = at("v0-v31")
    vscr: Annotated[bytes, raw(VECTOR)] = at("status and control, in the last word")
    vrsave: hex64 = at("which vector registers the task says it uses")
    evr: Annotated[tuple[int, ...], array(hex32, 32)] = at("SPE: upper halves", default=(0,) * 32)
    acc: hex64 = at("SPE: accumulator", default=0)
    spefscr: hex32 = at("SPE: status and control", default=0)


@dataclass(frozen=True, slots=True)
class Units:
    """The native units that a task has used."""

    fp: powerpc.CpuFp | None = None
    altivec: powerpc.CpuAltivec | None = None
    vsx: powerpc.CpuVsx | None = None
    dabr: powerpc.CpuDabr | None = None
    spe: powerpc.CpuSpe | None = None

    def values(self, wide: bool) -> dict[str, Any]:
        """features_used, fpr and tail of an old record; `wide`: with two halves for VSX."""
        fp, altivec, vsx, spe = self.fp, self.altivec, self.vsx, self.spe
        fpr = fp.fpr if fp is not None else NO_REGISTERS
        if wide:
            low = vsx.low if vsx is not None else NO_REGISTERS
            fpr = tuple(half for pair in zip(fpr, low) for half in pair)
        tail = UnitsTail(
            fpscr=fp.fpscr if fp is not None else 0,
            vr=altivec.vr if altivec is not None else NO_VECTORS,
            vscr=altivec.vscr if altivec is not None else bytes(VECTOR),
            vrsave=altivec.vrsave if altivec is not None else 0,
            dabr=self.dabr.dabr if self.dabr is not None else 0,
            evr=spe.evr if spe is not None else NO_REGISTERS,
            acc=spe.acc if spe is not None else 0,
            spefscr=spe.spefscr if spe is not None else 0,
        )
        return {"features_used": self._bits(0), "fpr": fpr, "tail": tail}

    def in_order(self) -> list[Framed]:
        """The records behind a native CPU."""
        return [unit for unit, _, _ in self._table() if unit is not None]

    @property
    def parts(self) -> int:
        """Their bits in a native CPU."""
        return self._bits(1)

    def _bits(self, which: int) -> int:
        return sum(bits[which] for unit, *bits in self._table() if unit is not None)

    def _table(self) -> tuple[tuple[Framed | None, int, int], ...]:
        """Each unit, its bit in features_used, and the one in a native CPU."""
        return (
            (self.fp, FEATURE_FP, powerpc.PART_FP),
            (self.altivec, FEATURE_ALTIVEC, powerpc.PART_ALTIVEC),
            (self.vsx, FEATURE_VSX, powerpc.PART_VSX),
            (self.dabr, FEATURE_DEBUG, powerpc.PART_DABR),
            (self.spe, FEATURE_SPE, powerpc.PART_SPE),
        )


def units_of(found: Iterable[Framed | Bytes]) -> Units:
    """The units among the records behind a native CPU."""
    named: dict[str, Any] = {}
    for unit in found:
        match unit:
            case powerpc.CpuFp():
                named["fp"] = unit
            case powerpc.CpuAltivec():
                named["altivec"] = unit
            case powerpc.CpuVsx():
                named["vsx"] = unit
            case powerpc.CpuDabr():
                named["dabr"] = unit
            case powerpc.CpuSpe():
                named["spe"] = unit
    return Units(**named)


def units_in(features: int, fpr: tuple[int, ...], tail: UnitsTail, refuse: Refuse) -> Units:
    """The units of an old record."""
    if features & ~_KNOWN:
        refuse(f"features {features & ~_KNOWN:#x} are unknown")
    if bool(tail.dabr) != bool(features & FEATURE_DEBUG):
        refuse("a data breakpoint and its bit go together")
    wide = len(fpr) > powerpc.REGISTERS
    fp = altivec = vsx = dabr = spe = None
    if features & FEATURE_FP:
        fp = powerpc.CpuFp(fpr=fpr[::2] if wide else fpr, fpscr=tail.fpscr)
    if features & FEATURE_ALTIVEC:
        if tail.vrsave >> 32:
            refuse("VRSAVE has 32 bits")
        altivec = powerpc.CpuAltivec(vr=tail.vr, vscr=tail.vscr, vrsave=tail.vrsave)
    if features & FEATURE_VSX:
        if not wide:
            refuse("VSX was used, but the registers have no second halves")
        vsx = powerpc.CpuVsx(low=fpr[1::2])
    if features & FEATURE_DEBUG:
        dabr = powerpc.CpuDabr(dabr=tail.dabr)
    if features & FEATURE_SPE:
        spe = powerpc.CpuSpe(evr=tail.evr, acc=tail.acc, spefscr=tail.spefscr)
    return Units(fp, altivec, vsx, dabr, spe)


def possible_parts(wide: bool) -> int:
    """What a machine has whose registers have, or have not, second halves."""
    return powerpc.PART_FP | powerpc.PART_ALTIVEC | (powerpc.PART_VSX if wide else 0)


def pt_regs(cpu: powerpc.Cpu, thread: powerpc.Thread, word_bytes: int) -> tuple[int, ...]:
    """struct pt_regs of a task."""
    wide = word_bytes == 8 and not thread.thread_info_flags & TIF_32BIT
    words = [*cpu.gpr, cpu.nip, MSR_USER32 | (MSR_SF if wide else 0), cpu.orig_gpr3]
    words += [cpu.ctr, cpu.link, cpu.xer, cpu.ccr, int(word_bytes == 8), cpu.trap, 0, 0, 0]
    return tuple(words)


def native_registers(
    words: tuple[int, ...], word_bytes: int, parts: int, refuse: Refuse
) -> tuple[powerpc.Thread, powerpc.Cpu]:
    """THREAD and CPU of a struct pt_regs."""
    narrow = word_bytes == 8 and not words[MSR] & MSR_SF
    if words[CCR] >> 32 or words[XER] >> 32:
        refuse("CR and XER have 32 bits")
    thread = powerpc.Thread(thread_info_flags=TIF_32BIT if narrow else 0)
    cpu = powerpc.Cpu(
        parts=parts,
        gpr=words[:32],
        nip=words[NIP],
        ctr=words[CTR],
        link=words[LINK],
        xer=words[XER],
        ccr=words[CCR],
        orig_gpr3=words[ORIG_GPR3],
        trap=words[TRAP] & ~1,
    )
    return thread, cpu
