"""The records that both PowerPC architectures share. They are ours.

A CPU record has the registers that every task has and says in `parts` which units the task has
used; one record for each of those follows, in the order of the bits. All words are 64 bits wide,
whatever the task is. The machine state register is left out: it is not the task's to choose.

Image grammar:

    CPU  [ CPU_FP ]  [ CPU_ALTIVEC ]  [ CPU_VSX ]  [ CPU_DABR ]  [ CPU_SPE ]
    MM_CONTEXT                                                 ; nothing follows it

Mirrors:  the idea of the PowerPC review of February 2009: a 64-bit mask of the parts, then the
          parts, independent of how the kernel was configured.
Deviates: linux-cr had one struct with every unit in it, private to the kernel, and neither
          THREAD nor MM_CONTEXT; here all architectures have the same four records.
Not modelled: DABR and SPE are parts like the others, so that an image with them can be read and
          converted; no CPU of ours has either, and a restart refuses them by name. The debug
          registers of BookE (IAC, DAC) have no part.
"""

from typing import Annotated

from cr.image.arch.shape import Unit
from cr.image.types import (
    HDR_CPU,
    HDR_CPU_ALTIVEC,
    HDR_CPU_DABR,
    HDR_CPU_FP,
    HDR_CPU_SPE,
    HDR_CPU_VSX,
    HDR_HEADER_ARCH,
    HDR_MM_CONTEXT,
    HDR_THREAD,
    Framed,
)
from emu.layout import Record, array, at, hex32, hex64, raw, record, u32

PART_FP = 0x1
PART_ALTIVEC = 0x2
PART_VSX = 0x4
PART_DABR = 0x8
PART_SPE = 0x10
PARTS_KNOWN = PART_FP | PART_ALTIVEC | PART_VSX | PART_DABR | PART_SPE

REGISTERS = 32
VECTOR_BYTES = 16


@record(size=16)
class HeaderArch(Framed):
    """What the writing machine has; the restarting one must have what its tasks used of it."""

    TYPE = HDR_HEADER_ARCH

    parts: hex64 = at("PART_*: units of the processor")

    def invalid(self) -> str | None:
        return _unknown_parts(self.parts)


@record(size=16)
class Thread(Framed):
    """struct thread_struct, as far as it travels."""

    TYPE = HDR_THREAD

    thread_info_flags: hex64 = at("TIF_*: tells a 32-bit task of a 64-bit kernel; compared only")


@record(size=328)
class Cpu(Framed):
    """The registers of every task."""

    TYPE = HDR_CPU

    parts: hex64 = at("PART_*: which unit records follow")
    gpr: Annotated[tuple[int, ...], array(hex64, REGISTERS)] = at(
        "r0-r31; r3: 0 after a checkpoint of itself"
    )
    nip: hex64 = at("program counter, after the trap")
    ctr: hex64 = at("count register")
    link: hex64 = at("link register")
    xer: hex64 = at("carries and overflow")
    ccr: hex64 = at("condition register")
    orig_gpr3: hex64 = at("r3 as the interrupted system call got it")
    trap: hex64 = at("why the kernel was entered: 0xc00 is a system call")

    def invalid(self) -> str | None:
        return _unknown_parts(self.parts)


@record(size=272)
class CpuFp(Framed):
    """Floating point."""

    TYPE = HDR_CPU_FP

    fpr: Annotated[tuple[int, ...], array(hex64, REGISTERS)] = at("f0-f31, as bits")
    fpscr: hex64 = at("status and control")


@record(size=544)
class CpuAltivec(Framed):
    """Vectors. The 16 bytes of a register are as a vector store would write them."""

    TYPE = HDR_CPU_ALTIVEC

    vr: Annotated[tuple[bytes, ...], array(raw(VECTOR_BYTES), REGISTERS)] = at("v0-v31")
    vscr: Annotated[bytes, raw(VECTOR_BYTES)] = at("status and control, in the last word")
    vrsave: hex32 = at("which registers the task says it uses")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=264)
class CpuVsx(Framed):
    """The halves of VSX registers 0-31 that are no floating point register."""

    TYPE = HDR_CPU_VSX

    low: Annotated[tuple[int, ...], array(hex64, REGISTERS)] = at("the low halves")


@record(size=16)
class CpuDabr(Framed):
    """The data breakpoint that a debugger has set."""

    TYPE = HDR_CPU_DABR

    dabr: hex64 = at("data address, and in its low bits when it stops: 1 read, 2 write, 4 on")


@record(size=152)
class CpuSpe(Framed):
    """The signal processing engine of e500: the general registers are twice as wide."""

    TYPE = HDR_CPU_SPE

    evr: Annotated[tuple[int, ...], array(hex32, REGISTERS)] = at("the upper halves of r0-r31")
    acc: hex64 = at("accumulator")
    spefscr: hex32 = at("status and control")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=16)
class MmContext(Framed):
    """The parts of an address space that only PowerPC has."""

    TYPE = HDR_MM_CONTEXT

    vdso: hex64 = at("address of the vdso; 0: none")


def program_counter(cpu: Record) -> int:
    """Where the task goes on."""
    assert isinstance(cpu, Cpu)
    return cpu.nip


def cpu_units(header: Record, cpu: Record) -> tuple[Unit, ...]:
    """One record for each part that the task has used."""
    assert isinstance(cpu, Cpu)
    units = (
        (PART_FP, Unit(HDR_CPU_FP, CpuFp)),
        (PART_ALTIVEC, Unit(HDR_CPU_ALTIVEC, CpuAltivec)),
        (PART_VSX, Unit(HDR_CPU_VSX, CpuVsx)),
        (PART_DABR, Unit(HDR_CPU_DABR, CpuDabr)),
        (PART_SPE, Unit(HDR_CPU_SPE, CpuSpe)),
    )
    return tuple(unit for part, unit in units if cpu.parts & part)


def mm_units(context: Record) -> tuple[Unit, ...]:
    """Nothing."""
    return ()


def _unknown_parts(parts: int) -> str | None:
    unknown = parts & ~PARTS_KNOWN
    return f"parts {unknown:#x} are unknown" if unknown else None
