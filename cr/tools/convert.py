"""From one dialect of the image format to another: bytes to bytes, no kernel involved.

Every conversion goes through the native dialect: an old image is upgraded, and then written as
another one. Restart knows only the native one; so does everything that looks at images.

Mirrors:  what the first mail promised: "an in-userspace conversion program".
"""

from __future__ import annotations

from dataclasses import dataclass

from cr.image.dialects.shape import Converted
from cr.image.dialects.table import NAMES, NATIVE, find, recognize
from cr.image.walk import walk
from emu.layout import Bytes

__all__ = ["NAMES", "NATIVE", "Upgraded", "convert", "upgrade"]


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


def convert(image: Bytes, to: str) -> Converted:
    """An image in the dialect `to`, one of NAMES. Raises ImageError.

    Refused is what the other dialect has no place for, unless a program can do without.
    """
    native = upgrade(image).image
    for _ in walk(native):
        pass  # what is no image is refused, whatever it was to become
    return Converted(native) if to == NATIVE else find(to).write(native)
