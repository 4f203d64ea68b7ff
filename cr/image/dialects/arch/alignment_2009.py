"""What the architectures had for themselves in September 2009.

The task record had a u64 behind an odd number of u32s, so it is another one where a u64 is aligned
to four bytes (32-bit x86). The x86 CPU record had debug registers; that they lie at its end is
UNVERIFIED.

Mirrors:  linux-cr checkpoint_hdr.h of 3 October 2009, and that of x86.
Deviates: debug registers that are in use are refused.
"""

from __future__ import annotations

from typing import Annotated

from cr.image import types as t
from cr.image.arch import x86
from cr.image.dialects.frames import Frame
from cr.image.dialects.records_2009 import Task2009, Task2009Unaligned
from cr.image.dialects.records_2010 import Task2010
from cr.image.dialects.step import Change, Passage
from cr.image.header import Header
from cr.image.types import HDR_CPU, Framed
from emu.layout import Record, array, at, hex16, hex64, record, u32

OLD_ARCH_IDS = {t.ARCH_X86_32: 1, 4: 3, 5: 4}
"""Number in February 2010 -> number until then; x86-64 came between."""
ONLY_ARCH_ID = 1
"""Of v14 to v17: the one architecture that is known of them."""
OLD_ARCH_NAMES = {1: "x86_32", 3: "ppc32", 4: "ppc64"}
"""By the number until then."""
_NO_DEBUG = (0,) * 6


@record(size=240)
class Cpu2009(Framed):
    """The general registers of x86, with the debug registers."""

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
    ax: hex64 = at("register")
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
    fsindex: hex16 = at("segment encoding")
    gsindex: hex16 = at("segment encoding")
    cs: hex16 = at("segment encoding")
    ss: hex16 = at("segment encoding")
    ds: hex16 = at("segment encoding")
    es: hex16 = at("segment encoding")
    used_math: u32 = at("1: CPU_FPU follows")
    debugreg: Annotated[tuple[int, ...], array(hex64, 6)] = at(
        "debug registers 0 to 3, 6, 7", default=_NO_DEBUG, must_be=_NO_DEBUG
    )


_CPU = Change(x86.Cpu, Cpu2009, {})
_TASK = Change(Task2010, Task2009, {})
_TASK_UNALIGNED = Change(Task2010, Task2009Unaligned, {})


def _changes(passage: Passage, frames: list[Frame]) -> dict[int, Change]:
    """Those of this image: its arch_id is that of 2010."""
    if passage.unpack(Header, frames[0]).arch_id == t.ARCH_X86_32:
        return {t.HDR_TASK: _TASK_UNALIGNED, t.HDR_CPU: _CPU}
    return {t.HDR_TASK: _TASK}


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Records of 2010 -> those of 2009."""
    changes = _changes(passage, frames)
    return [
        changes[frame.type_no].narrowed(passage, frame) if frame.type_no in changes else frame
        for frame in frames
    ]


def up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Records of 2009 -> those of 2010."""
    changes = _changes(passage, frames)
    return [
        changes[frame.type_no].widened(passage, frame) if frame.type_no in changes else frame
        for frame in frames
    ]


RECORDS: tuple[type[Record], ...] = (Task2009, Task2009Unaligned, Cpu2009)
