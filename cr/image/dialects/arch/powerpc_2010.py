"""PowerPC in the images from v18 to v23-rc1: Nathan Lynch's struct behind a frame.

There is no THREAD and no MM_CONTEXT, and HEADER_ARCH holds 0xdeadbeef; the vdso is an area like any
other. The struct was private to the kernel: where its padding lies follows from the alignment of
C and is UNVERIFIED against one.

Mirrors:  linux-cr v20, arch/powerpc/kernel/checkpoint.c: ckpt_hdr_cpu.
Deviates: see `powerpc_units`.
"""

from __future__ import annotations

from typing import Annotated, NoReturn

from cr.image import types as t
from cr.image.arch import powerpc
from cr.image.dialects.arch.powerpc_units import (
    PT_REGS_WORDS,
    UnitsTail,
    native_registers,
    possible_parts,
    pt_regs,
    units_in,
    units_of,
)
from cr.image.dialects.frames import Frame
from cr.image.dialects.step import Passage
from cr.image.header import Header
from cr.image.memory import Mm, PageArray, Vma
from cr.image.types import HDR_CPU, HDR_HEADER_ARCH, Framed
from emu.layout import Record, array, at, hex32, hex64, raw, record, u32

OLD_ARCH_IDS = {t.ARCH_PPC32: 4, t.ARCH_PPC64: 5}
_WORD_BYTES = {t.ARCH_PPC32: 4, t.ARCH_PPC64: 8}
DEADBEEF = 0xDEADBEEF
_UNIT_RECORDS: dict[int, type[Framed]] = {
    t.HDR_CPU_FP: powerpc.CpuFp,
    t.HDR_CPU_ALTIVEC: powerpc.CpuAltivec,
    t.HDR_CPU_VSX: powerpc.CpuVsx,
    t.HDR_CPU_DABR: powerpc.CpuDabr,
    t.HDR_CPU_SPE: powerpc.CpuSpe,
}


@record(size=16)
class HeaderArch2010(Framed):
    """Nothing: what the machine has is not said."""

    TYPE = HDR_HEADER_ARCH

    what: hex32 = at("0xdeadbeef; not checked", default=DEADBEEF)
    pad: u32 = at("alignment", default=0)


@record(size=1168)
class Cpu2010Of32(Framed):
    """32-bit kernel."""

    TYPE = HDR_CPU

    features_used: hex32 = at("FEATURE_*: which parts mean something")
    pt_regs_size: u32 = at("bytes of pt_regs", default=176, must_be=176)
    fpr_size: u32 = at("bytes of fpr", default=256, must_be=256)
    pad: u32 = at("alignment", default=0)
    orig_gpr3: hex64 = at("r3 as the interrupted system call got it")
    pt_regs: Annotated[tuple[int, ...], array(hex32, PT_REGS_WORDS)] = at("struct pt_regs")
    fpr: Annotated[tuple[int, ...], array(hex64, 32)] = at("f0-f31, as bits")
    tail: UnitsTail = at("the rest of the units")
    pad_tail: Annotated[bytes, raw(12)] = at("alignment", default=bytes(12))


@record(size=1344)
class Cpu2010Of64(Framed):
    """64-bit kernel without VSX."""

    TYPE = HDR_CPU

    features_used: hex32 = at("FEATURE_*: which parts mean something")
    pt_regs_size: u32 = at("bytes of pt_regs", default=352, must_be=352)
    fpr_size: u32 = at("bytes of fpr", default=256, must_be=256)
    pad: u32 = at("alignment", default=0)
    orig_gpr3: hex64 = at("r3 as the interrupted system call got it")
    pt_regs: Annotated[tuple[int, ...], array(hex64, PT_REGS_WORDS)] = at("struct pt_regs")
    fpr: Annotated[tuple[int, ...], array(hex64, 32)] = at("f0-f31, as bits")
    tail: UnitsTail = at("the rest of the units")
    pad_tail: Annotated[bytes, raw(12)] = at("alignment", default=bytes(12))


@record(size=1600)
class Cpu2010Vsx(Framed):
    """64-bit kernel with VSX: each register of fpr has two halves."""

    TYPE = HDR_CPU

    features_used: hex32 = at("FEATURE_*: which parts mean something")
    pt_regs_size: u32 = at("bytes of pt_regs", default=352, must_be=352)
    fpr_size: u32 = at("bytes of fpr", default=512, must_be=512)
    pad: u32 = at("alignment", default=0)
    orig_gpr3: hex64 = at("r3 as the interrupted system call got it")
    pt_regs: Annotated[tuple[int, ...], array(hex64, PT_REGS_WORDS)] = at("struct pt_regs")
    fpr: Annotated[tuple[int, ...], array(hex64, 64)] = at("f0, its low half, f1, ...")
    tail: UnitsTail = at("the rest of the units")
    pad_tail: Annotated[bytes, raw(12)] = at("alignment", default=bytes(12))


RECORDS: tuple[type[Record], ...] = (
    UnitsTail,
    HeaderArch2010,
    Cpu2010Of32,
    Cpu2010Of64,
    Cpu2010Vsx,
)
_Cpu = type[Cpu2010Of32] | type[Cpu2010Of64] | type[Cpu2010Vsx]


def _cpu_class(word_bytes: int, wide: bool) -> _Cpu:
    if word_bytes == 4:
        return Cpu2010Of32
    return Cpu2010Vsx if wide else Cpu2010Of64


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Native records -> those of 2010; of another architecture, nothing changes."""
    word_bytes = _WORD_BYTES.get(passage.unpack(Header, frames[0]).arch_id)
    if word_bytes is None:
        return frames
    kept: list[Frame] = []
    thread: powerpc.Thread | None = None
    wide = False
    place = 0
    while place < len(frames):
        frame = frames[place]
        place += 1
        match frame.type_no:
            case t.HDR_HEADER_ARCH:
                parts = passage.unpack(powerpc.HeaderArch, frame).parts
                wide = bool(parts & powerpc.PART_VSX)
                kept.append(passage.packed(t.HDR_HEADER_ARCH, HeaderArch2010(), frame))
            case t.HDR_THREAD:
                thread = passage.unpack(powerpc.Thread, frame)
            case t.HDR_MM_CONTEXT:
                pass  # the vdso is among the areas
            case t.HDR_CPU:
                end = place
                while frames[end].type_no in _UNIT_RECORDS:
                    end += 1
                behind = frames[place:end]
                place = end
                if thread is None:
                    passage.refuse(frame, "there is no THREAD before it")
                kept.append(_cpu_down(passage, frame, behind, thread, _cpu_class(word_bytes, wide)))
            case _:
                kept.append(frame)
    return kept


def _cpu_down(
    passage: Passage, frame: Frame, behind: list[Frame], thread: powerpc.Thread, cls: _Cpu
) -> Frame:
    cpu = passage.unpack(powerpc.Cpu, frame)
    units = units_of(passage.unpack(_UNIT_RECORDS[one.type_no], one) for one in behind)
    word_bytes = 4 if cls is Cpu2010Of32 else 8
    older = cls(
        orig_gpr3=cpu.orig_gpr3,
        pt_regs=pt_regs(cpu, thread, word_bytes),
        **units.values(cls is Cpu2010Vsx),
    )
    return passage.packed(t.HDR_CPU, older, frame)


def up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Records of 2010 -> native ones; of another architecture, nothing changes."""
    word_bytes = _WORD_BYTES.get(passage.unpack(Header, frames[0]).arch_id)
    if word_bytes is None:
        return frames
    sizes = {len(frame.payload) for frame in frames if frame.type_no == t.HDR_CPU}
    wide = sizes == {Cpu2010Vsx.fixed_bytes()}
    cls = _cpu_class(word_bytes, wide)
    found: list[Frame] = []
    memory = _Memory(passage)
    for frame in frames:
        match frame.type_no:
            case t.HDR_HEADER_ARCH:
                passage.unpack(HeaderArch2010, frame)
                header = powerpc.HeaderArch(parts=possible_parts(wide))
                found.append(passage.packed(t.HDR_HEADER_ARCH, header, frame))
            case t.HDR_CPU:
                if not found or found[-1].type_no != t.HDR_RESTART_BLOCK:
                    passage.refuse(frame, "there is no RESTART_BLOCK before it")
                thread, *cpu = _cpu_up(passage, frame, cls)
                found.insert(-1, thread)
                found += cpu
            case t.HDR_THREAD | t.HDR_MM_CONTEXT:
                passage.refuse(frame, "this architecture had no such record")
            case _:
                found.append(frame)
                if memory.ends_with(frame):
                    found.append(memory.context(frame))
    return found


def _cpu_up(passage: Passage, frame: Frame, cls: _Cpu) -> list[Frame]:
    older = passage.unpack(cls, frame)

    def refuse(sentence: str) -> NoReturn:
        passage.refuse(frame, sentence)

    word_bytes = 4 if cls is Cpu2010Of32 else 8
    units = units_in(older.features_used, older.fpr, older.tail, refuse)
    thread, cpu = native_registers(older.pt_regs, word_bytes, units.parts, refuse)
    made = [passage.packed(t.HDR_THREAD, thread, frame), passage.packed(t.HDR_CPU, cpu, frame)]
    return made + [passage.packed(unit.TYPE, unit, frame) for unit in units.in_order()]


class _Memory:
    """Finds where the records of an address space end: there its MM_CONTEXT belongs."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._left = -1
        """Areas that are still to come; -1: no address space is being read."""
        self._in_pages = False
        self._vdso = 0

    def ends_with(self, frame: Frame) -> bool:
        """Is this the last record of an address space, but MM_CONTEXT?"""
        match frame.type_no:
            case t.HDR_MM:
                self._left, self._vdso = self._passage.unpack(Mm, frame).map_count, 0
                self._in_pages = False
            case t.HDR_BUFFER if self._left == 0 and not self._in_pages:
                return self._end()  # no areas at all, only the auxiliary vector
            case t.HDR_VMA if self._left > 0:
                vma = self._passage.unpack(Vma, frame)
                self._left -= 1
                self._in_pages = vma.vma_type in t.VMA_TYPES_WITH_PAGES
                if vma.vma_type == t.VMA_VDSO:
                    self._vdso = vma.vm_start
                if not self._left and not self._in_pages:
                    return self._end()
            case t.HDR_PGARR if self._in_pages:
                if not self._passage.unpack(PageArray, frame).nr_pages:
                    self._in_pages = False
                    return not self._left and self._end()
        return False

    def _end(self) -> bool:
        self._left, self._in_pages = -1, False
        return True

    def context(self, frame: Frame) -> Frame:
        """What belongs there."""
        record = powerpc.MmContext(vdso=self._vdso)
        return self._passage.packed(t.HDR_MM_CONTEXT, record, frame)
