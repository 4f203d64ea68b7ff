"""The command as a process: descriptors, signals, and never a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Program

pytestmark = pytest.mark.slow
CR = [sys.executable, "-m", "cr.cli.main"]


def shell(line: str, *args: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of sh, in which "$@" is the command."""
    return subprocess.run(["sh", "-c", line, "sh", *CR, *args], capture_output=True, check=False)


def test_closed_descriptors(program: Program, tmp_path: Path) -> None:
    echo, hello = program(tiny.echo(4), "echo"), program(tiny.say(b"hello 4\n") + tiny.EXIT_3, "hi")
    done = shell('"$@" <&-', "run", echo)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    disk = tmp_path / "disk.tar"
    done = shell('"$@" >&-', "run", "--disk", str(disk), hello)
    assert done.returncode == 2
    assert done.stderr == b"cr: the standard output cannot be written: Bad file descriptor\n"
    assert not disk.exists()
    assert shell('"$@" 2>&-', "run", hello).stdout == b"hello 4\n"


def test_output_without_room_or_reader(program: Program) -> None:
    hello = program(tiny.say(b"hello 4\n") + tiny.EXIT_0)
    done = shell('"$@" >/dev/full', "run", hello)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"No space left" in done.stderr
    done = shell('{ "$@"; echo $? >&2; } | true', "run", hello)
    assert done.stderr.split()[-1] in (b"141", b"0")


def test_input_is_left_for_the_next(program: Program) -> None:
    read_4 = bytes.fromhex("31c0 31ff 4889e6 ba04000000 0f05") + tiny.EXIT_0
    done = shell('printf 12345678 | { "$@"; cat; }', "run", program(read_4))
    assert done.stdout == b"5678"


@pytest.mark.parametrize("code", [tiny.SPIN, tiny.echo(4)], ids=["running", "reading"])
def test_ctrl_c(program: Program, code: bytes) -> None:
    process = subprocess.Popen(
        [*CR, "run", "--trace", program(tiny.say(b"hello 5\n") + code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.read(8) == b"hello 5\n"
        time.sleep(0.1)  # until it reads; that it may not have begun to is as good a moment
        process.send_signal(signal.SIGINT)
        words = process.stderr.read()
        assert process.wait() == 130
    assert b"cr: interrupted\n" in words and b"Traceback" not in words


def test_needs_no_input_file(program: Program) -> None:
    done = subprocess.run([*CR, "run", program(tiny.EXIT_3)], stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 3


def test_twice_the_same(program: Program, tmp_path: Path) -> None:
    disks = []
    for seed in ("1", "2"):
        disk = tmp_path / f"{seed}.tar"
        env = os.environ | {"PYTHONHASHSEED": seed}
        command = [*CR, "run", "--disk", str(disk), program(tiny.EXIT_0)]
        subprocess.run(command, env=env, check=True)
        disks.append(disk.read_bytes())
    assert disks[0] == disks[1]


@pytest.mark.parametrize(
    "words",
    [
        ["run", "PROGRAM"],
        ["run", "--trace=/dev/full", "PROGRAM"],
        ["run", "--checkpoint-after", "1syscall", "-o", "/dev/full", "PROGRAM"],
        ["run", "--checkpoint-after", "1syscall", "-o", "other", "PROGRAM"],
        ["restart", "IMAGE"],
        ["info", "IMAGE"],
        ["info", "--json", "IMAGE"],
        ["sweep", "PROGRAM"],
        ["sweep", "--report", "full.xml", "PROGRAM"],
        ["verify", "PROGRAM"],
        ["fuzz", "--count", "20", "IMAGE"],
        ["demo", "--arch", "ppc32"],
        ["--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_a_full_disk_is_never_a_success(
    words: list[str], program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the command was to write cannot be written: one sentence, and no exit status 0."""
    monkeypatch.chdir(tmp_path)
    hello = program(tiny.say(b"hello 4\n") * 3 + tiny.EXIT_0)
    (tmp_path / "full.xml").symlink_to("/dev/full")
    if "IMAGE" in words:
        taken = shell('"$@"', "run", "--checkpoint-after", "1syscall", "-o", "IMAGE", hello)
        assert taken.returncode == 0, taken.stderr
    given = [hello if word == "PROGRAM" else word for word in words]
    done = shell('"$@" >/dev/full', *given)
    assert done.returncode == 2, done
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
    if words[0] == "sweep":
        assert shell('"$@" >/dev/full 2>&1', *given).returncode == 2
