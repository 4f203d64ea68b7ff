"""A dialect that is some steps away from the native one."""

from __future__ import annotations

from collections.abc import Callable

from cr.image.dialects.frames import cut, join, places
from cr.image.dialects.shape import Converted, Dialect
from cr.image.dialects.step import Numbering, Passage, Step
from cr.image.stream import byte_order
from emu.layout import Bytes, Record


def dialect_of(
    steps: tuple[Step, ...],
    numbering: Numbering,
    *,
    title: str,
    recognizes: Callable[[Bytes], bool],
    records: tuple[type[Record], ...],
    refuses: str,
    defaults: str,
) -> Dialect:
    """The dialect behind the last of these steps; the first one is the newest."""
    name = steps[-1].name

    def read(image: Bytes) -> bytes:
        order = byte_order(image)
        passage = Passage(name, order)
        frames = numbering.up(passage, cut(image, order))
        for step in reversed(steps):
            frames = step.up(passage, frames)
        return join(frames, order)

    def write(image: Bytes) -> Converted:
        order = byte_order(image)
        passage, frames = Passage(name, order), cut(image, order)
        for step in steps:
            frames = step.down(passage, frames)
        frames = numbering.down(passage, frames)
        return Converted(join(frames, order), tuple(passage.lost))

    return Dialect(
        name=name,
        title=title,
        recognizes=recognizes,
        read=read,
        write=write,
        places=places,
        frame_bits=32,
        records=records,
        refuses=refuses,
        defaults=defaults,
    )
