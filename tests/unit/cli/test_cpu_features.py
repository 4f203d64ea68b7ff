"""--cpu-features of `cr run` and `cr restart`."""

from pathlib import Path

import pytest

from guests.stories import find_story
from guests.toolchain import build
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Program, Run


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        ("-sse", "a CPU of x86_64 cannot lack 'sse'; it can lack nothing"),
        ("sse", "'sse' is no CPU feature to leave out, such as -altivec"),
        ("-altivec,", "'' is no CPU feature to leave out, such as -altivec"),
        ("-", "'-' is no CPU feature to leave out, such as -altivec"),
    ],
)
def test_names_that_are_none(command: Run, program: Program, features: str, sentence: str) -> None:
    done = command("run", f"--cpu-features={features}", program(tiny.EXIT_3))
    assert (done.status, done.stdout) == (2, b"")
    assert done.stderr == f"cr: --cpu-features: {sentence}\n"


def test_a_program_of_vectors(command: Run, tmp_path: Path) -> None:
    program = build(find_story("cpu/altivec").path, "ppc32", tmp_path / "altivec", None)
    image = tmp_path / "image"
    without = "--cpu-features=-altivec"
    done = command("run", without, program)
    assert (done.status, done.stdout) == (132, b"")
    taking = ("--checkpoint-after", "3syscalls", "--stop", "-o", image)
    assert command("run", *taking, program).status == 0
    done = command("restart", without, image)
    assert (done.status, done.stdout) == (3, b"")
    assert "the restart was refused" in done.stderr
    assert done.stderr.endswith("the task has used altivec, which this CPU lacks\n")
    assert command("restart", image).status == 0
