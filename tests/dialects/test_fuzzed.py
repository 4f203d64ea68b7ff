"""The golden images of the old dialects under the fuzzer: refused in words, or run on."""

from __future__ import annotations

import lzma
import struct
from functools import cache
from pathlib import Path
from random import Random

import pytest

from cr.image.dialects.cr_stream import CrReader
from cr.image.dialects.step import Passage
from cr.image.dialects.table import recognize
from cr.testing.anvil import Specimen
from cr.testing.fuzz import fuzz
from cr.testing.mutation import mutate
from cr.testing.old_anatomy import OldAnatomy, anatomy_of
from kernel_model.vfs.disk_tar import read_tar
from tests.dialects.old_images import halfway

FOLDER = Path(__file__).parent.parent / "golden" / "dialects"
SEED = 5
MUTANTS = 4000


@cache
def corpus() -> tuple[Specimen, ...]:
    """Every golden image that has a disk, which is every one that can be restarted."""
    found = []
    for path in sorted(FOLDER.glob("*.disk.tar.xz")):
        name = path.name.removesuffix(".disk.tar.xz")
        image = lzma.decompress((FOLDER / f"{name}.img.xz").read_bytes())
        disk = read_tar(lzma.decompress(path.read_bytes()))
        found.append(Specimen(name, name.split(".")[1], image, disk))
    return tuple(found)


@pytest.mark.slow
def test_only_an_image_error_or_a_kernel_that_runs_on() -> None:
    toll = fuzz(corpus(), MUTANTS, SEED)
    assert toll.findings == []
    assert toll.inputs == toll.refused + toll.accepted == MUTANTS
    assert toll.accepted > MUTANTS // 20 and len(toll.said) > 500
    assert toll.grown_bytes < 1 << 30


@pytest.mark.slow
def test_a_bug_of_a_dialect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both families, each with a reader that forgets to refuse."""
    framed = [one for one in corpus() if one.name == "v20.x86_32"]
    raw = [one for one in corpus() if one.name == "v13.x86_32"]

    def forgets(self: object, *given: object) -> None:
        raise IndexError(given)

    monkeypatch.setattr(Passage, "refuse", forgets)
    toll = fuzz(framed, 150, SEED)
    assert toll.findings and all("IndexError" in one.problem for one in toll.findings)
    monkeypatch.undo()
    monkeypatch.setattr(CrReader, "refuse", forgets)
    toll = fuzz(raw, 150, SEED)
    assert toll.findings and all("IndexError" in one.problem for one in toll.findings)


@pytest.mark.parametrize(
    "name", sorted({path.name.split(".img")[0] for path in FOLDER.glob("*.img.xz")})
)
def test_the_anatomy_has_every_byte(name: str) -> None:
    """Records follow each other without a gap, from the first byte to the last."""
    image = lzma.decompress((FOLDER / f"{name}.img.xz").read_bytes())
    anatomy = anatomy_of(image)
    assert isinstance(anatomy, OldAnatomy)
    at = 0
    for item in anatomy.items:
        assert item.offset == at
        at += item.length
    assert at == len(image)
    for words in anatomy.words:
        assert all(word.offset + word.size <= len(image) for word in words)


def test_a_length_is_written_as_the_dialect_has_it() -> None:
    for name, letter, place, lead in (("v13.x86_32", "<h", 2, 8), ("v20.x86_64", "<I", 4, 0)):
        (found,) = (one for one in corpus() if one.name == name)
        anatomy = anatomy_of(found.image)
        item = anatomy.items[0]
        image = bytearray(found.image)
        anatomy.write_length(image, item, item.length + 16)
        (said,) = struct.unpack_from(letter, image, place)
        assert said == item.length + 16 - lead


def test_numbers_of_objects_are_known_as_such() -> None:
    (found,) = (one for one in corpus() if one.name == "v20.ppc64")
    wheres = {word.where for word in anatomy_of(found.image).objrefs}
    assert "record 6 objref+4" in wheres, "OBJREF"
    assert any(where.startswith("record 104 objref+") for where in wheres), "TASK_OBJS"


def test_mutants_are_the_seed_s() -> None:
    whole = anatomy_of(corpus()[0].image)
    donor = anatomy_of(corpus()[-1].image)
    one, two = (
        [mutate(whole, [donor], random) for _ in range(200)] for random in (Random(3), Random(3))
    )
    assert one == two and len({image for _, image in one}) > 180
    kinds = ("flipped", "is 0x", "longer", "of another image", "left out", "doubled")
    assert all(any(kind in what for what, _ in one) for kind in kinds)


def test_a_native_image_has_its_own_anatomy() -> None:
    native = halfway("x86_32").native
    assert recognize(native) is None and not isinstance(anatomy_of(native), OldAnatomy)
