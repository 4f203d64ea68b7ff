"""Nathan Lynch's first port of v13 to PowerPC, 28 January 2009.

v13 with three records that hold 0xdeadbeef, and a CPU record that does not say how long it is.

Mirrors:  "powerpc checkpoint/restart" v1 on linux-cr v13.
"""

from __future__ import annotations

from cr.image.dialects import cr_image, v13
from cr.image.dialects.arch import powerpc_2009
from cr.image.dialects.cr_shape import CrVersion
from cr.image.dialects.probe import probe
from cr.image.dialects.shape import Converted, Dialect, Place
from emu.layout import BIG, Bytes

NO_OTHER = "it is a port to PowerPC, and to nothing else"
VERSION = CrVersion("powerpc-v1", v13.NUMBERS, (powerpc_2009.FIRST,), NO_OTHER)


def recognizes(image: Bytes) -> bool:
    """As v13, but big-endian with a HEAD_ARCH."""
    found = probe(image)
    if found is None or found.order != BIG:
        return False
    frames = found.cr_frames(2)
    return frames[1:] == [(v13.NUMBERS.head_arch, powerpc_2009.Mark.SIZE)]


def read(image: Bytes) -> bytes:
    """This port -> native."""
    return cr_image.read(image, VERSION)


def write(image: Bytes) -> Converted:
    """Native -> this port."""
    return cr_image.write(image, VERSION)


def places(image: Bytes) -> list[Place]:
    """Where its records lie."""
    return cr_image.places(image, VERSION)


DIALECT = Dialect(
    name="powerpc-v1",
    title="Nathan Lynch's first port to PowerPC, on v13, January 2009",
    recognizes=recognizes,
    read=read,
    write=write,
    places=places,
    frame_bits=16,
    records=powerpc_2009.FIRST_RECORDS,
    refuses=f"x86; vector registers; {v13.REFUSES}",
    defaults=v13.DEFAULTS,
)
