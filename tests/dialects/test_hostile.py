"""Old images that are cut, changed or made up: ImageError, or a native image; nothing else."""

from __future__ import annotations

import random

import pytest

from cr.image.dialects.table import find, recognize
from cr.image.errors import ImageError
from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from tests.dialects.old_images import CASES, halfway
from tests.harness.hostile import Specimen, strike_all

DEEP_BYTES = 1200
"""Of the middle of a page nothing depends: every byte of the beginning, and some of the rest."""
FLIPS = 400
STRIKES = 60


def old_image(name: str, arch: str) -> bytes:
    return convert(halfway(arch).native, name).image


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_cut_at_every_byte(name: str, arch: str) -> None:
    image, dialect = old_image(name, arch), find(name)
    places = [
        *range(DEEP_BYTES),
        *range(DEEP_BYTES, len(image), 13),
        *range(len(image) - 300, len(image)),
    ]
    for place in places:
        with pytest.raises(ImageError):
            dialect.read(image[:place])
        recognize(image[:place])


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_flipped_bits(name: str, arch: str) -> None:
    image = old_image(name, arch)
    chance = random.Random(f"{name} {arch}")
    refused = 0
    for number in range(FLIPS):
        changed = bytearray(image)
        limit = DEEP_BYTES if number % 2 else len(image)
        for _ in range(1 + number % 3):
            changed[chance.randrange(limit)] ^= 1 << chance.randrange(8)
        try:
            for _ in walk(upgrade(changed).image):
                pass
        except ImageError:
            refused += 1
        try:
            find(name).read(changed)
        except ImageError as error:
            assert error.sentence
    assert 20 < refused < FLIPS


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_words_with_absurd_values(name: str, arch: str) -> None:
    image = old_image(name, arch)
    for place in range(0, DEEP_BYTES, 4):
        for word in (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"):
            changed = bytearray(image)
            changed[place : place + 4] = word
            try:
                find(name).read(changed)
            except ImageError as error:
                assert error.sentence


@pytest.mark.parametrize(("name", "arch"), [("v13", "x86_32"), ("v13", "ppc64"), ("v20", "x86_64")])
def test_kernels_survive_them(name: str, arch: str) -> None:
    half = halfway(arch)
    image = old_image(name, arch)
    chance = random.Random(f"kernel {name} {arch}")
    inputs = []
    for number in range(STRIKES):
        changed = bytearray(image)
        place = chance.randrange(DEEP_BYTES if number % 2 else len(image))
        changed[place] ^= 1 << chance.randrange(8)
        inputs.append((f"strike {number}", bytes(changed)))
    anvil = strike_all(Specimen(name, arch, image, half.disk), iter(inputs))
    assert anvil.refused and anvil.accepted
