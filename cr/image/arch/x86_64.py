"""Image records of a 64-bit x86 kernel, whose tasks may be 32-bit ones.

Its GDT has one data segment for both sizes, so SEG_USER32_DS and SEG_USER64_DS decode to the
same selector, which encodes to the second.

Mirrors:  linux-cr arch/x86/kernel/checkpoint_64.c, the segment table of x86-64.
"""

from cr.image.arch.shape import ArchFormat
from cr.image.arch.x86 import (
    SEG_USER32_CS,
    SEG_USER32_DS,
    SEG_USER64_CS,
    SEG_USER64_DS,
    Cpu,
    HeaderArch,
    MmContext,
    Segments,
    Thread,
    cpu_units,
    mm_units,
    program_counter,
)
from cr.image.types import ARCH_X86_64

__all__ = ["FORMAT", "SEGMENTS", "Cpu", "HeaderArch", "MmContext", "Thread"]

USER32_CS = 0x23
USER_DS = 0x2B
USER_CS = 0x33

SEGMENTS = Segments(
    user=(
        (SEG_USER64_CS, USER_CS),
        (SEG_USER64_DS, USER_DS),
        (SEG_USER32_CS, USER32_CS),
        (SEG_USER32_DS, USER_DS),
    ),
    first_tls_slot=12,
)

FORMAT = ArchFormat(
    arch_id=ARCH_X86_64,
    name="x86_64",
    word_bytes=8,
    program_counter=program_counter,
    header_arch=HeaderArch,
    thread=Thread,
    cpu=Cpu,
    mm_context=MmContext,
    cpu_units=cpu_units,
    mm_units=mm_units,
)
