"""x86 in the images of 2010: THREAD did not say where SYSENTER returns to.

Mirrors:  linux-cr v21, arch/x86/include/asm/checkpoint_hdr.h.
"""

from __future__ import annotations

from typing import Annotated

from cr.image import types as t
from cr.image.arch import x86
from cr.image.dialects.frames import Frame
from cr.image.dialects.step import Change, Passage
from cr.image.header import Header
from cr.image.types import HDR_THREAD, Framed
from emu.layout import Record, at, hex32, raw, record, rest, u16

_ARCH_IDS = (t.ARCH_X86_32, t.ARCH_X86_64)


@record(size=16)
class Thread2010(Framed):
    """Without sysenter_return."""

    TYPE = HDR_THREAD

    thread_info_flags: hex32 = at("TIF_*; compared, never installed")
    gdt_entry_tls_entries: u16 = at("number of TLS descriptors")
    sizeof_tls_array: u16 = at("their bytes")
    tls_array: Annotated[tuple[bytes, ...], rest(raw(x86.DESCRIPTOR_BYTES))] = at("the descriptors")


RECORDS: tuple[type[Record], ...] = (Thread2010,)
_CHANGE = Change(x86.Thread, Thread2010, {"sysenter_return": 0})


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Native THREADs -> those of 2010; of another architecture, nothing changes."""
    if passage.unpack(Header, frames[0]).arch_id not in _ARCH_IDS:
        return frames
    return [
        _CHANGE.narrowed(passage, frame) if frame.type_no == t.HDR_THREAD else frame
        for frame in frames
    ]


def up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """THREADs of 2010 -> native ones; of another architecture, nothing changes."""
    if passage.unpack(Header, frames[0]).arch_id not in _ARCH_IDS:
        return frames
    return [
        _CHANGE.widened(passage, frame) if frame.type_no == t.HDR_THREAD else frame
        for frame in frames
    ]
