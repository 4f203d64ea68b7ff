"""x86 in the first mail, July 2008: as in October, but MM_CONTEXT has no alignment.

That THREAD and CPU are those of v6 is UNVERIFIED.

Mirrors:  linux-cr v1, cr_hdr_mm_context.
"""

from __future__ import annotations

from dataclasses import replace

from cr.image.arch import x86, x86_32
from cr.image.dialects.arch import x86_2008_one
from cr.image.dialects.cr_shape import Numbers
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import PlainMemory
from cr.image.types import Framed
from emu.layout import Bytes, Record, at, record, s16

MOST_DESCRIPTORS = 8192
FORMAT = x86_32.FORMAT
MACHINE = b"i686"
"""HEAD did not say which machine it was."""


@record(size=4)
class MmContextV1(Record):
    """The local descriptor table follows, without a frame."""

    ldt_entry_size: s16 = at("bytes in a descriptor", default=x86.DESCRIPTOR_BYTES)
    nldt: s16 = at("how many descriptors follow")

    def invalid(self) -> str | None:
        if self.ldt_entry_size != x86.DESCRIPTOR_BYTES or not 0 <= self.nldt <= MOST_DESCRIPTORS:
            return f"{self.nldt} descriptors of {self.ldt_entry_size} bytes"
        return None


def _write_context(out: CrWriter, numbers: Numbers, memory: PlainMemory) -> None:
    assert isinstance(memory.context, x86.MmContext)
    out.write(numbers.mm_context, MmContextV1(nldt=memory.context.nldt))
    for unit in memory.units:
        out.raw(unit)


def _read_context(source: CrReader, numbers: Numbers, vdso: int) -> tuple[Framed, list[Bytes]]:
    record = source.read(numbers.mm_context, MmContextV1)
    ldt = source.raw(record.nldt * x86.DESCRIPTOR_BYTES, "ldt")
    return x86.MmContext(vdso=0, nldt=record.nldt), [bytes(ldt)]


ARCH = replace(x86_2008_one.ARCH, write_context=_write_context, read_context=_read_context)
RECORDS: tuple[type[Record], ...] = (MmContextV1,)
