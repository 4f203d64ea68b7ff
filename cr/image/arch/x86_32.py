"""Image records of a 32-bit x86 kernel.

Mirrors:  linux-cr arch/x86/kernel/checkpoint_32.c, the segment table of i386.
"""

from cr.image.arch.shape import ArchFormat
from cr.image.arch.x86 import (
    SEG_USER32_CS,
    SEG_USER32_DS,
    Cpu,
    HeaderArch,
    MmContext,
    Segments,
    Thread,
    cpu_units,
    mm_units,
    program_counter,
)
from cr.image.types import ARCH_X86_32

__all__ = ["FORMAT", "SEGMENTS", "Cpu", "HeaderArch", "MmContext", "Thread"]

USER_CS = 0x73
USER_DS = 0x7B

SEGMENTS = Segments(user=((SEG_USER32_CS, USER_CS), (SEG_USER32_DS, USER_DS)), first_tls_slot=6)

FORMAT = ArchFormat(
    arch_id=ARCH_X86_32,
    name="x86_32",
    word_bytes=4,
    program_counter=program_counter,
    header_arch=HeaderArch,
    thread=Thread,
    cpu=Cpu,
    mm_context=MmContext,
    cpu_units=cpu_units,
    mm_units=mm_units,
)
