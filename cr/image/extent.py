"""Where an image ends, found out while it arrives.

An image comes through a pipe as well as from a file, and behind it may be something else: a reader
takes what a record says it has, and never a byte beyond TAIL. `wanted` says how many bytes of the
image must be there before anything more can be told; `advance` looks at them.

From v14 on each record says its whole length. Before that much lay between two records without a
frame (pages, pids, the FPU), and only what came before tells how long it is. An extent holds
nothing that the bytes do not say: one that begins anew finds the same.

Mirrors:  linux-cr checkpoint/restart.c -- ckpt_read_obj, cr_read_obj.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NoReturn

from cr.image.dialects import cr_records as old
from cr.image.dialects import v2, v13
from cr.image.dialects.arch import x86_2008
from cr.image.dialects.cr_shape import CrArch, CrVersion
from cr.image.errors import ImageError
from cr.image.stream import byte_order
from cr.image.types import FRAME_BYTES, HDR_TAIL, PAGE_SIZE
from emu.layout import BIG, LITTLE, LayoutError, Order

_MAGIC_BYTES = 8


class Extent:
    """Of an image whose records have frames of 2009."""

    def __init__(self) -> None:
        self.wanted = FRAME_BYTES + _MAGIC_BYTES
        self.complete = False
        self._start = 0

    def advance(self, image: bytearray, limit: int) -> None:
        """Look at the `wanted` bytes that are there; no record may end behind `limit`.

        Raises ImageError.
        """
        order = byte_order(image)
        kind, length = struct.unpack_from(f"{order}II", image, self._start)
        end = self._start + length
        if length < FRAME_BYTES or end > limit:
            raise ImageError(self._start, "frame", f"a record of {length} bytes")
        if end > len(image):
            self.wanted = end
        elif kind == HDR_TAIL:
            self.complete = True
        else:
            self._start = end
            self.wanted = max(end + FRAME_BYTES, self.wanted)


Rule = Callable[["CrExtent", bytes], int]
"""From the payload of a record to the bytes behind it that have no frame."""


class CrExtent(Extent):
    """Of an image whose records have frames of 2008."""

    def __init__(self, version: CrVersion, arch_rules: Mapping[Order, Mapping[str, Rule]]) -> None:
        super().__init__()
        self._version, self._arch_rules = version, arch_rules
        self._rules: dict[int, Rule] = {}
        self._order: Order
        self._arch: CrArch
        self._raw_bytes = 0
        """Bytes without a frame in front of the next record."""
        self.word_bytes = 4
        self.xstate_bytes = 0
        self.held = 0
        """Bytes without a frame that come only behind the next record."""

    def advance(self, image: bytearray, limit: int) -> None:
        """Look at the `wanted` bytes that are there. Raises ImageError."""
        self._order = byte_order(image)
        at = self._start + self._raw_bytes
        if at + FRAME_BYTES > len(image):
            self._want(at + FRAME_BYTES, limit)
            return
        kind, length, _ = struct.unpack_from(f"{self._order}hhI", image, at)
        end = at + FRAME_BYTES + length
        if length < 0 or end > limit:
            self._refuse(f"a record of {length} bytes")
        if end > len(image):
            self._want(end, limit)
            return
        held, self.held = self.held, 0
        try:
            behind = self._behind(kind, bytes(image[at + FRAME_BYTES : end])) + held
        except LayoutError as bad:
            self._refuse(str(bad))
        self._start, self._raw_bytes = end, behind
        self.complete = kind == self._version.numbers.tail
        if not self.complete:
            self._want(end + behind + FRAME_BYTES, limit)

    def _want(self, end: int, limit: int) -> None:
        if end > limit:
            self._refuse(f"{end - self._start} bytes without a frame")
        self.wanted = end

    def _refuse(self, sentence: str) -> NoReturn:
        raise ImageError(self._start, "frame", sentence)

    def _behind(self, kind: int, payload: bytes) -> int:
        if kind == self._version.numbers.head:
            self._begin(payload)
        rule = self._rules.get(kind)
        return 0 if rule is None else rule(self, payload)

    def _begin(self, payload: bytes) -> None:
        """HEAD says which machine it is, and so how long a word is and what has no frame."""
        machine = old.Head.unpack(payload, self._order).machine.decode("latin-1")
        for arch in self._version.arches:
            if arch.order == self._order and machine in arch.formats:
                self.word_bytes = arch.formats[machine].word_bytes
                rules = {**GENERIC, **self._arch_rules[self._order]}
                numbers = self._version.numbers
                self._rules = {getattr(numbers, name): rule for name, rule in rules.items()}
                self._rules.pop(0, None)
                return
        self._refuse(f"a machine {machine!r}: {self._version.other_arches}")

    # ---- what lies behind a record

    def pids(self, payload: bytes) -> int:
        """Behind TREE."""
        return old.Tree.unpack(payload, self._order).tasks_nr * old.Pids.SIZE

    def pages(self, payload: bytes) -> int:
        """Behind PGARR."""
        return old.PageArray.unpack(payload, self._order).nr_pages * self._page_bytes

    def pages_of_area(self, payload: bytes) -> int:
        """v2: behind VMA, or behind the name that follows it."""
        area = v2.VmaV2.unpack(payload, self._order)
        size = area.npages * self._page_bytes
        if area.namelen:
            self.held = size
            return 0
        return size

    @property
    def _page_bytes(self) -> int:
        return self.word_bytes + PAGE_SIZE

    def descriptors(self, payload: bytes) -> int:
        """x86: behind MM_CONTEXT, the local descriptor table."""
        context = x86_2008.MmContext.unpack(payload, self._order)
        return context.nldt * context.ldt_entry_size

    def tls(self, payload: bytes) -> int:
        """x86: behind THREAD, if a descriptor is in use."""
        thread = x86_2008.Thread.unpack(payload, self._order)
        return thread.sizeof_tls_array if thread.ntls else 0

    def tls_always(self, payload: bytes) -> int:
        """x86, before v9: behind THREAD."""
        return x86_2008.Thread.unpack(payload, self._order).sizeof_tls_array

    def note_xstate(self, payload: bytes) -> int:
        """x86: HEAD_ARCH says how long the FPU is; nothing is behind it."""
        self.xstate_bytes = x86_2008.HeadArch.unpack(payload, self._order).xstate_size
        return 0

    def xstate(self, payload: bytes) -> int:
        """x86: behind CPU, if it was used."""
        cpu = x86_2008.Cpu.unpack(payload, self._order)
        return self.xstate_bytes if cpu.used_math else 0


GENERIC: Mapping[str, Rule] = {"tree": CrExtent.pids, "pgarr": CrExtent.pages}
LATER: Mapping[Order, Mapping[str, Rule]] = {
    LITTLE: {
        "mm_context": CrExtent.descriptors,
        "head_arch": CrExtent.note_xstate,
        "thread": CrExtent.tls,
        "cpu": CrExtent.xstate,
    },
    BIG: {},
}
"""v9 to v13."""
FIRST: Mapping[Order, Mapping[str, Rule]] = {
    LITTLE: {
        "vma": CrExtent.pages_of_area,
        "mm_context": CrExtent.descriptors,
        "thread": CrExtent.tls_always,
    },
    BIG: {},
}
"""v2."""


EXTENTS: Mapping[str, Callable[[], Extent]] = MappingProxyType(
    {
        v2.VERSION.name: lambda: CrExtent(v2.VERSION, FIRST),
        v13.VERSION.name: lambda: CrExtent(v13.VERSION, LATER),
    }
)
"""By the dialects that have frames of 2008 and that a kernel writes."""


def extent_of(dialect: str) -> Extent:
    """The extent of an image that has not begun to arrive."""
    return EXTENTS.get(dialect, Extent)()
