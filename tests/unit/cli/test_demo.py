"""`cr demo` and `cr build`."""

import io
from importlib.util import find_spec
from pathlib import Path

import pytest
from rich.console import Console

from cr.cli import demo
from cr.cli.demo import Outcome, interrupted_and_not, show
from emu.elf import parse
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Program, Run

needs_compiler = pytest.mark.skipif(find_spec("ziglang") is None, reason="ziglang is not installed")


def test_one_program(program: Program) -> None:
    lines = tiny.say(b"line 1\n\n") + tiny.say(b"line 2\n\n") + tiny.EXIT_3
    outcome = interrupted_and_not(Path(program(lines)), "basics/counter", "x86_64")
    assert outcome.equal
    assert (outcome.before, outcome.after) == (b"line 1\n\n", b"line 2\n\n")
    assert (outcome.calls, outcome.at_calls, outcome.status) == (3, 1, 3)


def outcome(**changes: object) -> Outcome:
    values: dict[str, object] = dict(
        story="s/s", arch="a", calls=2, at_calls=1, at_ns=1, image_bytes=1, whole=b"ab",
        before=b"a", after=b"b", whole_status=0, status=0,
    )  # fmt: skip
    return Outcome(**(values | changes))  # type: ignore[arg-type]


def test_what_is_equal() -> None:
    assert outcome().equal
    assert not outcome(after=b"c").equal
    assert not outcome(before=b"").equal
    assert not outcome(status=1).equal


@pytest.mark.slow
@needs_compiler
def test_the_demo_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    assert show(["ppc32", "x86_32", "ppc32"], console=Console(file=text, width=80)) == 0
    assert text.getvalue().count("kB   equal") == 2 * len(demo.STORIES)
    assert "On ppc32, x86_32: each program was interrupted" in text.getvalue()
    monkeypatch.setattr(demo, "interrupted_and_not", lambda *_: outcome(after=b"?"))
    text = io.StringIO()
    assert show(["ppc32"], console=Console(file=text, width=80)) == 1
    assert "DIFFERENT" in text.getvalue() and "restarted b'a?'" in text.getvalue()


@pytest.mark.slow
@needs_compiler
def test_build(command: Run, tmp_path: Path) -> None:
    source = tmp_path / "hello.c"
    source.write_text(
        '#include <stdio.h>\nint main(void) { int unused; puts("hello"); return 4; }\n'
    )
    done = command("build", source, "-a", "ppc32", "-o", tmp_path / "hello")
    assert (done.status, done.stderr) == (0, "")
    assert parse((tmp_path / "hello").read_bytes()).machine == "EM_PPC"
    done = command("run", tmp_path / "hello")
    assert (done.status, done.stdout) == (4, b"hello\n")


def test_what_cannot_be_built(command: Run, tmp_path: Path) -> None:
    done = command("build", tmp_path / "none.c", "-a", "ppc32", "-o", tmp_path / "out")
    assert done.status == 2 and "there is no such file" in done.stderr
    assert command("build", tmp_path / "none.c", "-a", "vax", "-o", "x").status == 2


@pytest.mark.slow
@needs_compiler
def test_the_compilers_words(command: Run, tmp_path: Path) -> None:
    source = tmp_path / "bad.c"
    source.write_text("int main(void) { return missing; }\n")
    done = command("build", source, "-a", "x86_32", "-o", tmp_path / "out")
    assert done.status == 2
    assert "use of undeclared identifier 'missing'" in done.stderr
    assert done.stderr.endswith(f"cr: {source} does not build\n")
    assert not (tmp_path / "out").exists()
