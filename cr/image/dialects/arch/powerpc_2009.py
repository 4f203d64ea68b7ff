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
Deviates: MSR is not believed: what it says is only the word size of the task. VSCR, which the
          second port declared and never filled, is filled; so is VSX, whose bit it declared.
Not modelled: DABR and SPE: refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cr.image.arch import powerpc, ppc32, ppc64
from cr.image.arch.shape import ArchFormat
from cr.image.dialects.cr_shape import CrArch, Numbers, State
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import PlainImage, PlainMemory, PlainTask
from cr.image.errors import ImageError
from cr.image.types import Framed
from emu.layout import BIG, Bytes, Record, array, at, hex32, hex64, raw, record, s32, u32, u64

FORMATS: dict[str, ArchFormat] = {"ppc": ppc32.FORMAT, "ppc64": ppc64.FORMAT}
DEADBEEF = 0xDEADBEEF
FEATURE_FP, FEATURE_DEBUG, FEATURE_ALTIVEC, FEATURE_SPE, FEATURE_VSX = 0x1, 0x2, 0x4, 0x8, 0x10
_FEATURES = FEATURE_FP | FEATURE_ALTIVEC | FEATURE_VSX
_PARTS = {
    FEATURE_FP: powerpc.PART_FP,
    FEATURE_ALTIVEC: powerpc.PART_ALTIVEC,
    FEATURE_VSX: powerpc.PART_VSX,
}
PT_REGS_WORDS = 44
NIP, MSR, ORIG_GPR3, CTR, LINK, XER, CCR, SOFTE, TRAP = range(32, 41)
MSR_SF = 1 << 63
MSR_USER32 = 0xD032
TIF_32BIT = 1 << 4
_VECTOR = powerpc.VECTOR_BYTES
_NO_VECTORS = (bytes(_VECTOR),) * powerpc.REGISTERS


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
    fpscr: hex32 = at("status and control")
    fpexc_mode: s32 = at("how floating point exceptions are taken", default=0)
    dabr: hex64 = at("data breakpoint", default=0)
    vr: Annotated[tuple[bytes, ...], array(raw(_VECTOR), 32)] = at("v0-v31")
    vscr: Annotated[bytes, raw(_VECTOR)] = at("status and control, in the last word")
    vrsave: hex64 = at("which vector registers the task says it uses")
    evr: Annotated[tuple[int, ...], array(hex32, 32)] = at("SPE: upper halves", default=(0,) * 32)
    acc: hex64 = at("SPE: accumulator", default=0)
    spefscr: hex32 = at("SPE: status and control", default=0)
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
    fpscr: hex32 = at("status and control")
    fpexc_mode: s32 = at("how floating point exceptions are taken", default=0)
    dabr: hex64 = at("data breakpoint", default=0)
    vr: Annotated[tuple[bytes, ...], array(raw(_VECTOR), 32)] = at("v0-v31")
    vscr: Annotated[bytes, raw(_VECTOR)] = at("status and control, in the last word")
    vrsave: hex64 = at("which vector registers the task says it uses")
    evr: Annotated[tuple[int, ...], array(hex32, 32)] = at("SPE: upper halves", default=(0,) * 32)
    acc: hex64 = at("SPE: accumulator", default=0)
    spefscr: hex32 = at("SPE: status and control", default=0)
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
    fpscr: hex32 = at("status and control")
    fpexc_mode: s32 = at("how floating point exceptions are taken", default=0)
    dabr: hex64 = at("data breakpoint", default=0)
    vr: Annotated[tuple[bytes, ...], array(raw(_VECTOR), 32)] = at("v0-v31")
    vscr: Annotated[bytes, raw(_VECTOR)] = at("status and control, in the last word")
    vrsave: hex64 = at("which vector registers the task says it uses")
    evr: Annotated[tuple[int, ...], array(hex32, 32)] = at("SPE: upper halves", default=(0,) * 32)
    acc: hex64 = at("SPE: accumulator", default=0)
    spefscr: hex32 = at("SPE: status and control", default=0)
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


@dataclass(frozen=True, slots=True)
class _Units:
    """The native units of a task, or what stands for those that it has not used."""

    fp: powerpc.CpuFp | None = None
    altivec: powerpc.CpuAltivec | None = None
    vsx: powerpc.CpuVsx | None = None


def _units_of(task: PlainTask) -> _Units:
    named: dict[str, Any] = {}
    for unit in task.units:
        match unit:
            case powerpc.CpuFp():
                named["fp"] = unit
            case powerpc.CpuAltivec():
                named["altivec"] = unit
            case powerpc.CpuVsx():
                named["vsx"] = unit
    return _Units(**named)


def pt_regs(task: PlainTask, word_bytes: int) -> tuple[int, ...]:
    """struct pt_regs of a task."""
    cpu, thread = task.cpu, task.thread
    assert isinstance(cpu, powerpc.Cpu) and isinstance(thread, powerpc.Thread)
    wide = word_bytes == 8 and not thread.thread_info_flags & TIF_32BIT
    words = [*cpu.gpr, cpu.nip, MSR_USER32 | (MSR_SF if wide else 0), cpu.orig_gpr3]
    words += [cpu.ctr, cpu.link, cpu.xer, cpu.ccr, int(word_bytes == 8), cpu.trap, 0, 0, 0]
    return tuple(words)


def native_registers(
    source: CrReader, words: tuple[int, ...], word_bytes: int, parts: int
) -> tuple[powerpc.Thread, powerpc.Cpu]:
    """THREAD and CPU of a struct pt_regs."""
    narrow = word_bytes == 8 and not words[MSR] & MSR_SF
    if words[CCR] >> 32 or words[XER] >> 32:
        source.refuse("CR and XER have 32 bits")
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
    header = image.header_arch
    assert isinstance(header, powerpc.HeaderArch)
    word_bytes = image.arch.word_bytes
    cls = _second_class(word_bytes, bool(header.parts & powerpc.PART_VSX))
    units = _units_of(task)
    fp, altivec, vsx = units.fp, units.altivec, units.vsx
    fpr = fp.fpr if fp is not None else (0,) * 32
    if cls is Cpu64Vsx:
        low = vsx.low if vsx is not None else (0,) * 32
        fpr = tuple(half for pair in zip(fpr, low) for half in pair)
    features = FEATURE_FP if fp is not None else 0
    features |= FEATURE_ALTIVEC if altivec is not None else 0
    features |= FEATURE_VSX if vsx is not None else 0
    out.write(
        numbers.cpu,
        cls(
            features_used=features,
            pt_regs=pt_regs(task, word_bytes),
            fpr=fpr,
            fpscr=fp.fpscr if fp is not None else 0,
            vr=altivec.vr if altivec is not None else _NO_VECTORS,
            vscr=altivec.vscr if altivec is not None else bytes(_VECTOR),
            vrsave=altivec.vrsave if altivec is not None else 0,
        ),
        task.pid,
    )


def _read_second(source: CrReader, numbers: Numbers, arch: ArchFormat, header: Framed) -> State:
    _, size = source.peek()
    cls = _second_class(arch.word_bytes, size == Cpu64Vsx.SIZE)
    old = source.read(numbers.cpu, cls, None)
    features = old.features_used
    if features & ~_FEATURES or old.dabr:
        source.refuse(f"features {features:#x}: DABR and SPE are not modelled")
    units: list[Framed | Bytes] = []
    if features & FEATURE_FP:
        fpr = old.fpr[::2] if cls is Cpu64Vsx else old.fpr
        units.append(powerpc.CpuFp(fpr=fpr, fpscr=old.fpscr))
    if features & FEATURE_ALTIVEC:
        if old.vrsave >> 32:
            source.refuse("VRSAVE has 32 bits")
        units.append(powerpc.CpuAltivec(vr=old.vr, vscr=old.vscr, vrsave=old.vrsave))
    if features & FEATURE_VSX:
        if cls is not Cpu64Vsx:
            source.refuse("VSX was used, but the registers have no second halves")
        units.append(powerpc.CpuVsx(low=old.fpr[1::2]))
    parts = sum(part for feature, part in _PARTS.items() if features & feature)
    thread, cpu = native_registers(source, old.pt_regs, arch.word_bytes, parts)
    possible = powerpc.PART_FP | powerpc.PART_ALTIVEC
    possible |= powerpc.PART_VSX if cls is Cpu64Vsx else 0
    return State(thread, cpu, units, powerpc.HeaderArch(parts=possible))


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
    units = _units_of(task)
    if units.altivec is not None or units.vsx is not None:
        sentence = "the first PowerPC port has no place for vector registers"
        raise ImageError(0, "CPU", sentence)
    out.write(numbers.thread, Mark(), task.pid)
    word_bytes = image.arch.word_bytes
    cls = FirstCpu64 if word_bytes == 8 else FirstCpu32
    record = cls(
        pt_regs=pt_regs(task, word_bytes),
        fpr=units.fp.fpr if units.fp is not None else (0,) * 32,
        fpscr=units.fp.fpscr if units.fp is not None else 0,
    )
    out.write(numbers.cpu, record, task.pid)


def _read_first(source: CrReader, numbers: Numbers, arch: ArchFormat, header: Framed) -> State:
    source.read(numbers.thread, Mark, None)
    cls: type[FirstCpu64] | type[FirstCpu32] = FirstCpu64 if arch.word_bytes == 8 else FirstCpu32
    old = source.read(numbers.cpu, cls, None)
    if old.dabr:
        source.refuse("DABR is not modelled")
    units: list[Framed | Bytes] = []
    if any(old.fpr) or old.fpscr:
        units.append(powerpc.CpuFp(fpr=old.fpr, fpscr=old.fpscr))
    parts = powerpc.PART_FP if units else 0
    thread, cpu = native_registers(source, old.pt_regs, arch.word_bytes, parts)
    return State(thread, cpu, units, powerpc.HeaderArch(parts=parts))


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
SECOND_RECORDS: tuple[type[Record], ...] = (Cpu32, Cpu64, Cpu64Vsx)
FIRST_RECORDS: tuple[type[Record], ...] = (Mark, FirstCpu32, FirstCpu64)
