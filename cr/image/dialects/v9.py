"""v9, November 2008: the first with several processes.

What v13 has, with other numbers for STRING and FNAME: BUFFER came between them and the rest later.
Descriptors could be open symbolic links. The numbers of STRING and FNAME follow from the order in
which the patches insert them.

Mirrors:  linux-cr v9 (10 November 2008).
"""

from __future__ import annotations

from cr.image.dialects import cr_image, v13
from cr.image.dialects.arch import x86_2008
from cr.image.dialects.cr_shape import CrVersion, Numbers
from cr.image.dialects.probe import probe
from cr.image.dialects.shape import Converted, Dialect, Place
from emu.layout import LITTLE, Bytes

NUMBERS = Numbers(head_arch=2, string=3, fname=4, tree=101, task=102, thread=103, cpu=104)
NO_OTHER = "it knows 32-bit x86 only"
VERSION = CrVersion("v9", NUMBERS, (x86_2008.ARCH,), NO_OTHER)


def recognizes(image: Bytes) -> bool:
    """As v13, but STRING is 3."""
    found = probe(image)
    return found is not None and found.order == LITTLE and v13.comm_type(image) == NUMBERS.string


def read(image: Bytes) -> bytes:
    """v9 -> native."""
    return cr_image.read(image, VERSION)


def write(image: Bytes) -> Converted:
    """Native -> v9."""
    return cr_image.write(image, VERSION)


def places(image: Bytes) -> list[Place]:
    """Where its records lie."""
    return cr_image.places(image, VERSION)


DIALECT = Dialect(
    name="v9",
    title="v9, November 2008",
    recognizes=recognizes,
    read=read,
    write=write,
    places=places,
    frame_bits=16,
    records=(),
    refuses=f"PowerPC; {v13.REFUSES}",
    defaults=v13.DEFAULTS,
)
