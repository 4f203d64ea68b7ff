"""Where an image ends: known when its last byte is there, not before; never more is asked for."""

from __future__ import annotations

import lzma
import struct
from pathlib import Path

import pytest

from cr.generations import GENERATIONS
from cr.image.errors import ImageError
from cr.image.extent import extent_of
from cr.tools.convert import convert, upgrade
from tests.dialects.old_images import halfway

FOLDER = Path(__file__).parents[2] / "golden" / "dialects"
DIALECTS = {one.dialect for one in GENERATIONS.values()}
IMAGES = {
    name.name: (name.name.split(".")[0], lzma.decompress(name.read_bytes()))
    for name in sorted(FOLDER.glob("*.img.xz"))
    if name.name.split(".")[0] in DIALECTS
}
LIMIT = 1 << 20
each = pytest.mark.parametrize("name", IMAGES)


def arrived(dialect: str, image: bytes, piece: int = 1 << 30) -> int:
    """How many bytes are taken of an image that is followed by other things."""
    extent, come = extent_of(dialect), bytearray()
    while not extent.complete:
        while len(come) < extent.wanted:
            more = image[len(come) : min(extent.wanted, len(come) + piece)]
            if not more:
                return -1
            come += more
        extent.advance(come, LIMIT)
    return len(come)


@each
def test_not_a_byte_behind_the_tail_is_taken(name: str) -> None:
    dialect, image = IMAGES[name]
    assert arrived(dialect, image + b"more of something else") == len(image)


@each
def test_a_cut_image_is_never_complete(name: str) -> None:
    dialect, image = IMAGES[name]
    for size in (*range(0, len(image), 499), len(image) - 1):
        assert arrived(dialect, image[:size]) == -1


@each
def test_it_begins_anew_as_it_was(name: str) -> None:
    """What a checkpoint in the middle of a restart carries are the bytes alone."""
    dialect, image = IMAGES[name]
    extent, come = extent_of(dialect), bytearray()
    while not extent.complete:
        come += image[len(come) : extent.wanted]
        extent.advance(come, LIMIT)
        again = extent_of(dialect)
        while not again.complete and again.wanted <= len(come):
            again.advance(come, LIMIT)
        assert again.complete == extent.complete
        assert again.complete or again.wanted == extent.wanted
    assert upgrade(bytes(come)).dialect == dialect


@each
def test_a_record_that_ends_nowhere(name: str) -> None:
    dialect, image = IMAGES[name]
    extent, come = extent_of(dialect), bytearray()
    with pytest.raises(ImageError, match=r"a record of|bytes without a frame"):
        while not extent.complete:
            come += image[len(come) : extent.wanted]
            extent.advance(come, 300)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_no_image_at_all(dialect: str) -> None:
    with pytest.raises(ImageError, match="its magic is wrong"):
        extent_of(dialect).advance(bytearray(b"\x55" * 16), LIMIT)


@pytest.mark.parametrize(("name", "calls"), [("libc/stdio_file", 9), ("cpu/float_series", 3)])
@pytest.mark.parametrize(
    ("dialect", "arch"), [("v2", "x86_32"), ("v13", "x86_32"), ("v13", "ppc64"), ("v20", "x86_64")]
)
def test_data_storage_of_a_thread_and_the_fpu(
    dialect: str, arch: str, name: str, calls: int
) -> None:
    """Pages behind the name of a file, TLS descriptors and the FPU: all without frames."""
    image = convert(halfway(arch, name, calls).native, dialect).image
    assert arrived(dialect, image + b"more of something else") == len(image)


@pytest.mark.parametrize("dialect", ["v2", "v13"])
def test_a_local_descriptor_table(dialect: str) -> None:
    """No program of ours has one; its 8-byte entries follow MM_CONTEXT."""
    image = IMAGES[f"{dialect}.x86_32.img.xz"][1]
    kind = {"v2": 203, "v13": 204}[dialect]
    none, two = (struct.pack("<hhIhhI", kind, 8, 0, 8, count, 0) for count in (0, 2))
    assert image.count(none) == 1
    longer = image.replace(none, two + b"\xff" * 16)
    assert arrived(dialect, longer + b"more") == len(longer)


def test_every_byte_changed() -> None:
    """A lie about a length ends in words, in an image that is too long, or somewhere else."""
    for name in ("v13.x86_32.img.xz", "v2.x86_32.img.xz", "v13.ppc64.img.xz"):
        dialect, image = IMAGES[name]
        for place in (*range(400), *range(400, len(image), 97)):
            changed = bytearray(image)
            changed[place] ^= 0xFF
            try:
                assert arrived(dialect, bytes(changed)) <= len(image)
            except ImageError as bad:
                assert bad.sentence
