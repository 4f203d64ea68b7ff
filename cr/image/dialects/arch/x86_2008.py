"""x86 in the images of 2008, which knew 32-bit machines only.

Segments are selectors, not encodings; nothing of them, nor of the flags, was validated. The TLS
descriptors, the FPU and the local descriptor table have no frames.

Mirrors:  linux-cr v13, arch/x86/mm/checkpoint.c and restart.c, asm/checkpoint_hdr.h.
Deviates: debug registers are refused; later versions dropped them.
"""

from __future__ import annotations

from typing import Annotated, Any

from cr.image.arch import x86, x86_32
from cr.image.arch.shape import ArchFormat
from cr.image.dialects.cr_shape import CrArch, Numbers, State
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import PlainImage, PlainMemory, PlainTask
from cr.image.types import Framed
from emu.layout import (
    LITTLE,
    Bytes,
    LayoutError,
    Record,
    array,
    at,
    hex64,
    record,
    s16,
    u16,
    u32,
)

MACHINES = ("i386", "i486", "i586", "i686")
TLS_BYTES = x86.TLS_ENTRIES * x86.DESCRIPTOR_BYTES
XSTATE_LIMIT = 4096
_GENERAL = "r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di orig_ax ip".split()
_SELECTORS = {"cs": "cs", "ss": "ss", "ds": "ds", "es": "es", "fs": "fsindex", "gs": "gsindex"}


@record(size=8)
class HeadArch(Record):
    """What the writing CPU can do (from v9 on)."""

    has_fxsr: u16 = at("it has FXSAVE")
    has_xsave: u16 = at("it has XSAVE")
    xstate_size: u16 = at("bytes of the FPU behind a CPU record")
    pad: u16 = at("alignment", default=0)


@record(size=8)
class Thread(Record):
    """Thread-local storage: the descriptors follow, without a frame, if there are any."""

    gdt_entry_tls_entries: s16 = at("number of TLS descriptors", default=x86.TLS_ENTRIES)
    sizeof_tls_array: s16 = at("their bytes", default=TLS_BYTES)
    ntls: s16 = at("how many are in use; whatever it says, all follow, or none")
    pad: s16 = at("alignment", default=0)

    def invalid(self) -> str | None:
        if (self.gdt_entry_tls_entries, self.sizeof_tls_array) != (x86.TLS_ENTRIES, TLS_BYTES):
            return f"there are {x86.TLS_ENTRIES} TLS descriptors of {x86.DESCRIPTOR_BYTES} bytes"
        return None if 0 <= self.ntls <= x86.TLS_ENTRIES else f"{self.ntls} TLS descriptors"


@record(size=264)
class Registers(Record):
    """The registers, as both CPU records begin."""

    r15: hex64 = at("register")
    r14: hex64 = at("register")
    r13: hex64 = at("register")
    r12: hex64 = at("register")
    bp: hex64 = at("register")
    bx: hex64 = at("register")
    r11: hex64 = at("register")
    r10: hex64 = at("register")
    r9: hex64 = at("register")
    r8: hex64 = at("register")
    ax: hex64 = at("register; 0 in a task that checkpoints itself")
    cx: hex64 = at("register")
    dx: hex64 = at("register")
    si: hex64 = at("register")
    di: hex64 = at("register")
    orig_ax: hex64 = at("number of the interrupted system call; negative: none")
    ip: hex64 = at("program counter")
    cs: hex64 = at("selector")
    flags: hex64 = at("flags register")
    sp: hex64 = at("stack pointer")
    ss: hex64 = at("selector")
    ds: hex64 = at("selector")
    es: hex64 = at("selector")
    fs: hex64 = at("selector")
    gs: hex64 = at("selector")
    debugreg: Annotated[tuple[int, ...], array(hex64, 8)] = at(
        "debug registers 0 to 7", default=(0,) * 8
    )


@record(size=272)
class Cpu(Registers):
    """The registers from v9 on; the FPU follows without a frame if it was used."""

    uses_debug: u32 = at("debug registers are armed", default=0)
    used_math: u32 = at("not 0: the FPU follows")


@record(size=8)
class MmContext(Record):
    """The local descriptor table follows, without a frame."""

    ldt_entry_size: s16 = at("bytes in a descriptor", default=x86.DESCRIPTOR_BYTES)
    nldt: s16 = at("how many descriptors follow")
    pad: u32 = at("alignment", default=0)

    def invalid(self) -> str | None:
        if self.ldt_entry_size != x86.DESCRIPTOR_BYTES or not 0 <= self.nldt <= 8192:
            return f"{self.nldt} descriptors of {self.ldt_entry_size} bytes"
        return None


def old_registers(cpu: x86.Cpu) -> dict[str, Any]:
    """The values of a Registers record."""
    values: dict[str, Any] = {name: getattr(cpu, name) for name in (*_GENERAL, "flags", "sp")}
    for name, encoded in _SELECTORS.items():
        values[name] = x86_32.SEGMENTS.decode(getattr(cpu, encoded))
    return values


def native_cpu(source: CrReader, old: Registers, used_math: bool) -> x86.Cpu:
    """The native record of these registers; refuses what it cannot have."""
    values = {name: getattr(old, name) for name in (*_GENERAL, "flags", "sp")}
    if max(values.values()) >> 32:
        source.refuse("a register of a 32-bit machine with more than 32 bits")
    if any(old.debugreg):
        source.refuse("debug registers are in use")
    try:
        for name, encoded in _SELECTORS.items():
            # A selector has 16 bits; a pushed segment register has garbage above them.
            values[encoded] = x86_32.SEGMENTS.encode(getattr(old, name) & 0xFFFF)
        return x86.Cpu(fs=0, gs=0, used_math=int(used_math), **values)
    except LayoutError as error:
        source.refuse(str(error))


def _write_head(out: CrWriter, numbers: Numbers, image: PlainImage) -> None:
    arch = image.header_arch
    assert isinstance(arch, x86.HeaderArch)
    record = HeadArch(
        has_fxsr=arch.has_fxsr, has_xsave=arch.has_xsave, xstate_size=arch.xstate_size
    )
    out.write(numbers.head_arch, record)


def _read_head(source: CrReader, numbers: Numbers) -> Framed:
    arch = source.read(numbers.head_arch, HeadArch)
    if arch.xstate_size > XSTATE_LIMIT:
        source.refuse(f"an FPU of {arch.xstate_size} bytes")
    return x86.HeaderArch(
        has_fxsr=arch.has_fxsr, has_xsave=arch.has_xsave, xstate_size=arch.xstate_size
    )


def write_context(out: CrWriter, numbers: Numbers, memory: PlainMemory) -> None:
    """MM_CONTEXT and the local descriptor table."""
    context = memory.context
    assert isinstance(context, x86.MmContext)
    out.write(numbers.mm_context, MmContext(nldt=context.nldt))
    for unit in memory.units:
        out.raw(unit)


def read_context(source: CrReader, numbers: Numbers, vdso: int) -> tuple[Framed, list[Bytes]]:
    """MM_CONTEXT and the local descriptor table."""
    record = source.read(numbers.mm_context, MmContext)
    ldt = source.raw(record.nldt * x86.DESCRIPTOR_BYTES, "ldt")
    return x86.MmContext(vdso=0, nldt=record.nldt), [bytes(ldt)]


def write_thread(out: CrWriter, numbers: Numbers, task: PlainTask, *, always: bool = False) -> None:
    """THREAD and the TLS descriptors; `always`: even when none is in use."""
    thread = task.thread
    assert isinstance(thread, x86.Thread)
    in_use = sum(any(descriptor) for descriptor in thread.tls_array)
    out.write(numbers.thread, Thread(ntls=in_use), task.pid)
    if in_use or always:
        out.raw(b"".join(thread.tls_array))


def read_thread(source: CrReader, numbers: Numbers, *, always: bool = False) -> x86.Thread:
    """THREAD and the TLS descriptors."""
    record = source.read(numbers.thread, Thread, None)
    raw = bytes(TLS_BYTES)
    if record.ntls or always:
        raw = bytes(source.raw(TLS_BYTES, "tls"))
    each = x86.DESCRIPTOR_BYTES
    tls = tuple(raw[begin : begin + each] for begin in range(0, TLS_BYTES, each))
    return x86.Thread(sysenter_return=0, thread_info_flags=0, tls_array=tls)


def _write_state(out: CrWriter, numbers: Numbers, image: PlainImage, task: PlainTask) -> None:
    write_thread(out, numbers, task)
    cpu = task.cpu
    assert isinstance(cpu, x86.Cpu)
    record = Cpu(used_math=cpu.used_math, **old_registers(cpu))
    out.write(numbers.cpu, record, task.pid)
    for unit in task.units:
        assert not isinstance(unit, Framed)
        out.raw(unit)


def _read_state(source: CrReader, numbers: Numbers, arch: ArchFormat, header: Framed) -> State:
    thread = read_thread(source, numbers)
    record = source.read(numbers.cpu, Cpu, None)
    cpu = native_cpu(source, record, bool(record.used_math))
    units: list[Framed | Bytes] = []
    if record.used_math:
        assert isinstance(header, x86.HeaderArch)
        units.append(bytes(source.raw(header.xstate_size, "xstate")))
    return State(thread, cpu, units, header)


ARCH = CrArch(
    order=LITTLE,
    formats=dict.fromkeys(MACHINES, x86_32.FORMAT),
    write_head=_write_head,
    read_head=_read_head,
    write_context=write_context,
    read_context=read_context,
    write_state=_write_state,
    read_state=_read_state,
    has_vdso=False,
)
RECORDS: tuple[type[Record], ...] = (HeadArch, Thread, Cpu, MmContext)
