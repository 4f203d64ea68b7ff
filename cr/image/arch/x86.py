"""The records that both x86 architectures share; they differ in segments and word size only.

Image grammar:

    THREAD                            ; with the three TLS descriptors in the record
    CPU  [ CPU_FPU xstate ]           ; xstate when used_math is set, HEADER_ARCH.xstate_size bytes
    MM_CONTEXT  MM_CONTEXT_LDT        ; nldt * 8 bytes, also when nldt is 0

Segment registers are stored as encodings, not as selectors, so that two kernels may number their
GDT differently.

Mirrors:  linux-cr arch/x86/include/asm/checkpoint_hdr.h: ckpt_hdr_header_arch, ckpt_hdr_thread,
          ckpt_hdr_cpu, ckpt_hdr_mm_context; encode_segment, decode_segment.
"""

from dataclasses import dataclass
from typing import Annotated

from cr.image.arch.shape import Unit
from cr.image.types import (
    HDR_CPU,
    HDR_CPU_FPU,
    HDR_HEADER_ARCH,
    HDR_MM_CONTEXT,
    HDR_MM_CONTEXT_LDT,
    HDR_THREAD,
    Framed,
)
from emu.layout import LayoutError, Record, at, hex16, hex32, hex64, raw, record, rest, u16, u32

TLS_ENTRIES = 3
DESCRIPTOR_BYTES = 8
LDT_ENTRIES_MAX = 8192

SEG_NULL = 0x0000
SEG_USER32_CS = 0x0001
SEG_USER32_DS = 0x0002
SEG_USER64_CS = 0x0003
SEG_USER64_DS = 0x0004
SEG_TLS = 0x4000
SEG_LDT = 0x8000
LDT_INDEX_MASK = 0x1FFF

SELECTOR_USER_RPL = 3
SELECTOR_LDT = 4


@record(size=16)
class HeaderArch(Framed):
    """What the writing CPU can do; the restarting one must be the same."""

    TYPE = HDR_HEADER_ARCH

    has_fxsr: u16 = at("it has FXSAVE")
    has_xsave: u16 = at("it has XSAVE")
    xstate_size: u16 = at("bytes in a CPU_FPU record")
    pad: u16 = at("zero", default=0, must_be=0)


@record(size=24)
class Thread(Framed):
    """struct thread_struct, as far as it travels."""

    TYPE = HDR_THREAD

    sysenter_return: hex64 = at("where SYSENTER returns to")
    thread_info_flags: hex32 = at("TIF_*; compared, never installed")
    gdt_entry_tls_entries: u16 = at("number of TLS descriptors", default=TLS_ENTRIES)
    sizeof_tls_array: u16 = at("their bytes", default=TLS_ENTRIES * DESCRIPTOR_BYTES)
    tls_array: Annotated[tuple[bytes, ...], rest(raw(DESCRIPTOR_BYTES))] = at(
        "the descriptors", default=(bytes(DESCRIPTOR_BYTES),) * TLS_ENTRIES
    )

    def invalid(self) -> str | None:
        sizes = (self.gdt_entry_tls_entries, self.sizeof_tls_array, len(self.tls_array))
        if sizes != (TLS_ENTRIES, TLS_ENTRIES * DESCRIPTOR_BYTES, TLS_ENTRIES):
            return f"there are {TLS_ENTRIES} TLS descriptors of {DESCRIPTOR_BYTES} bytes"
        return None


@record(size=192)
class Cpu(Framed):
    """The general registers. 32-bit tasks leave the upper halves and r8-r15 zero."""

    TYPE = HDR_CPU

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
    ip: hex64 = at("program counter, after the trap")
    sp: hex64 = at("stack pointer")
    flags: hex64 = at("flags register")
    fs: hex64 = at("64-bit: base of fs")
    gs: hex64 = at("64-bit: base of gs")
    fsindex: hex16 = at("segment encoding, SEG_*")
    gsindex: hex16 = at("segment encoding")
    cs: hex16 = at("segment encoding, not SEG_NULL")
    ss: hex16 = at("segment encoding")
    ds: hex16 = at("segment encoding")
    es: hex16 = at("segment encoding")
    used_math: u32 = at("1: CPU_FPU follows")

    def invalid(self) -> str | None:
        for name in ("fsindex", "gsindex", "cs", "ss", "ds", "es"):
            if not is_segment(getattr(self, name)):
                return f"{name} {getattr(self, name):#x} is no segment encoding"
        if self.cs == SEG_NULL:
            return "cs must not be null"
        return None if self.used_math <= 1 else "used_math is 0 or 1"


@record(size=24)
class MmContext(Framed):
    """The parts of an address space that only x86 has."""

    TYPE = HDR_MM_CONTEXT

    vdso: hex64 = at("address of the vdso; 0: none")
    ldt_entry_size: u32 = at("bytes in a descriptor", default=DESCRIPTOR_BYTES)
    nldt: u32 = at("how many descriptors MM_CONTEXT_LDT has", default=0)

    def invalid(self) -> str | None:
        if self.ldt_entry_size != DESCRIPTOR_BYTES:
            return f"descriptors have {DESCRIPTOR_BYTES} bytes, not {self.ldt_entry_size}"
        if self.nldt > LDT_ENTRIES_MAX:
            return f"{self.nldt} descriptors are more than {LDT_ENTRIES_MAX}"
        return None


def program_counter(cpu: Record) -> int:
    """Where the task goes on."""
    assert isinstance(cpu, Cpu)
    return cpu.ip


def cpu_units(header: Record, cpu: Record) -> tuple[Unit, ...]:
    """CPU_FPU, when the task has used it."""
    assert isinstance(header, HeaderArch) and isinstance(cpu, Cpu)
    return (Unit(HDR_CPU_FPU, size_bytes=header.xstate_size),) if cpu.used_math else ()


def mm_units(context: Record) -> tuple[Unit, ...]:
    """The local descriptor table, even an empty one."""
    assert isinstance(context, MmContext)
    return (Unit(HDR_MM_CONTEXT_LDT, size_bytes=context.nldt * DESCRIPTOR_BYTES),)


def is_segment(encoding: int) -> bool:
    """Can this stand in a segment field of Cpu?"""
    if encoding & SEG_LDT:
        return encoding & ~SEG_LDT <= LDT_INDEX_MASK
    if encoding & SEG_TLS:
        return encoding & ~SEG_TLS < TLS_ENTRIES
    return encoding <= SEG_USER64_DS


@dataclass(frozen=True, slots=True)
class Segments:
    """How one kernel numbers its GDT: selector <-> encoding."""

    user: tuple[tuple[int, int], ...]
    """(encoding, selector); the first fitting one wins when two encodings share a selector."""
    first_tls_slot: int

    def encode(self, selector: int) -> int:
        """The encoding of a selector that a guest has loaded."""
        if selector == 0:
            return SEG_NULL
        index = selector >> 3
        for encoding, known in self.user:
            if selector == known:
                return encoding
        if selector & SELECTOR_LDT and selector & SELECTOR_USER_RPL == SELECTOR_USER_RPL:
            return SEG_LDT | index
        slot = index - self.first_tls_slot
        if selector & 7 == SELECTOR_USER_RPL and 0 <= slot < TLS_ENTRIES:
            return SEG_TLS | slot
        raise LayoutError(f"selector {selector:#x} names no segment of user space")

    def decode(self, encoding: int) -> int:
        """The selector that this kernel has for an encoding."""
        if not is_segment(encoding):
            raise LayoutError(f"{encoding:#x} is no segment encoding")
        if encoding & SEG_LDT:
            return (encoding & LDT_INDEX_MASK) << 3 | SELECTOR_LDT | SELECTOR_USER_RPL
        if encoding & SEG_TLS:
            return (self.first_tls_slot + (encoding & ~SEG_TLS)) << 3 | SELECTOR_USER_RPL
        if encoding == SEG_NULL:
            return 0
        for known, selector in self.user:
            if encoding == known:
                return selector
        raise LayoutError(f"segment encoding {encoding:#x} is of another word size")
