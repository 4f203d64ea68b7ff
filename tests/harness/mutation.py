"""What can be done to an image: cut it, flip bits, change fields to values that hurt."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from cr.image import types as t
from cr.image.stream import Pages, byte_order
from cr.image.walk import Item, walk
from emu.layout import Record
from tests.harness.hostile import Specimen

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
class _Word:
    """A number of a record: where it lies, and how wide it is."""

    where: str
    offset: int
    size: int


def _words(item: Item) -> list[_Word]:
    payload = item.offset + t.FRAME_BYTES
    found = [
        _Word(f"{item.name}.type", item.offset, 4),
        _Word(f"{item.name}.length", item.offset + 4, 4),
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
        found += [_Word("page address", payload + width * k, width) for k in range(count)]
    else:
        found += [
            _Word(f"{item.role}[{at}]", payload + at, 8) for at in range(0, len(item.value) - 7, 8)
        ]
    return found


def _fields(record: Record, base: int, name: str) -> list[_Word]:
    found = []
    for plan in type(record)._plan.fields:
        size = plan.kind.size
        value = getattr(record, plan.name)
        if isinstance(value, Record):
            found += _fields(value, base + plan.offset, f"{name}.{plan.name}")
        elif size in (1, 2, 4, 8):
            found.append(_Word(f"{name}.{plan.name}", base + plan.offset, size))
        elif size < 8:
            found += [
                _Word(f"{name}.{plan.name}+{at}", base + plan.offset + at, 1) for at in range(size)
            ]
        else:
            found += [
                _Word(f"{name}.{plan.name}+{at}", base + plan.offset + at, 8)
                for at in range(0, size - 7, 8)
            ]
    tail = len(record.pack("<")) - type(record).fixed_bytes()
    begin = base + type(record).LEAD + type(record).fixed_bytes()
    found += [_Word(f"{name} tail+{at}", begin + at, 4) for at in range(0, tail - 3, 4)]
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


def _change(image: bytearray, word: _Word, random: Random, order: str) -> str:
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
