"""Dynamically linked programs of the host's, with their own ld.so, on an x86-64 kernel.

The guest's root is the host's, read-only below a layer that is thrown away.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.slow]

ENVIRONMENT = {"HOME": "/", "PATH": "/usr/bin:/bin"}
PIPELINE = "for i in 3 1 2; do echo $i; done | sort | while read x; do echo $((x * x)); done"
PYTHON = "import json; print(json.dumps({'sum': sum(range(1000)), 'text': 'x' * 5}))"
COMMANDS = {
    "echo": ["/bin/echo", "hi", "there"],
    "bash": ["/bin/bash", "-c", PIPELINE],
    "python": ["/usr/bin/python3", "-S", "-c", PYTHON],
}


def _cr(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "cr.cli.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, timeout=120, check=False)


def _native(name: str) -> bytes:
    if platform.machine() != "x86_64":
        pytest.skip("the host's own programs are not x86-64 ones")
    program = COMMANDS[name][0]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(COMMANDS[name], capture_output=True, env=ENVIRONMENT, check=True)
    return done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_output_is_the_hosts(name: str) -> None:
    truth = _native(name)
    done = _cr("run", "--root", "/", *COMMANDS[name])
    assert (done.returncode, done.stdout) == (0, truth), done.stderr.decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_restarted_output_is_the_hosts(name: str, tmp_path: Path) -> None:
    truth = _native(name)
    image = tmp_path / "image"
    place = ("--checkpoint-after", "30syscalls", "-o", image, "--stop")
    first = _cr("run", "--root", "/", *place, *COMMANDS[name])
    assert first.returncode == 0 and image.exists(), first.stderr.decode()
    second = _cr("restart", "--root", "/", image)
    assert (second.returncode, first.stdout + second.stdout) == (0, truth), second.stderr.decode()
