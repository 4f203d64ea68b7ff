"""What can be done to an image: cut it, flip bits, change fields to values that hurt.

`flips`, `cuts` and `changed_fields` do one kind of thing to a real image, many times. `mutate` does
any of them, and more: it gives an object another one's number, makes a record longer or shorter,
puts records of another image in. It knows the image by its `Anatomy`, as far as the grammar goes:
what somebody has changed before may end early.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.stream import Pages, byte_order
from cr.image.walk import Item, walk
from cr.testing.anvil import Specimen
from emu.layout import Record

PAGE_SHARE = 0.1
"""The share of bit flips that hit the contents of pages."""
_HURTFUL = (
    0, 1, 2, 3, 7, 8, 0x7F, 0xFF, 0xFFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0xFFFF, 0x10000,
    0x7FFFFFFF, 0x80000000, 0xFFFFF000, 0xFFFFFFFF, 1 << 32, 1 << 40, 1 << 47, (1 << 48) - 1,
    1 << 60, 1 << 61, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1,
)  # fmt: skip


def flips(specimen: Specimen, random: Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Images with one bit flipped; most flips hit records, some the contents of pages."""
    spans = specimen.spans
    bytes_of_records = [at for begin, end in spans for at in range(begin, end)]
    image = bytearray(specimen.image)
    for _ in range(count):
        if random.random() < PAGE_SHARE:
            at = random.randrange(len(image))
        else:
            at = random.choice(bytes_of_records)
        bit = random.randrange(8)
        image[at] ^= 1 << bit
        yield f"bit {bit} of byte {at} is flipped", bytes(image)
        image[at] ^= 1 << bit


def cuts(
    specimen: Specimen, random: Random, whole_limit: int, page_step: int = 1
) -> Iterator[tuple[str, bytes]]:
    """The image cut at every byte; a larger one at record edges and 1,000 seeded places.

    `page_step`: inside the contents of pages only at every so many bytes.
    """
    size = len(specimen.image)
    if size <= whole_limit:
        records = {at for begin, end in specimen.spans for at in range(begin, end)}
        places = sorted(records | set(range(0, size, page_step)))
    else:
        places = sorted({*specimen.edges[:-1], *(random.randrange(size) for _ in range(1000))})
    for place in places:
        yield f"cut at byte {place}", specimen.image[:place]


@dataclass(frozen=True)
class Word:
    """A number of a record: where it lies, and how wide it is."""

    where: str
    offset: int
    size: int


def _words(item: Item) -> list[Word]:
    payload = item.offset + t.FRAME_BYTES
    found = [
        Word(f"{item.name}.type", item.offset, 4),
        Word(f"{item.name}.length", item.offset + 4, 4),
    ]
    if isinstance(item.value, Record):
        found += _fields(item.value, payload - type(item.value).LEAD, item.name)
    elif isinstance(item.value, tuple):
        at = payload
        for record in item.value:
            found += _fields(record, at, item.role)
            at += len(record.pack("<"))
    elif isinstance(item.value, Pages):
        count = len(item.value)
        width = (item.length - t.FRAME_BYTES) // count - t.PAGE_SIZE
        found += [Word("page address", payload + width * k, width) for k in range(count)]
    else:
        found += [
            Word(f"{item.role}[{at}]", payload + at, 8) for at in range(0, len(item.value) - 7, 8)
        ]
    return found


def _fields(record: Record, base: int, name: str) -> list[Word]:
    found = []
    for plan in type(record)._plan.fields:
        size = plan.kind.size
        value = getattr(record, plan.name)
        if isinstance(value, Record):
            found += _fields(value, base + plan.offset, f"{name}.{plan.name}")
        elif size in (1, 2, 4, 8):
            found.append(Word(f"{name}.{plan.name}", base + plan.offset, size))
        elif size < 8:
            found += [
                Word(f"{name}.{plan.name}+{at}", base + plan.offset + at, 1) for at in range(size)
            ]
        else:
            found += [
                Word(f"{name}.{plan.name}+{at}", base + plan.offset + at, 8)
                for at in range(0, size - 7, 8)
            ]
    tail = len(record.pack("<")) - type(record).fixed_bytes()
    begin = base + type(record).LEAD + type(record).fixed_bytes()
    found += [Word(f"{name} tail+{at}", begin + at, 4) for at in range(0, tail - 3, 4)]
    return found


def changed_fields(specimen: Specimen, random: Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Images with one to three fields changed, or a record left out, doubled or exchanged."""
    items = list(walk(specimen.image))
    # A record first, then one of its numbers: small records are hit as often as large ones.
    words = [_words(item) for item in items]
    order = byte_order(specimen.image)
    for _ in range(count):
        image = bytearray(specimen.image)
        done = []
        if random.random() < 0.1:
            done.append(_shuffle(image, items, random))
        else:
            for _ in range(random.choice((1, 1, 1, 2, 3))):
                word = random.choice(random.choice(words))
                done.append(_change(image, word, random, order))
        yield ", ".join(done), bytes(image)


def _change(image: bytearray, word: Word, random: Random, order: str) -> str:
    letter = {1: "B", 2: "H", 4: "I", 8: "Q"}[word.size]
    mask = (1 << 8 * word.size) - 1
    (old,) = struct.unpack_from(order + letter, image, word.offset)
    new = random.choice(
        (
            random.choice(_HURTFUL),
            random.choice(_HURTFUL),
            old + random.choice((-1, 1, 4096, -4096)),
            old ^ 1 << random.randrange(8 * word.size),
            random.getrandbits(8 * word.size),
        )
    )
    struct.pack_into(order + letter, image, word.offset, new & mask)
    return f"{word.where} at byte {word.offset} is {new & mask:#x}, was {old:#x}"


def _shuffle(image: bytearray, items: list[Item], random: Random) -> str:
    item = random.choice(items)
    begin, end = item.offset, item.offset + item.length
    act = random.choice(("left out", "doubled", "moved"))
    piece = bytes(image[begin:end])
    if act == "doubled":
        image[end:end] = piece
    else:
        del image[begin:end]
        if act == "moved":
            at = random.choice([other.offset for other in items if other.offset <= begin])
            image[at:at] = piece
    return f"{item.name} ({item.role}) at byte {begin} is {act}"


class Anatomy:
    """An image, its records and their numbers; up to where the grammar ends, if it does."""

    def __init__(self, image: bytes) -> None:
        self.image = image
        self.items: list[Item] = []
        try:
            for item in walk(image):
                self.items.append(item)
        except ImageError:
            pass

    @cached_property
    def order(self) -> str:
        """The byte order, of an image whose header can be read."""
        return byte_order(self.image)

    @cached_property
    def words(self) -> list[list[Word]]:
        """The numbers of each record."""
        return [_words(item) for item in self.items]

    @cached_property
    def objrefs(self) -> list[Word]:
        """The numbers that name objects."""
        return [word for words in self.words for word in words if "objref" in word.where]

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """(begin, end) of all records but buffers of pages."""
        return [
            (item.offset, item.offset + item.length)
            for item in self.items
            if not isinstance(item.value, Pages)
        ]

    def write_length(self, image: bytearray, item: Item, length: int) -> None:
        """Let a record say that it has so many bytes, its frame among them."""
        struct.pack_into(self.order + "I", image, item.offset + 4, length)


def mutate(base: Anatomy, donors: list[Anatomy], random: Random) -> tuple[str, bytes]:
    """Do something to an image; what was done, and the new image."""
    if not base.items:
        return _tear(base, random)
    chance = random.random()
    if chance < 0.10:
        return _flip_some(base, random)
    if chance < 0.60:
        image = bytearray(base.image)
        count = random.choice((1, 1, 1, 2, 3))
        words = [random.choice(random.choice(base.words)) for _ in range(count)]
        return ", ".join(_change(image, word, random, base.order) for word in words), bytes(image)
    if chance < 0.72 and base.objrefs:
        return _exchange_objref(base, random)
    if chance < 0.80:
        image = bytearray(base.image)
        return _shuffle(image, base.items, random), bytes(image)
    if chance < 0.88:
        return _resize(base, random)
    if chance < 0.97 and donors:
        return _splice(base, random.choice(donors), random)
    return _tear(base, random)


def _flip_some(base: Anatomy, random: Random) -> tuple[str, bytes]:
    image = bytearray(base.image)
    done = []
    for _ in range(random.choice((1, 1, 2, 4))):
        begin, end = random.choice(base.spans)
        at, bit = random.randrange(begin, end), random.randrange(8)
        image[at] ^= 1 << bit
        done.append(f"bit {bit} of byte {at} is flipped")
    return ", ".join(done), bytes(image)


def _exchange_objref(base: Anatomy, random: Random) -> tuple[str, bytes]:
    image = bytearray(base.image)
    word, other = random.choice(base.objrefs), random.choice(base.objrefs)
    size = min(word.size, other.size)
    number = base.image[other.offset : other.offset + size]
    image[word.offset : word.offset + size] = number
    return f"{word.where} at byte {word.offset} is that of byte {other.offset}", bytes(image)


def _resize(base: Anatomy, random: Random) -> tuple[str, bytes]:
    """A record with more or fewer bytes, and a length that says so."""
    item = random.choice(base.items)
    image = bytearray(base.image)
    end = item.offset + item.length
    by = random.choice((-8, -4, -1, 1, 4, 8, 32, 4096, -(item.length - t.FRAME_BYTES)))
    if by > 0:
        image[end:end] = random.choice((bytes(by), b"\xff" * by, random.randbytes(by)))
    else:
        by = max(by, t.FRAME_BYTES - item.length)
        del image[end + by : end]
    base.write_length(image, item, item.length + by)
    return f"{item.name} ({item.role}) at byte {item.offset} is longer by {by}", bytes(image)


def _splice(base: Anatomy, donor: Anatomy, random: Random) -> tuple[str, bytes]:
    """A stretch of records of another image, in place of or before a record of the same type."""
    first = random.randrange(len(donor.items))
    last = min(len(donor.items) - 1, first + random.choice((0, 0, 0, 1, 3, 10)))
    if random.random() < 0.1:
        last = len(donor.items) - 1
    begin, behind = donor.items[first], donor.items[last]
    piece = donor.image[begin.offset : behind.offset + behind.length]
    same = [item for item in base.items if item.type_no == begin.type_no] or base.items
    here = random.choice(same)
    act = random.choice(("instead of", "before", "from there on instead of"))
    end = {
        "instead of": here.offset + here.length,
        "before": here.offset,
        "from there on instead of": len(base.image),
    }[act]
    image = base.image[: here.offset] + piece + base.image[end:]
    what = f"{last - first + 1} records of another image, from {begin.name} at byte {begin.offset}"
    return f"{what}, {act} {here.name} at byte {here.offset}", image


def _tear(base: Anatomy, random: Random) -> tuple[str, bytes]:
    """Bytes without any sense: cut out, put in, or the end missing."""
    size = len(base.image)
    at = random.randrange(size)
    count = random.choice((1, 4, 8, 100, 4096))
    act = random.choice(("cut out", "put in", "cut off"))
    if act == "put in":
        return f"{count} bytes put in at {at}", (
            base.image[:at] + random.randbytes(count) + base.image[at:]
        )
    end = at + count if act == "cut out" else size
    return f"bytes {at} to {end} {act}", base.image[:at] + base.image[end:]
