"""Golden images: what a release has written restarts forever, or is refused by name.

Each release has a folder, named as its version: images with their disks (both compressed: most of a
page is zeros), and beside each the text that was reviewed when it was made: the image in
words, how many records it has of each type, and what the program writes when it is restarted. (The
texts in this folder show one image record by record.) Nothing of an old folder is ever
written again. A release makes its own with `python -m tests.golden.test_releases`.
"""

import copy
import lzma
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest

import cr
from cr.image.errors import ImageError
from cr.image.walk import walk
from cr.testing.anvil import Specimen
from cr.testing.fuzz import fuzz
from cr.tools.info import render, summarize
from cr.until import Ended
from guests.stories import ARCHES, find_story
from kernel_model.vfs.disk_tar import read_tar, write_tar
from tests.harness.model import MAX_TIME_NS, start

FOLDER = Path(__file__).parent
THIS_RELEASE = "0.1.0"
STORIES = {
    "processes/six": cr.after_syscalls(88),
    "jobs/shell": cr.after_syscalls(36),
    "files/unlinked": cr.after_syscalls(12),
    "ipc/messages": cr.after_syscalls(13),
}
REFUSED: dict[str, str] = {}
"""Images of old releases that we do not restart any more: path below FOLDER, the sentence."""

IMAGES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.glob("[0-9]*/*.img.xz"))


def golden(name: str) -> Specimen:
    path = FOLDER / name
    image = lzma.decompress(path.read_bytes())
    tar = path.with_name(path.name.replace(".img.", ".disk.tar."))
    disk = read_tar(lzma.decompress(tar.read_bytes()))
    return Specimen(name, path.name.split(".")[1], image, disk)


def retold(specimen: Specimen) -> str:
    """The image in words, and what becomes of it."""
    records = Counter(item.name for item in walk(specimen.image))
    counted = [f"{count:4} {name}" for name, count in sorted(records.items())]
    words = render(summarize(specimen.image)).rstrip()
    return "\n".join([words, "", *counted, "", *after_restart(specimen)]) + "\n"


def after_restart(specimen: Specimen) -> list[str]:
    kernel = cr.boot(specimen.arch, copy.deepcopy(specimen.disk), memory_bytes=64 << 20)
    task = kernel.restart(specimen.image)
    ended = kernel.run(max_time_ns=MAX_TIME_NS)
    assert ended is Ended.EXITED and not kernel.trace.not_modelled
    told = [
        f"exit status {task.exit_status}",
        f"{kernel.clock.units} bytes of code, {kernel.completed_calls} system calls",
        *kernel.console.output.decode("latin-1").splitlines(),
    ]
    kernel.power_off()
    return told


@pytest.mark.parametrize("name", IMAGES)
def test_it_restarts_forever(name: str) -> None:
    specimen = golden(name)
    expected = (FOLDER / name.replace(".img.xz", ".txt")).read_text()
    if name in REFUSED:
        kernel = cr.boot(specimen.arch, copy.deepcopy(specimen.disk), memory_bytes=64 << 20)
        with pytest.raises(ImageError, match=REFUSED[name]):
            kernel.restart(specimen.image)
        kernel.power_off()
        return
    assert expected.split("\n\n")[-1].splitlines() == after_restart(specimen)
    if name.startswith(THIS_RELEASE):
        assert retold(specimen) == expected


def test_nothing_is_missing() -> None:
    made = {
        f"{THIS_RELEASE}/{s.partition('/')[2]}.{arch}.img.xz" for s in STORIES for arch in ARCHES
    }
    assert made <= set(IMAGES)
    assert set(REFUSED) <= set(IMAGES)
    assert sum(path.stat().st_size for path in FOLDER.glob("*/*.xz")) < 1 << 20


@pytest.mark.nightly
def test_ten_thousand_mutants(law_seed: int) -> None:
    """The corpus of the fuzzer in every run: all golden images of this release."""
    toll = fuzz([golden(name) for name in IMAGES if name not in REFUSED], 10_000, law_seed)
    assert toll.findings == [], "\n".join(finding.problem for finding in toll.findings)
    assert toll.inputs == toll.refused + toll.accepted == 10_000
    assert toll.accepted > 100 and len(toll.said) > 300
    assert toll.grown_bytes < 1 << 30


def make(release: str) -> None:
    folder = FOLDER / release
    folder.mkdir()
    for name, place in STORIES.items():
        for arch in ARCHES:
            story = find_story(name)
            kernel = start(story, arch, story.builds[0])
            assert kernel.run(place, max_time_ns=MAX_TIME_NS) is Ended.REACHED
            image = bytes(kernel.checkpoint())
            kernel.power_off()
            tar = BytesIO()
            write_tar(kernel.disk, tar)
            stem = f"{story.path.stem}.{arch}"
            (folder / f"{stem}.img.xz").write_bytes(lzma.compress(image))
            (folder / f"{stem}.disk.tar.xz").write_bytes(lzma.compress(tar.getvalue()))
            text = retold(golden(f"{release}/{stem}.img.xz"))
            (folder / f"{stem}.txt").write_text(text)


if __name__ == "__main__":
    make(THIS_RELEASE if len(sys.argv) < 2 else sys.argv[1])
