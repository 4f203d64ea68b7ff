"""Golden images of the old dialects: they are read, written again and restarted as they were.

`python -m tests.golden.test_dialects` makes those that are not there; none is ever written anew.
"""

from __future__ import annotations

import lzma
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest

from cr.image.dialects import v21_minimal
from cr.image.errors import ImageError
from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from cr.tools.image_bytes import Image
from cr.tools.info import render
from emu.layout import LITTLE
from kernel_model.vfs.disk_tar import read_tar, write_tar
from tests.dialects.old_images import CASES, STORIES, Halfway, ended, halfway

OF_STORIES = [
    (name, arch, f"{name}.{arch}.{story.replace('/', '-')}", story, calls)
    for name, arch, story, calls in STORIES
]
GOLDEN = [(name, arch, f"{name}.{arch}") for name, arch in CASES]
GOLDEN += [(name, arch, file) for name, arch, file, _, _ in OF_STORIES]
MINIMAL = "v21-minimal.x86_32"
FOLDER = Path(__file__).parent / "dialects"


def unpacked(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes())


def retold(arch: str, file: str) -> str:
    """The image in words, its records after the upgrade, and what the program still says."""
    image = Image(unpacked(FOLDER / f"{file}.img.xz"))
    disk = read_tar(unpacked(FOLDER / f"{file}.disk.tar.xz"))
    records = Counter(item.name for item in walk(image.upgraded.image))
    counted = [f"{count:4} {record}" for record, count in sorted(records.items())]
    said = ended(arch, image, disk).decode("latin-1").splitlines()
    words = render(image.summary).rstrip()
    return "\n".join([words, "", *counted, "", *said]) + "\n"


@pytest.mark.parametrize(("name", "arch", "file"), GOLDEN)
def test_it_is_as_it_was_read(name: str, arch: str, file: str) -> None:
    assert retold(arch, file) == (FOLDER / f"{file}.txt").read_text()


@pytest.mark.parametrize(("name", "arch", "file"), GOLDEN)
def test_it_is_written_as_it_was(name: str, arch: str, file: str) -> None:
    image = unpacked(FOLDER / f"{file}.img.xz")
    assert convert(upgrade(image).image, name).image == image


def minimal_retold() -> str:
    """The smallest dialect: it has no program, so its records are all that there is to tell."""
    image = unpacked(FOLDER / f"{MINIMAL}.img.xz")
    found = v21_minimal.unpack(image, LITTLE)
    texts = (found.release, found.version, found.machine, found.comm)
    lines = [f"{len(image)} bytes", *map(str, (found.header, *texts, found.task))]
    with pytest.raises(ImageError) as refused:
        upgrade(image)
    return "\n".join([*lines, refused.value.sentence]) + "\n"


def test_the_minimal_subset_is_as_it_was() -> None:
    assert minimal_retold() == (FOLDER / f"{MINIMAL}.txt").read_text()
    image = unpacked(FOLDER / f"{MINIMAL}.img.xz")
    assert v21_minimal.pack(v21_minimal.unpack(image, LITTLE), LITTLE) == image


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 512 << 10


def make() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, arch in CASES:
        make_one(name, arch, f"{name}.{arch}", halfway(arch))
    for name, arch, file, story, calls in OF_STORIES:
        make_one(name, arch, file, halfway(arch, story, calls))
    if not (FOLDER / f"{MINIMAL}.img.xz").exists():
        old = convert(halfway("x86_32").native, v21_minimal.NAME, lossy=True).image
        (FOLDER / f"{MINIMAL}.img.xz").write_bytes(lzma.compress(old))
        (FOLDER / f"{MINIMAL}.txt").write_text(minimal_retold())


def make_one(name: str, arch: str, file: str, half: Halfway) -> None:
    if (FOLDER / f"{file}.img.xz").exists():
        return
    old = convert(half.native, name).image
    tar = BytesIO()
    write_tar(half.disk, tar)
    (FOLDER / f"{file}.img.xz").write_bytes(lzma.compress(old))
    (FOLDER / f"{file}.disk.tar.xz").write_bytes(lzma.compress(tar.getvalue()))
    (FOLDER / f"{file}.txt").write_text(retold(arch, file))


if __name__ == "__main__":
    make()
