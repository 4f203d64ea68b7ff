"""--abi of `cr run` and `cr restart`; with --cpu-features of `cr sweep`, `verify` and `check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cr.tools.convert import upgrade
from guests.stories import find_story
from guests.toolchain import build
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Program, Run

NONE = "cr: --abi: no abi is called 'v3'; there are v2, v13, v18, v20, v21, v23-rc1, v23\n"


def built(name: str, arch: str, folder: Path) -> Path:
    return build(find_story(name).path, arch, folder / "program", None)


@pytest.mark.parametrize("verb", ["run", "sweep", "verify", "check"])
def test_an_abi_that_is_none(command: Run, program: Program, verb: str) -> None:
    done = command(verb, "--abi", "v3", program(tiny.EXIT_3))
    assert (done.status, done.stdout, done.stderr) == (2, b"", NONE)


def test_a_program_that_saves_itself(command: Run, tmp_path: Path) -> None:
    program = built("generations/self_v13", "ppc32", tmp_path)
    prints = find_story("generations/self_v13").prints
    assert command("run", "--abi", "v13", program).stdout.decode() == prints
    done = command("run", program)  # today's kernel: perf_event_open, which it does not have
    assert done.status == 1 and b"check failed" in done.stdout
    # A program that calls the number of another tree calls another call.
    done = command("run", "--abi", "v18", program)
    assert done.status == 1 and b"check failed" in done.stdout


def test_a_machine_goes_on_as_what_it_was(command: Run, tmp_path: Path) -> None:
    program, image = built("generations/self_v13", "x86_32", tmp_path), tmp_path / "image"
    taking = ("--checkpoint-after", "20syscalls", "--stop", "-o", image)
    before = command("run", "--abi", "v13", *taking, program)
    assert before.status == 0
    told = command("info", image).stdout
    assert b"a machine whose kernel's abi is v13\n" in told
    assert b"written by Linux 2.6.29-rc2-cr-v13" in told
    done = command("restart", image)
    whole = (before.stdout + done.stdout).decode()
    assert whole == find_story("generations/self_v13").prints and done.stdout
    assert done.status == 0
    done = command("restart", "--abi", "v21", image)
    assert (done.status, done.stdout) == (3, b"")
    assert done.stderr.endswith("a machine whose abi was 'v13', but this kernel's is 'v21'\n")


def test_a_pure_image_has_the_format_of_the_tree(command: Run, tmp_path: Path) -> None:
    program, image = built("basics/counter", "ppc64", tmp_path), tmp_path / "image"
    taking = ("--checkpoint-after", "4syscalls", "--stop", "--pure", "-o", image)
    before = command("run", "--abi", "v13", *taking, program, "3")
    assert before.status == 0 and upgrade(image.read_bytes()).dialect == "v13"
    for options in ((), ("--abi", "v13")):
        done = command("restart", *options, image)
        assert done.status == 0 and before.stdout + done.stdout == b"1\n2\n3\nsum 6\n"
    done = command("restart", "--abi", "v18", image)
    assert done.status == 3
    assert "a kernel of v18 restarts its own images alone, this is one of v13" in done.stderr


def test_what_the_tree_has_no_place_for(command: Run, tmp_path: Path) -> None:
    program, image = built("signals/nested", "x86_32", tmp_path), tmp_path / "image"
    taking = ("--checkpoint-after", "9syscalls", "--stop", "--pure", "-o", image)
    done = command("run", "--abi", "v13", *taking, program)
    assert done.status == 3 and "v13 has no place for signal handlers" in done.stderr
    assert not image.exists()
    done = command("check", "--abi", "v13", "--pure", program)
    assert done.status == 3 and "v13 has no place for signal handlers" in done.stderr
    assert command("check", "--abi", "v23", "--pure", program).status == 0


def test_a_sweep_on_an_older_kernel(command: Run, tmp_path: Path) -> None:
    program = built("generations/self_v18", "ppc32", tmp_path)
    done = command("sweep", "--abi", "v18", "--every", "syscall:3", program)
    assert done.status == 0, done.stderr
    assert "0 divergences, 0 refused" in done.stderr and "--abi v18" in done.stderr
    assert "exit status 0" in done.stderr
    assert "exit status 1" in command("sweep", "--every", "syscall:3", program).stderr


def test_verify_on_an_older_kernel(command: Run, tmp_path: Path) -> None:
    program = built("generations/self_v13", "ppc32", tmp_path)
    done = command("verify", "--abi", "v13", program)
    assert done.status == 0 and "exit status 0" in done.stderr
    assert "equal at every one of them" in done.stderr


@pytest.mark.parametrize("verb", ["sweep", "check", "verify"])
def test_a_cpu_that_lacks_something(command: Run, tmp_path: Path, verb: str) -> None:
    """The program is ended by SIGILL, each time."""
    program = built("cpu/altivec", "ppc32", tmp_path)
    every = ("--every", "block:2") if verb == "sweep" else ()
    done = command(verb, *every, "--cpu-features=-altivec", program)
    assert done.status == 0, done.stderr
    whole = command(verb, *every, program)
    assert whole.status == 0 and whole.stderr != done.stderr
    done = command(verb, "--cpu-features=-sse", program)
    assert (done.status, done.stdout) == (2, b"")
    assert done.stderr.startswith("cr: --cpu-features: a CPU of ppc32 cannot lack 'sse'")


@pytest.mark.parametrize("verb", ["run", "sweep", "verify", "check"])
def test_no_name_is_no_abi(command: Run, program: Program, verb: str) -> None:
    done = command(verb, "--abi", "", program(tiny.EXIT_3))
    assert (done.status, done.stderr) == (2, NONE.replace("v3", "", 1))
