"""`cr convert`, and old images given to `cr info` and `cr restart`."""

import json
from pathlib import Path

import pytest

from cr.cli.session import disk_beside
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Program, Run

CALLS = tiny.say(b"line 0\n\n") + tiny.EXIT_3


@pytest.fixture
def half(command: Run, tmp_path: Path) -> Path:
    """A 32-bit program of which half is done."""
    code = bytes.fromhex("b814000000 cd80 b801000000 bb03000000 cd80")  # getpid, exit(3)
    path, image = tmp_path / "p", tmp_path / "half"
    path.write_bytes(tiny.elf(code, machine=3, bits=32))
    done = command("run", "--checkpoint-after", "1syscall", "-o", image, "--stop", path)
    assert done.status == 0
    return image


def test_down_and_up(command: Run, half: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    down = command("convert", half, "--to", "v13", "-o", old)
    assert (down.status, down.stdout) == (0, b"")
    assert f"{half} (v23-rc2) is now {old} (v13)" in down.stderr and "left out: " in down.stderr
    assert b"dialect v13;" in command("info", old).stdout
    assert json.loads(command("info", "--json", old).stdout)["dialect"] == "v13"
    assert command("restart", old).status == 3
    assert command("convert", old, "--to", "v23-rc2", "-o", new).status == 0
    assert disk_beside(new).read_bytes() == disk_beside(half).read_bytes()
    assert b"dialect" not in command("info", new).stdout
    assert command("restart", new).status == 3


def test_what_it_has_no_place_for(command: Run, program: Program, tmp_path: Path) -> None:
    image, old = tmp_path / "image", tmp_path / "old"
    command("run", "--checkpoint-after", "1syscall", "-o", image, "--stop", program(CALLS))
    done = command("convert", image, "--to", "v13", "-o", old)
    assert done.status == 3 and done.stderr.count("\n") == 1
    assert "v13 has no place for x86_64" in done.stderr
    assert not old.exists() and not disk_beside(old).exists()


def test_other_mistakes(command: Run, half: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = command("convert", half, "--to", "v99", "-o", out)
    assert done.status == 2 and "there is no dialect v99: there are v23-rc2, " in done.stderr
    text = tmp_path / "text"
    text.write_bytes(b"hello\n")
    done = command("convert", text, "--to", "v13", "-o", out)
    assert done.status == 2 and "is no image" in done.stderr
    assert command("convert", half, "--to", "v13", "-o", tmp_path / "no" / "out").status == 2
    assert command("convert", half, "--to", "v13").status == 2
    assert not out.exists()


def test_an_old_image_that_is_cut(command: Run, half: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    command("convert", half, "--to", "v13", "-o", old)
    old.write_bytes(old.read_bytes()[:-4])
    for verb in (["info"], ["restart"], ["convert", "--to", "v9", "-o", tmp_path / "x"]):
        done = command(*verb, old)
        assert done.status == 2 and "is no image" in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_name_without_a_program(command: Run, half: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    refused = command("convert", half, "--to", "v21-minimal", "-o", old)
    assert refused.status == 3 and "has no place for memory" in refused.stderr
    assert refused.stderr.endswith("it saved a name alone; --lossy writes that\n")
    assert not old.exists()
    other = command("convert", half, "--to", "v13", "--lossy", "-o", old)
    assert other.status == 2 and "--lossy is for v21-minimal" in other.stderr
    done = command("convert", half, "--to", "v21-minimal", "--lossy", "-o", old)
    assert done.status == 0 and "left out: memory, registers" in done.stderr
    assert old.stat().st_size == 363
    words = command("info", old)
    assert words.status == 0 and b"dialect v21-minimal\n" in words.stdout
    assert words.stdout.endswith(b"it cannot be restarted\n")
    assert json.loads(command("info", "--json", old).stdout)["kernel"] == "3.2.0"
    for verb in (["restart"], ["convert", "--to", "v13", "-o", tmp_path / "x"]):
        told = command(*verb, old)
        assert told.status == 2 and "saved the name " in told.stderr
        assert "nothing that could be restarted" in told.stderr
        assert told.stderr.count("\n") == 1
