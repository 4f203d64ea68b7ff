"""Golden images of the old dialects: they are read, written again and restarted as they were.

`python -m tests.golden.test_dialects` makes those that are not there; none is ever written anew.
"""

from __future__ import annotations

import lzma
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest

from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from cr.tools.image_bytes import Image
from cr.tools.info import render
from kernel_model.vfs.disk_tar import read_tar, write_tar
from tests.dialects.old_images import CASES, ended, halfway

FOLDER = Path(__file__).parent / "dialects"


def unpacked(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes())


def retold(name: str, arch: str) -> str:
    """The image in words, its records after the upgrade, and what the program still says."""
    image = Image(unpacked(FOLDER / f"{name}.{arch}.img.xz"))
    disk = read_tar(unpacked(FOLDER / f"{name}.{arch}.disk.tar.xz"))
    records = Counter(item.name for item in walk(image.upgraded.image))
    counted = [f"{count:4} {record}" for record, count in sorted(records.items())]
    said = ended(arch, image, disk).decode("latin-1").splitlines()
    words = render(image.summary).rstrip()
    return "\n".join([words, "", *counted, "", *said]) + "\n"


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_it_is_as_it_was_read(name: str, arch: str) -> None:
    assert retold(name, arch) == (FOLDER / f"{name}.{arch}.txt").read_text()


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_it_is_written_as_it_was(name: str, arch: str) -> None:
    image = unpacked(FOLDER / f"{name}.{arch}.img.xz")
    assert convert(upgrade(image).image, name).image == image


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 256 << 10


def make() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, arch in CASES:
        if (FOLDER / f"{name}.{arch}.img.xz").exists():
            continue
        half = halfway(arch)
        old = convert(half.native, name).image
        tar = BytesIO()
        write_tar(half.disk, tar)
        (FOLDER / f"{name}.{arch}.img.xz").write_bytes(lzma.compress(old))
        (FOLDER / f"{name}.{arch}.disk.tar.xz").write_bytes(lzma.compress(tar.getvalue()))
        (FOLDER / f"{name}.{arch}.txt").write_text(retold(name, arch))


if __name__ == "__main__":
    make()
