"""Threads of glibc and of musl, restarted in the middle: a mutex, a condition variable, join.

The story of threads, linked statically with the C library of each tool chain that is here.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from guests.stories import GUESTS_FOLDER
from guests.toolchain import build
from tests.harness.real import make_root, restarted, run

pytestmark = [pytest.mark.real, pytest.mark.slow]
COMPILERS = {
    "x86_32": "i686-linux-gnu-gcc",
    "x86_64": "x86_64-linux-gnu-gcc",
    "ppc32": "powerpc-linux-gnu-gcc",
    "ppc64": "powerpc64-linux-gnu-gcc",
}
STORY = GUESTS_FOLDER / "processes" / "threads.c"
PRINTS = (
    b"4 threads counted to 400\nsum of thread-local values 10\nconsumer took 20 items, sum 190\n"
)


def _with_glibc(mode: str, output: Path) -> None:
    compiler = shutil.which(COMPILERS[mode])
    if compiler is None:
        pytest.skip(f"{COMPILERS[mode]} is not installed")
    library = GUESTS_FOLDER / "lib"
    command = [compiler, "-static", "-O2", "-pthread", "-DGUEST_HOSTED", "-I", str(library)]
    command += [str(STORY), str(library / "say.c"), "-o", str(output)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("mode", COMPILERS)
@pytest.mark.parametrize("libc", ["glibc", "musl"])
def test_threads_restarted(mode: str, libc: str, tmp_path: Path) -> None:
    program = make_root(tmp_path) / "bin" / "threads"
    if libc == "glibc":
        _with_glibc(mode, program)
    else:
        build(STORY, mode, program, freestanding=False)
    straight = run(mode, tmp_path, ["/bin/threads"])
    assert (straight.status, straight.console) == (0, PRINTS)
    assert not straight.not_modelled
    restarted(mode, tmp_path, ["/bin/threads"], straight, cycles=20)
