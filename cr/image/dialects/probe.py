"""Looking at the first bytes of an image without believing any of them.

Magic and revision are not enough to tell the dialects apart: the revision was not raised with each
change. Lengths and numbers of the first records are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cr.image.types import HDR_TAIL, HEADER_MAGIC
from emu.layout import BIG, LITTLE, Bytes, Order

_MAGIC_AT = 8


@dataclass(frozen=True, slots=True)
class Probe:
    """A place in an image of which nothing is known but the byte order."""

    image: memoryview
    order: Order

    def cr_frames(self, count: int) -> list[tuple[int, int]]:
        """(type, length) of the first records with frames of 2008; fewer where it ends."""
        found: list[tuple[int, int]] = []
        at = 0
        while len(found) < count and at + 8 <= len(self.image):
            kind, size = struct.unpack_from(f"{self.order}hh", self.image, at)
            found.append((kind, size))
            at += 8 + max(size, 0)
        return found

    def frames(self, count: int) -> list[tuple[int, int]]:
        """(type, length) of the first records with frames of 2009; fewer where it ends."""
        found: list[tuple[int, int]] = []
        at = 0
        while len(found) < count and at + 8 <= len(self.image):
            kind, size = struct.unpack_from(f"{self.order}II", self.image, at)
            found.append((kind, size))
            at += max(size, 8)
        return found

    def has(self, type_no: int) -> bool:
        """Is there a record of this type before TAIL? Frames of 2009."""
        at = 0
        while at + 8 <= len(self.image):
            kind, size = struct.unpack_from(f"{self.order}II", self.image, at)
            if kind in (type_no, HDR_TAIL):
                return bool(kind == type_no)
            at += max(size, 8)
        return False

    def tree_and_task(self) -> tuple[int, int]:
        """The number of TREE, and the length of the first TASK; (0, 0) where it ends before.

        TREE has 16 bytes in all versions, PIDS (the later 101) has 24.
        """
        frames = self.frames(14)
        for place, (kind, size) in enumerate(frames):
            if kind in (101, 102) and size == 16:
                rest = [one for one in frames[place + 1 :] if one[0] == kind + 1]
                return (kind, rest[0][1]) if rest else (0, 0)
        return 0, 0

    def revision(self) -> int:
        """HEADER.rev of the versions from 2009 on."""
        order = "little" if self.order == LITTLE else "big"
        return int.from_bytes(self.image[24:26], order)  # type: ignore[arg-type]


def probe(image: Bytes) -> Probe | None:
    """A probe, if the magic is where all dialects have it."""
    view = memoryview(image)
    magic = bytes(view[_MAGIC_AT : _MAGIC_AT + 8])
    orders: tuple[tuple[Order, int], ...] = ((LITTLE, 0), (BIG, 1))
    for order, big in orders:
        if magic == HEADER_MAGIC.to_bytes(8, "big" if big else "little"):
            return Probe(view, order)
    return None
