"""`cr run --checkpoint-after` and `cr restart`: together they are one uninterrupted run."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from cr.context import Refused
from cr.system import System
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Program, Run

LINES = b"".join(tiny.say(b"line %d\n\n" % k) for k in range(5)) + tiny.EXIT_3
WHOLE = b"".join(b"line %d\n\n" % k for k in range(5))


@pytest.mark.parametrize("calls", [1, 3, 5])
def test_both_halves(command: Run, program: Program, tmp_path: Path, calls: int) -> None:
    image = tmp_path / "image"
    first = command(
        "run", "--checkpoint-after", f"{calls}syscalls", "-o", image, "--stop", program(LINES)
    )
    assert (first.status, first.stdout) == (0, WHOLE[: 8 * calls])
    assert f"taken after {calls} system calls" in first.stderr
    (tmp_path / "p").unlink()
    second = command("restart", image)
    assert (second.status, second.stdout, second.stderr) == (3, WHOLE[8 * calls :], "")


def test_the_guest_goes_on_unless_told_to_stop(
    command: Run, program: Program, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    done = command("run", "--checkpoint-after", "2syscalls", "-o", image, program(LINES))
    assert (done.status, done.stdout) == (3, WHOLE)
    assert command("restart", image).stdout == WHOLE[16:]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image", "image.disk.tar", "p"]


def test_a_chain_of_restarts(command: Run, program: Program, tmp_path: Path) -> None:
    options = ["--checkpoint-after", "1syscall", "--stop", "-o"]
    printed = command("run", *options, tmp_path / "0", program(LINES)).stdout
    for k in range(4):
        printed += command("restart", *options, tmp_path / str(k + 1), tmp_path / str(k)).stdout
    assert printed == WHOLE
    assert command("restart", tmp_path / "4").status == 3


def test_after_time_in_the_middle_of_a_sleep(
    command: Run, program: Program, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    done = command(
        "run", "--checkpoint-after", "400ms", "--stop", "-o", image, program(tiny.SLEEP_1_S)
    )
    assert done.status == 0 and "at 400000000 ns" in done.stderr
    assert command("restart", "--max-time", "599ms", image).status == 124
    assert command("restart", "--max-time", "601ms", image).status == 0


def test_most_time_counts_from_the_beginning(
    command: Run, program: Program, tmp_path: Path
) -> None:
    options = ["--checkpoint-after", "400ms", "--max-time", "600ms", "-o", tmp_path / "image"]
    done = command("run", *options, program(tiny.SLEEP_1_S))
    assert done.status == 124 and "--max-time reached at 600000000 ns" in done.stderr


def test_a_guest_that_ends_earlier(command: Run, program: Program, tmp_path: Path) -> None:
    image = tmp_path / "image"
    done = command("run", "--checkpoint-after", "9syscalls", "-o", image, program(LINES))
    assert (done.status, done.stdout) == (3, WHOLE)
    assert done.stderr == "cr: no image: the program ended before the place of the checkpoint\n"
    done = command(
        "run", "--checkpoint-after", "1s", "--max-time", "9us", "-o", image, program(tiny.SPIN)
    )
    assert done.status == 124 and "no image" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_the_disk_is_as_it_was(command: Run, program: Program, tmp_path: Path) -> None:
    # mkdir("abcdefg", 0777) comes after the checkpoint.
    make = b"\x48\xb8abcdefg\0" + bytes.fromhex("50 4889e7 beff010000 b853000000 0f05")
    code = tiny.say(b"before\n\n") + make + tiny.EXIT_0
    image, disk = tmp_path / "image", tmp_path / "end.tar"
    done = command(
        "run", "--checkpoint-after", "1syscall", "-o", image, "--disk", disk, program(code)
    )
    assert done.status == 0

    def names(path: Path) -> set[str]:
        with tarfile.open(path) as tar:
            return {name.lstrip("./") for name in tar.getnames()}

    assert names(disk) - names(tmp_path / "image.disk.tar") == {"abcdefg"}
    assert command("restart", "--disk", tmp_path / "new.tar", image).status == 0
    assert names(tmp_path / "new.tar") == names(disk)


def test_a_root_has_to_be_named_again(command: Run, program: Program, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    Path(program(LINES)).rename(root / "p")
    (root / "p").chmod(0o755)
    image = tmp_path / "image"
    options = ["--checkpoint-after", "2syscalls", "--stop", "-o", image]
    assert command("run", "--root", root, *options, "/p").status == 0
    with tarfile.open(tmp_path / "image.disk.tar") as tar:
        assert all(not member.size for member in tar.getmembers())
    assert command("restart", "--root", root, image).stdout == WHOLE[16:]
    done = command("restart", image)
    assert done.status in (2, 3) and done.stderr.count("\n") == 1


def test_an_image_that_cannot_be_written(command: Run, program: Program) -> None:
    done = command("run", "--checkpoint-after", "1syscall", "-o", "/dev/full", program(LINES))
    assert done.status == 2
    assert done.stderr == "cr: /dev/full cannot be written: No space left on device\n"
    assert not Path("/dev/full.disk.tar").exists()


def test_a_refused_checkpoint(
    command: Run, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise Refused(16, "task 1 holds what cannot be saved")

    monkeypatch.setattr(System, "checkpoint", refuse)
    options = ["--checkpoint-after", "1syscall", "-o", tmp_path / "image"]
    done = command("run", *options, program(LINES))
    assert done.status == 3
    assert "refused: " in done.stderr and "what cannot be saved" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_a_refused_restart(command: Run, program: Program, tmp_path: Path) -> None:
    image = tmp_path / "image"
    options = ["--checkpoint-after", "1syscall", "--stop", "-o", image]
    assert command("run", *options, program(LINES)).status == 0
    with tarfile.open(tmp_path / "image.disk.tar", "w"):
        pass
    done = command("restart", image)
    assert done.status == 3
    assert "the restart was refused" in done.stderr and done.stderr.count("\n") == 1


def test_every_cut_of_an_image(command: Run, program: Program, tmp_path: Path) -> None:
    image, cut = tmp_path / "image", tmp_path / "cut"
    options = ["--checkpoint-after", "1syscall", "--stop", "-o", image]
    assert command("run", *options, program(LINES)).status == 0
    (tmp_path / "image.disk.tar").rename(tmp_path / "cut.disk.tar")
    whole = image.read_bytes()
    for length in range(0, len(whole), len(whole) // 17):
        cut.write_bytes(whole[:length])
        done = command("restart", cut)
        assert done.status == 2 and done.stderr.count("\n") == 1, length
    cut.write_bytes(whole)
    assert command("restart", cut).status == 3


def test_pure(command: Run, program: Program, tmp_path: Path) -> None:
    options = ["--checkpoint-after", "2syscalls", "--stop", "-o"]
    path = program(LINES)
    command("run", *options, tmp_path / "ours", path)
    command("run", "--pure", *options, tmp_path / "pure", path)
    assert b"records of ours" in command("info", tmp_path / "ours").stdout
    assert b"records of ours" not in command("info", tmp_path / "pure").stdout
    assert command("restart", tmp_path / "pure").stdout == WHOLE[16:]


@pytest.mark.slow
def test_same_bytes_in_another_process(program: Program, tmp_path: Path) -> None:
    path = program(LINES)
    found = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "cr.cli.main", "run", "--checkpoint-after", "2syscalls"]
        command += ["-o", str(tmp_path / seed), path]
        done = subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=False
        )
        assert done.returncode == 3
        found.append([(tmp_path / f"{seed}{end}").read_bytes() for end in ("", ".disk.tar")])
    assert found[0] == found[1]
