"""Image records of a 64-bit PowerPC kernel."""

from cr.image.arch.powerpc import (
    Cpu,
    CpuAltivec,
    CpuDabr,
    CpuFp,
    CpuSpe,
    CpuVsx,
    HeaderArch,
    MmContext,
    Thread,
    cpu_units,
    mm_units,
    program_counter,
)
from cr.image.arch.shape import ArchFormat
from cr.image.types import ARCH_PPC64

__all__ = [
    "FORMAT",
    "Cpu",
    "CpuAltivec",
    "CpuDabr",
    "CpuFp",
    "CpuSpe",
    "CpuVsx",
    "HeaderArch",
    "MmContext",
    "Thread",
]

FORMAT = ArchFormat(
    arch_id=ARCH_PPC64,
    name="ppc64",
    word_bytes=8,
    program_counter=program_counter,
    header_arch=HeaderArch,
    thread=Thread,
    cpu=Cpu,
    mm_context=MmContext,
    cpu_units=cpu_units,
    mm_units=mm_units,
)
