"""`cr diff`: two images of one run, and what became of its tasks, memory, files, signals."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import cr
from cr.cli.main import cr as command
from cr.tools.convert import convert
from cr.tools.diff import changes
from cr.tools.image_bytes import Image
from guests.stories import ARCHES, find_story
from tests.harness.model import start


def images(name: str, arch: str, *places: int) -> list[Image]:
    story = find_story(name)
    kernel = start(story, arch, story.builds[0])
    found = []
    at = 0
    for place in places:
        kernel.run(cr.after_syscalls(place - at))
        at = place
        found.append(kernel.checkpoint())
    kernel.power_off()
    return found


@pytest.mark.parametrize("arch", ARCHES)
def test_nothing(arch: str) -> None:
    (image,) = images("files/pipe", arch, 8)
    assert list(changes(image, Image(bytes(image)))) == []


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize(
    ("story", "places", "said"),
    [
        ("basics/counter", (2, 6), "virtual clock: "),
        ("files/seek", (4, 12), "fd 3: "),
        ("files/pipe", (1, 3), "pipe contents"),
        ("processes/fork_wait", (2, 6), "task 3 'program': "),
        ("signals/pending", (2, 5), "blocked"),
        ("memory/brk", (3, 9), "page 0x"),
    ],
)
def test_something(story: str, places: tuple[int, int], said: str, arch: str) -> None:
    lines = list(changes(*images(story, arch, *places)))
    assert any(said in line for line in lines), lines
    assert all("objref" not in line for line in lines)


def test_a_dialect_without_a_clock() -> None:
    (image,) = images("basics/counter", "x86_32", 4)
    lines = list(changes(image, Image(convert(bytes(image), "v18").image)))
    assert lines[0].startswith("virtual clock: ") and lines[0].endswith(" ns became unsaid")


def test_a_changed_byte_has_the_name_of_its_variable() -> None:
    one, two = images("basics/counter", "x86_64", 2, 6)
    (line, *_) = [line for line in changes(one, two) if "bytes changed" in line]
    addr = int(line.split("first at ")[1].split(" ")[0].rstrip(":"), 16)
    named = [
        line
        for line in changes(one, two, lambda task: [(addr - 4, "counter")])
        if "bytes changed" in line
    ]
    assert "(counter+0x4)" in named[0]


def test_the_command(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for path, image in zip((one, two), images("basics/counter", "ppc64", 2, 6)):
        path.write_bytes(image)
    assert CliRunner().invoke(command, ["diff", str(one), str(one)]).exit_code == 0
    assert CliRunner().invoke(command, ["diff", str(one), str(two)]).exit_code == 1
    two.write_bytes(two.read_bytes()[:-4])
    assert CliRunner().invoke(command, ["diff", str(one), str(two)]).exit_code == 2
    assert CliRunner().invoke(command, ["diff", str(one), str(tmp_path / "no")]).exit_code == 2
