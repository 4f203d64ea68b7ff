"""A command run in this process, and programs of a few bytes to run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from cr.cli.main import cr
from tests.harness.tiny_elf import elf


@dataclass(frozen=True)
class Done:
    """What a command did, seen from outside."""

    status: int
    stdout: bytes
    stderr: str
    """Our own words."""
    guest_stderr: bytes


Run = Callable[..., Done]
Program = Callable[..., str]


@pytest.fixture
def command(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `cr ARGS`; a traceback is never how it ends."""

    def run(*args: object) -> Done:
        result = CliRunner().invoke(cr, [str(arg) for arg in args])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        out, err = capfdbinary.readouterr()
        return Done(result.exit_code, out, result.output, err)

    return run


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Write a tiny program; its path."""

    def write(code: bytes, name: str = "p", **how: object) -> str:
        path = tmp_path / name
        path.write_bytes(elf(code, **how))  # type: ignore[arg-type]
        return str(path)

    return write
