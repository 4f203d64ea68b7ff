"""From one dialect of the image format to another: bytes to bytes, no kernel involved.

Every conversion goes through the native dialect: an old image is upgraded, and then written as
another one. Restart knows only the native one; so does everything that looks at images.

Mirrors:  what the first mail promised: "an in-userspace conversion program".
"""

from __future__ import annotations

from dataclasses import dataclass

from cr.image.dialects.shape import Converted
from cr.image.dialects.table import DIALECTS, NAMES, NATIVE, find, recognize
from cr.image.walk import walk
from emu.layout import Bytes

__all__ = ["HAS_EXCERPTS", "NAMES", "NATIVE", "Upgraded", "convert", "told", "upgrade"]

HAS_EXCERPTS = tuple(dialect.name for dialect in DIALECTS if dialect.excerpt is not None)
"""Dialects that no program fits: only a part of an image can be written in them."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A native image, and what it was."""

    image: bytes
    dialect: str
    title: str = "the last, April 2011"


def upgrade(image: Bytes) -> Upgraded:
    """A native image of an image of any dialect. Raises ImageError.

    What is no old image is taken for a native one, and handed back as it is.
    """
    dialect = recognize(image)
    if dialect is None:
        return Upgraded(image if isinstance(image, bytes) else bytes(image), NATIVE)
    return Upgraded(dialect.read(image), dialect.name, dialect.title)


def told(image: Bytes) -> dict[str, str | int] | None:
    """What an image says that has no program, by name; None: it has one, if it is one.

    Raises ImageError.
    """
    dialect = recognize(image)
    return None if dialect is None or dialect.tell is None else dialect.tell(image)


def convert(image: Bytes, to: str, *, lossy: bool = False) -> Converted:
    """An image in the dialect `to`, one of NAMES. Raises ImageError.

    Refused is what the other dialect has no place for, unless a program can do without. `lossy`
    is for dialects in HAS_EXCERPTS: the image cannot be restarted then.
    """
    native = upgrade(image).image
    for _ in walk(native):
        pass  # what is no image is refused, whatever it was to become
    if to == NATIVE:
        return Converted(native)
    dialect = find(to)
    return dialect.excerpt(native) if lossy and dialect.excerpt else dialect.write(native)
