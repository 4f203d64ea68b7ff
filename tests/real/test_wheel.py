"""What somebody gets who installs our wheel, and knows nothing of this repository.

A project outside, with its own C program and some twenty lines of tests, gets a C/R test on four
architectures by one `pip install` of the wheel with its extra `pytest`; nobody is root. This needs
PyPI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.nightly]

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("cr", "emu", "guests", "kernel_model", "setup_backend")
FILES = ("pyproject.toml", "setup.py", "README.md", "COPYING")
NOBODY = 65534
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    double sum = 0;
    for (int i = 1; i <= atoi(argv[1]); i++) {
        sum += 1.0 / i;
        printf("%d %.3f\n", i, sum);
        fflush(stdout);
    }
    return 7;
}
"""
TESTS = """\
import pytest


def test_series(machine, guest_cc, cr_cycle):
    machine.spawn(guest_cc("series.c"), "4")
    machine.console.expect("2 1.500\\n")
    cr_cycle()
    assert machine.run() == 7
    assert machine.console.text.endswith("4 2.083\\n")


@pytest.mark.cr_arch("x86_32", "ppc64")
@pytest.mark.cr_every("syscall")
def test_everywhere(machine, guest_cc):
    machine.spawn(guest_cc("series.c"), "3")
    assert machine.run() == 7


@pytest.mark.parametrize("machine", ["mine"])
def test_own_machine(machine):
    assert machine == "mine"
"""


class Venv:
    """A fresh environment in a folder that everybody may read, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user: dict[str, object] = {}
        python = "/usr/bin/python3" if os.geteuid() == 0 else sys.executable
        if os.geteuid() == 0:
            self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        os.chmod(folder, 0o777)
        self.run([python, "-m", "venv", str(folder / "venv")])

    def run(self, command: list[str], **how: object) -> str:
        foreign = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        environment = {name: value for name, value in os.environ.items() if name not in foreign}
        done = subprocess.run(
            command,
            env=environment | {"HOME": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **{"cwd": self.folder, **self.user, **how},  # type: ignore[call-overload]
        )
        assert done.returncode == 0, done.stdout
        return str(done.stdout)

    def python(self, *words: str, **how: object) -> str:
        return self.run([str(self.folder / "venv/bin/python"), *words], **how)


@pytest.fixture(scope="module")
def venv() -> Iterator[Venv]:
    # Not below pytest's own folder: that one only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="cr-wheel-") as folder:
        made = Venv(Path(folder))
        source = made.folder / "source"
        for name in SOURCES:
            ignored = shutil.ignore_patterns("__pycache__", "*.so")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        for name in FILES:
            shutil.copy(ROOT / name, source)
        subprocess.run(["chmod", "-R", "a+rwX", source], check=True)
        made.python("-m", "pip", "wheel", "-q", "--no-deps", "-w", "dist", "./source")
        shutil.rmtree(source)
        (wheel,) = (made.folder / "dist").glob("linux_cr-*.whl")
        made.python("-m", "pip", "install", "-q", f"{wheel}[pytest]")
        yield made


@pytest.fixture
def project(venv: Venv) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cr-project-") as folder:
        os.chmod(folder, 0o777)
        (Path(folder) / "series.c").write_text(PROGRAM)
        (Path(folder) / "test_series.py").write_text(TESTS)
        yield Path(folder)


def test_a_project_outside(venv: Venv, project: Path) -> None:
    where = venv.python("-c", "import cr, emu.accel as a; print(cr.__file__, a.__path__[0])")
    assert str(ROOT) not in where and str(venv.folder) in where
    told = venv.python("-m", "pytest", "--strict-markers", "-W", "error", "-v", cwd=project)
    assert "7 passed" in told, told
    for arch in ("x86_32", "x86_64", "ppc32", "ppc64"):
        assert f"test_series[{arch}] PASSED" in told
    venv.python("-m", "pip", "install", "-q", "pytest-xdist")
    assert "7 passed" in venv.python("-m", "pytest", "--strict-markers", "-n", "2", cwd=project)


def test_the_command_is_whole(venv: Venv, project: Path) -> None:
    """The accelerator, the tables, the runtime of freestanding guests: all of it is there."""
    cr = str(venv.folder / "venv/bin/cr")
    venv.python(
        "-c",
        "from emu.accel import load_accelerator as load; assert load() is not None",
        cwd=project,
    )
    assert "output equals an uninterrupted run's" in venv.run([cr, "demo"], cwd=project)
    venv.run([cr, "build", "series.c", "-a", "ppc32", "-o", "series"], cwd=project)
    assert "0 divergences, 0 refused" in venv.run([cr, "sweep", "series", "2"], cwd=project)
