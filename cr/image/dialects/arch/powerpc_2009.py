"""Nathan Lynch's two ports of v13 to PowerPC: the registers in the image of January 2009, and in
that of February.

The first (28 January) has three records that hold 0xdeadbeef and a CPU record without any size.
The second (17 February) writes neither of the three, and says which units the task has used, how
long pt_regs and the floating point registers are. Both embed struct pt_regs as the kernel has it,
so a word has the size of the writing kernel, and with VSX each floating point register has
two halves.

Field orders are those of the posted patches; where padding lies follows from the alignment of C
and is UNVERIFIED against a kernel. A word of the length of 0xdeadbeef is 4 bytes, UNVERIFIED too.

Mirrors:  Nathan Lynch, "powerpc checkpoint/restart", v1 and v2 on v13: cr_hdr_cpu.
Deviates: see `powerpc_units`.
"""

from __future__ import annotations

from typing import Annotated, Any

from cr.image.arch import powerpc, ppc32, ppc64
from cr.image.arch.shape import ArchFormat
from cr.image.dialects.arch.powerpc_units import (
    NO_REGISTERS,
    PT_REGS_WORDS,
    Units,
    UnitsTail,
    native_registers,
    possible_parts,
    pt_regs,
    units_in,
    units_of,
)
from cr.image.dialects.cr_shape import CrArch, Numbers, State
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import PlainImage, PlainMemory, PlainTask
from cr.image.errors import ImageError
from cr.image.types import Framed
from emu.layout import BIG, Bytes, Record, array, at, hex32, hex64, raw, record, s32, u32, u64

FORMATS: dict[str, ArchFormat] = {"ppc": ppc32.FORMAT, "ppc64": ppc64.FORMAT}
DEADBEEF = 0xDEADBEEF


@record(size=4)
class Mark(Record):
    """What the first port wrote where it had nothing to say."""

    what: hex32 = at("0xdeadbeef", default=DEADBEEF, must_be=DEADBEEF)


@record(size=1152)
class Cpu32(Record):
    """Second port, 32-bit kernel."""

    features_used: hex32 = at("FEATURE_*: which parts mean something")
    pt_regs_size: u32 = at("bytes of pt_regs", default=176, must_be=176)
    fpr_size: u32 = at("bytes of fpr", default=256, must_be=256)
    pt_regs: Annotated[tuple[int, ...], array(hex32, PT_REGS_WORDS)] = at("struct pt_regs")
    pad: u32 = at("alignment", default=0)
    fpr: Annotated[tuple[int, ...], array(hex64, 32)] = at("f0-f31, as bits")
    tail: UnitsTail = at("the rest of the units")
    pad_tail: Annotated[bytes, raw(12)] = at("alignment", default=bytes(12))


@record(size=1328)
class Cpu64(Record):
    """Second port, 64-bit kernel without VSX."""

    features_used: hex32 = at("FEATURE_*: which parts mean something")
    pt_regs_size: u32 = at("bytes of pt_regs", default=352, must_be=352)
    fpr_size: u32 = at("bytes of fpr", default=256, must_be=256)
    pad: u32 = at("alignment", default=0)
    pt_regs: Annotated[tuple[int, ...], array(hex64, PT_REGS_WORDS)] = at("struct pt_regs")
    fpr: Annotated[tuple[int, ...], array(hex64, 32)] = at("f0-f31, as bits")
    tail: UnitsTail = at("the rest of the units")
    pad_tail: Annotated[bytes, raw(12)] = at("alignment", default=bytes(12))


@record(size=1584)
class Cpu64Vsx(Record):
    """Second port, 64-bit kernel with VSX: each register of fpr has two halves."""

    features_used: hex32 = at("FEATURE_*: which parts mean something")
    pt_regs_size: u32 = at("bytes of pt_regs", default=352, must_be=352)
    fpr_size: u32 = at("bytes of fpr", default=512, must_be=512)
    pad: u32 = at("alignment", default=0)
    pt_regs: Annotated[tuple[int, ...], array(hex64, PT_REGS_WORDS)] = at("struct pt_regs")
    fpr: Annotated[tuple[int, ...], array(hex64, 64)] = at("f0, its low half, f1, ...")
    tail: UnitsTail = at("the rest of the units")
    pad_tail: Annotated[bytes, raw(12)] = at("alignment", default=bytes(12))


@record(size=448)
class FirstCpu32(Record):
    """First port, 32-bit kernel."""

    pt_regs: Annotated[tuple[int, ...], array(hex32, PT_REGS_WORDS)] = at("struct pt_regs")
    fpr: Annotated[tuple[int, ...], array(hex64, 32)] = at("f0-f31, as bits")
    fpscr: hex32 = at("status and control")
    fpexc_mode: s32 = at("how floating point exceptions are taken", default=0)
    dabr: hex32 = at("data breakpoint", default=0)
    pad: u32 = at("alignment", default=0)


@record(size=624)
class FirstCpu64(Record):
    """First port, 64-bit kernel without VSX."""

    pt_regs: Annotated[tuple[int, ...], array(hex64, PT_REGS_WORDS)] = at("struct pt_regs")
    fpr: Annotated[tuple[int, ...], array(hex64, 32)] = at("f0-f31, as bits")
    fpscr: hex32 = at("status and control")
    fpexc_mode: s32 = at("how floating point exceptions are taken", default=0)
    dabr: u64 = at("data breakpoint", default=0)


def _write_nothing(out: CrWriter, numbers: Numbers, about: PlainImage | PlainMemory) -> None:
    """The second port had nothing to say here."""


def _read_no_head(source: CrReader, numbers: Numbers) -> Framed:
    """What the machine had is told by the length of its registers only."""
    return powerpc.HeaderArch(parts=0)


def _read_no_context(source: CrReader, numbers: Numbers, vdso: int) -> tuple[Framed, list[Bytes]]:
    return powerpc.MmContext(vdso=vdso), []


def _second_class(word_bytes: int, vsx: bool) -> type[Cpu32] | type[Cpu64] | type[Cpu64Vsx]:
    if word_bytes == 4:
        return Cpu32
    return Cpu64Vsx if vsx else Cpu64


def _write_second(out: CrWriter, numbers: Numbers, image: PlainImage, task: PlainTask) -> None:
    header, cpu, thread = image.header_arch, task.cpu, task.thread
    assert isinstance(header, powerpc.HeaderArch)
    assert isinstance(cpu, powerpc.Cpu) and isinstance(thread, powerpc.Thread)
    word_bytes = image.arch.word_bytes
    cls = _second_class(word_bytes, bool(header.parts & powerpc.PART_VSX))
    values = units_of(task.units).values(cls is Cpu64Vsx)
    out.write(numbers.cpu, cls(pt_regs=pt_regs(cpu, thread, word_bytes), **values), task.pid)


def _read_second(source: CrReader, numbers: Numbers, arch: ArchFormat, header: Framed) -> State:
    _, size = source.peek()
    cls = _second_class(arch.word_bytes, size == Cpu64Vsx.SIZE)
    old = source.read(numbers.cpu, cls, None)
    units = units_in(old.features_used, old.fpr, old.tail, source.refuse)
    thread, cpu = native_registers(old.pt_regs, arch.word_bytes, units.parts, source.refuse)
    parts = possible_parts(cls is Cpu64Vsx)
    return State(thread, cpu, list(units.in_order()), powerpc.HeaderArch(parts=parts))


def _write_mark(type_name: str) -> Any:
    def write(out: CrWriter, numbers: Numbers, about: PlainImage | PlainMemory) -> None:
        out.write(getattr(numbers, type_name), Mark())

    return write


def _read_marked_head(source: CrReader, numbers: Numbers) -> Framed:
    source.read(numbers.head_arch, Mark)
    return powerpc.HeaderArch(parts=0)


def _read_marked_context(
    source: CrReader, numbers: Numbers, vdso: int
) -> tuple[Framed, list[Bytes]]:
    source.read(numbers.mm_context, Mark)
    return powerpc.MmContext(vdso=vdso), []


def _write_first(out: CrWriter, numbers: Numbers, image: PlainImage, task: PlainTask) -> None:
    units, cpu, thread = units_of(task.units), task.cpu, task.thread
    assert isinstance(cpu, powerpc.Cpu) and isinstance(thread, powerpc.Thread)
    if units.altivec is not None or units.vsx is not None:
        sentence = "the first PowerPC port has no place for vector registers"
        raise ImageError(0, "CPU", sentence)
    if units.spe is not None:
        raise ImageError(0, "CPU", "the first PowerPC port has no place for SPE")
    out.write(numbers.thread, Mark(), task.pid)
    word_bytes = image.arch.word_bytes
    cls = FirstCpu64 if word_bytes == 8 else FirstCpu32
    record = cls(
        pt_regs=pt_regs(cpu, thread, word_bytes),
        fpr=units.fp.fpr if units.fp is not None else NO_REGISTERS,
        fpscr=units.fp.fpscr if units.fp is not None else 0,
        dabr=units.dabr.dabr if units.dabr is not None else 0,
    )
    out.write(numbers.cpu, record, task.pid)


def _read_first(source: CrReader, numbers: Numbers, arch: ArchFormat, header: Framed) -> State:
    source.read(numbers.thread, Mark, None)
    cls: type[FirstCpu64] | type[FirstCpu32] = FirstCpu64 if arch.word_bytes == 8 else FirstCpu32
    old = source.read(numbers.cpu, cls, None)
    # There were no bits: what is not zero was used.
    used = any(old.fpr) or old.fpscr
    fp = powerpc.CpuFp(fpr=old.fpr, fpscr=old.fpscr) if used else None
    dabr = powerpc.CpuDabr(dabr=old.dabr) if old.dabr else None
    units = Units(fp=fp, dabr=dabr)
    thread, cpu = native_registers(old.pt_regs, arch.word_bytes, units.parts, source.refuse)
    header = powerpc.HeaderArch(parts=powerpc.PART_FP if used else 0)
    return State(thread, cpu, list(units.in_order()), header)


SECOND = CrArch(
    order=BIG,
    formats=FORMATS,
    write_head=_write_nothing,
    read_head=_read_no_head,
    write_context=_write_nothing,
    read_context=_read_no_context,
    write_state=_write_second,
    read_state=_read_second,
    has_vdso=True,
)
FIRST = CrArch(
    order=BIG,
    formats=FORMATS,
    write_head=_write_mark("head_arch"),
    read_head=_read_marked_head,
    write_context=_write_mark("mm_context"),
    read_context=_read_marked_context,
    write_state=_write_first,
    read_state=_read_first,
    has_vdso=True,
)
SECOND_RECORDS: tuple[type[Record], ...] = (UnitsTail, Cpu32, Cpu64, Cpu64Vsx)
FIRST_RECORDS: tuple[type[Record], ...] = (Mark, FirstCpu32, FirstCpu64)
