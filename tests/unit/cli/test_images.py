"""`cr info` and `cr restart` with images, and with what is none."""

import json
from pathlib import Path

import pytest

from cr.image.types import ARCH_PPC64, ARCH_X86_64
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Run
from tests.unit.image.specimen import Specimen

HOSTILE = {
    "empty": b"",
    "text": b"hello\n",
    "program": tiny.elf(tiny.EXIT_3),
    "zeros": bytes(5000),
    "cut": Specimen(ARCH_X86_64).build()[:-20],
}


def test_info(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(Specimen(ARCH_PPC64).build())
    done = command("info", path)
    assert done.status == 0 and done.stderr == ""
    assert done.stdout.startswith(b"checkpoint image, ") and b"ppc64, big-endian" in done.stdout
    found = json.loads(command("info", "--json", path).stdout)
    assert found["arch"] == "ppc64" and found["tasks"][0]["pid"] == 1


@pytest.mark.parametrize("verb", ["info", "restart"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_image(command: Run, tmp_path: Path, verb: str, kind: str) -> None:
    path = tmp_path / "image"
    path.write_bytes(HOSTILE[kind])
    done = command(verb, path)
    assert done.status == 2
    assert done.stderr.count("\n") == 1 and "is no image" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("verb", ["info", "restart"])
def test_files_that_cannot_be_read(command: Run, tmp_path: Path, verb: str) -> None:
    for path, words in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        done = command(verb, path)
        assert (done.status, done.stderr.count("\n")) == (2, 1) and words in done.stderr


def test_an_image_without_its_disk(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(Specimen(ARCH_X86_64).build())
    done = command("restart", path)
    assert done.status == 2
    assert done.stderr == f"cr: {path}.disk.tar: No such file or directory\n"


def test_variables_are_not_for_restart(command: Run, tmp_path: Path) -> None:
    done = command("restart", "--env", "A=b", tmp_path / "image")
    assert done.status == 2 and "--env is for" in done.stderr
