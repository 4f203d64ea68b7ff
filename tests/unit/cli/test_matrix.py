"""`cr matrix`: what a cell may say, its formats, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cr.restart
from cr.context import Refused
from cr.system import System
from cr.testing import matrix
from cr.testing.matrix import KernelKind, Origin
from guests.stories import find_story
from kernel_model.task import Task
from tests.unit.cli.conftest import Run

COUNTER = find_story("basics/counter").path
ALTIVEC = find_story("cpu/altivec").path
SHORT = "int main(void) { return 3; }\n"
FOREVER = '#include "guest.h"\nint main(void) { for (;;) getpid(); }\n'


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the images, three of the kernels."""
    kinds = KernelKind("x86_32"), KernelKind("ppc32"), KernelKind("ppc32", "-altivec")
    monkeypatch.setattr(matrix, "kernels", lambda: kinds)
    few_origins = Origin("x86_32", "x86_32"), Origin("ppc32", "ppc32")
    monkeypatch.setattr(matrix, "origins", lambda: few_origins)


def reasons(command: Run, *words: object, status: int = 0) -> dict[tuple[str, str], str]:
    """By image and kernel; empty: it restarts."""
    done = command("matrix", "--json", *words)
    assert done.status == status, done.stderr
    table = json.loads(done.stderr)
    return {
        (row["image_of"], cell["kernel"]): cell["reason"]
        for row in table["rows"]
        for cell in row["cells"]
        if (cell["outcome"] == "restarts") == (not cell["reason"])
    }


def test_as_data(command: Run) -> None:
    found = reasons(command, COUNTER, 3)
    assert len(found) == 6
    assert [pair for pair, reason in found.items() if not reason] == [
        ("x86_32", "x86_32"),
        ("ppc32", "ppc32"),
        ("ppc32", "ppc32 -altivec"),
    ]
    assert found["ppc32", "x86_32"].startswith("HEADER: an image of PPC32")


def test_arches_that_have_no_program(command: Run) -> None:
    found = reasons(command, ALTIVEC, status=1)
    missing = "there is no program: altivec.c: x86_32 cannot have what the story needs: altivec"
    assert found["x86_32", "x86_32"] == found["x86_32", "ppc32"] == missing
    assert found["ppc32", "ppc32"] == ""
    wanted = "CPU: the task has used altivec, which this CPU lacks"
    assert found["ppc32", "ppc32 -altivec"] == wanted


def test_a_restart_that_goes_wrong(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    install = cr.restart.install

    def wrong(task: Task, parts: object) -> None:
        install(task, parts)  # type: ignore[arg-type]
        task.regs.words[task.abi.pc] = 0

    monkeypatch.setattr(cr.restart, "install", wrong)
    found = reasons(command, COUNTER, 3, status=1)
    assert found["x86_32", "x86_32"] == "restarted, but the rest of its output is another one"


def test_another_end(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    restart = System.restart

    def wrong(self: System, image: bytes) -> Task:
        task = restart(self, image)
        monkeypatch.setattr(Task, "exit_code", property(lambda task: 7, lambda task, value: None))
        return task

    monkeypatch.setattr(System, "restart", wrong)
    found = reasons(command, COUNTER, 3, status=1)
    assert found["x86_32", "x86_32"] == "restarted, but it ended in another way"


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (SHORT, ("--freestanding",), "the program has no middle: it makes too few system calls"),
        (FOREVER, ("--max-time", "1ms", "--freestanding"), "the program does not end"),
    ],
)
def test_no_image(
    command: Run, tmp_path: Path, text: str, options: tuple[str, ...], sentence: str
) -> None:
    source = tmp_path / "other.c"
    source.write_text(text)
    assert set(reasons(command, *options, source, status=1).values()) == {sentence}


def test_a_checkpoint_that_is_refused(command: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: System, *, pure: bool = False) -> bytes:
        raise Refused(16, "the test does not want it")

    monkeypatch.setattr(System, "checkpoint", refuse)
    found = reasons(command, COUNTER, status=1)
    assert set(found.values()) == {"the checkpoint was refused: the test does not want it"}


def test_the_page(command: Run, tmp_path: Path) -> None:
    page = tmp_path / "m.html"
    assert command("matrix", "--html", page, COUNTER, 3).status == 0
    assert page.read_text().count("<td class=yes>restarts") == 3
    assert page.read_text().count("<td class=no>HEADER: an image of") == 3


def test_a_file_that_is_no_story_has_a_c_library(command: Run, tmp_path: Path) -> None:
    source = tmp_path / "plain.c"
    source.write_text('#include <stdio.h>\nint main(void) { puts("a"); puts("b"); return 0; }\n')
    assert reasons(command, source, status=0)["x86_32", "x86_32"] == ""


def test_bad_input(command: Run, tmp_path: Path) -> None:
    done = command("matrix", tmp_path / "none.c")
    assert done.status == 2 and done.stderr.endswith("none.c: there is no such file\n")
    source = tmp_path / "bad.c"
    source.write_text("int main(void) { return none; }\n")
    done = command("matrix", source)
    assert done.status == 2 and "undeclared identifier 'none'" in done.stderr
    assert done.stderr.endswith("\ncr: there is no program: bad.c does not build\n")
    done = command("matrix", "--html", tmp_path / "no" / "m.html", COUNTER)
    assert done.status == 2 and done.stderr.count("\n") == 1
