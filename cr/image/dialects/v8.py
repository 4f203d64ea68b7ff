"""v6 to v8, October 2008: one process.

No TREE: the process has its number in the frames of MM, FILES, THREAD and CPU. No HEAD_ARCH: the
CPU record says whether it has FXSAVE, and ends with the whole state of the FPU, used or not; that
this is 512 bytes long is UNVERIFIED (it is what a kernel of 2.6.27 has). v6 saved a wrong pointer
there, which no reader can tell.

Mirrors:  linux-cr v6, v7, v8 (7 to 29 October 2008).
"""

from __future__ import annotations

from cr.image.dialects import cr_image, v13
from cr.image.dialects import cr_records as records
from cr.image.dialects.arch import x86_2008_one
from cr.image.dialects.cr_shape import CrVersion, Numbers
from cr.image.dialects.probe import probe
from cr.image.dialects.shape import Converted, Dialect, Place
from emu.layout import LITTLE, Bytes

NUMBERS = Numbers(string=2, fname=3, task=101, thread=102, cpu=103)
VERSION = CrVersion("v8", NUMBERS, (x86_2008_one.ARCH,), "it knows 32-bit x86 only")


def recognizes(image: Bytes) -> bool:
    """HEAD, and at once a TASK of 24 bytes: the number 101 was TREE's later, which has 8."""
    found = probe(image)
    if found is None or found.order != LITTLE:
        return False
    return found.cr_frames(2) == [(1, records.Head.SIZE), (NUMBERS.task, records.Task.SIZE)]


def read(image: Bytes) -> bytes:
    """v6 to v8 -> native."""
    return cr_image.read(image, VERSION)


def write(image: Bytes) -> Converted:
    """Native -> v6 to v8."""
    return cr_image.write(image, VERSION)


def places(image: Bytes) -> list[Place]:
    """Where its records lie."""
    return cr_image.places(image, VERSION)


DIALECT = Dialect(
    name="v8",
    title="v6 to v8, October 2008",
    recognizes=recognizes,
    read=read,
    write=write,
    places=places,
    frame_bits=16,
    records=x86_2008_one.RECORDS,
    refuses=f"a second process; PowerPC; {v13.REFUSES}",
    defaults=f"no parent; {v13.DEFAULTS}",
)
