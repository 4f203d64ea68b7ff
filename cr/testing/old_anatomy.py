"""The anatomy of an image of an old dialect: its frames, and the words in them.

What the words mean only the dialect knows, so all of them are changed alike; a word whose value is
the number of an object may be one. Pages, and whatever else is long, are left as they are.
"""

from __future__ import annotations

import struct
from functools import cached_property

from cr.image import types as t
from cr.image.dialects.shape import Dialect
from cr.image.dialects.table import recognize
from cr.image.walk import Item
from cr.testing.mutation import Anatomy, Word

_LONG_BYTES = 2048
_NO_FRAME = -1


def anatomy_of(image: bytes) -> Anatomy:
    """An anatomy of whatever dialect an image has."""
    dialect = recognize(image)
    return Anatomy(image) if dialect is None else OldAnatomy(image, dialect)


class OldAnatomy(Anatomy):
    """An image of an old dialect, up to where it makes no sense."""

    def __init__(self, image: bytes, dialect: Dialect) -> None:
        self.image = image
        self._wide = dialect.frame_bits == 32
        view = memoryview(image)
        self.items = [
            Item(
                place.begin,
                place.type_no,
                place.end - place.begin,
                view[place.begin + self._lead(place.type_no) : place.end],
                "no frame" if place.type_no == _NO_FRAME else "record",
                None,
                None,
            )
            for place in dialect.places(image)
            if place.begin < place.end
        ]

    def _lead(self, type_no: int) -> int:
        return 0 if type_no == _NO_FRAME else t.FRAME_BYTES

    @cached_property
    def words(self) -> list[list[Word]]:
        """The words of each record, its type and its length first; none of what is long."""
        return [words for words in map(self._words_of, self.items) if words]

    def _words_of(self, item: Item) -> list[Word]:
        found = []
        begin, name = item.offset + self._lead(item.type_no), f"record {item.type_no}"
        if item.type_no != _NO_FRAME:
            half = 4 if self._wide else 2
            found += [Word(f"{name} type", item.offset, half)]
            found += [Word(f"{name} length", item.offset + half, half)]
            if not self._wide:
                found.append(Word(f"{name} parent", item.offset + 4, 4))
        size = item.offset + item.length - begin
        if size > _LONG_BYTES:
            return found
        for at in range(begin, begin + size - 3, 4):
            kind = "objref" if self._word(at) in self._numbers else "word"
            found.append(Word(f"{name} {kind}+{at - begin}", at, 4))
        return found

    def _word(self, at: int) -> int:
        value: int = struct.unpack_from(self.order + "I", self.image, at)[0]
        return value

    @cached_property
    def _numbers(self) -> set[int]:
        """The numbers of objects: what the 16 bytes long records that are OBJREFs say."""
        if not self._wide:
            return set()
        sixteen = [item for item in self.items if item.length == 16 and item.type_no in (5, 6)]
        return {self._word(item.offset + 12) for item in sixteen} - {0}

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """(begin, end) of all that is not long."""
        short = [item for item in self.items if item.length <= _LONG_BYTES]
        return [(item.offset, item.offset + item.length) for item in short]

    def write_length(self, image: bytearray, item: Item, length: int) -> None:
        """Let a record say that it has so many bytes, its frame among them."""
        if item.type_no == _NO_FRAME:
            return
        if self._wide:
            super().write_length(image, item, length)
        else:
            payload = min(length - t.FRAME_BYTES, 0x7FFF)
            struct.pack_into(self.order + "h", image, item.offset + 2, payload)
