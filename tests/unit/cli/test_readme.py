"""The session in README.md is true, and so is the library's example."""

import os
import re
import shlex
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from guests.stories import find_story
from guests.toolchain import build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ziglang") is None, reason="ziglang is not installed"),
]
PROJECT = Path(__file__).resolve().parents[3]
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def session() -> list[tuple[str, str]]:
    """Each command of the session with what it prints."""
    block = next(b for b in re.split(r"\n(?! |\n)", README) if "    $ cr build" in b)
    lines = [line[4:] for line in block.splitlines() if line.startswith("    ")]
    found: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], ""))
        else:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def test_session(tmp_path: Path) -> None:
    commands = session()
    assert len(commands) >= 6
    python = shlex.quote(sys.executable)
    (tmp_path / "cr").write_text(f'#!/bin/sh\nexec {python} -m cr.cli.main "$@"\n')
    (tmp_path / "cr").chmod(0o755)
    (tmp_path / "guests").symlink_to(PROJECT / "guests")
    env = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT),
        "PYTHONSAFEPATH": "1",
    }
    for line, expected in commands:
        if "activate" not in line:
            done = subprocess.run(
                line, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
            )
            assert (done.stdout, done.returncode) == (expected, 0), (line, done.stderr)


def test_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example is not None
    program = build(
        find_story("basics/counter").path, "ppc64", tmp_path / "rootfs" / "bin" / "counter"
    )
    assert program.stat().st_mode & stat.S_IXUSR
    code = example[1].replace('"rootfs"', repr(str(tmp_path / "rootfs")))
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    numbers = "".join(f"{k}\\n" for k in range(3, 11))
    assert capsys.readouterr().out == f"0 b'{numbers}sum 55\\n'\n"
