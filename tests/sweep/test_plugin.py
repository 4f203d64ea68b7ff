"""The pytest plugin in a project that is not ours: its own C program, its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    for (int i = 1; i <= atoi(argv[1]); i++) {
        printf("%d\n", i);
        fflush(stdout);
    }
    return 7;
}
"""
TESTS = """
import pytest

@pytest.mark.cr_arch("x86_64", "ppc32")
def test_counter(machine, guest_cc, cr_cycle):
    machine.spawn(guest_cc("counter.c"), "4")
    machine.console.expect("2\\n")
    cr_cycle()
    assert machine.run() == 7
    assert machine.console.text == "1\\n2\\n3\\n4\\n"

@pytest.mark.cr_arch("x86_32")
@pytest.mark.cr_every("syscall")
def test_everywhere(machine, guest_cc):
    machine.spawn(guest_cc("counter.c"), "3")
    assert machine.run() == 7

@pytest.mark.cr_arch("ppc64")
def test_image(machine, guest_cc, cr_cycle, image_snapshot):
    machine.spawn(guest_cc("counter.c"), "3")
    machine.console.expect("1\\n")
    cr_cycle()
    image_snapshot(machine.image, "counter")
"""
WRONG = """
import pytest

@pytest.mark.cr_arch("x86_64")
def test_wrong(machine, guest_cc, cr_cycle):
    machine.spawn(guest_cc("counter.c"), "3")
    machine.console.expect("2\\n")
    cr_cycle()
    machine.console.expect("nine")
"""


def run(folder: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:linux_cr", "-p", "cr.testing.plugin"]
    done = subprocess.run(
        [*command, "--strict-markers", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "counter.c").write_text(PROGRAM)
    (tmp_path / "test_counter.py").write_text(TESTS)
    return tmp_path


@pytest.mark.slow
def test_a_project_outside(project: Path) -> None:
    status, told = run(project)
    assert status == 1 and "3 passed, 1 failed" in told.replace(
        "1 failed, 3 passed", ("3 passed, 1 failed")
    ), told
    assert "--cr-update-images writes it" in told
    status, told = run(project, "--cr-update-images")
    assert status == 0, told
    assert "task 2 'counter'" in (project / "images" / "counter.txt").read_text()
    status, told = run(project, "-n", "2", "--cr-seed", "5")
    assert "3 passed" in told, told


@pytest.mark.slow
def test_a_failure_tells_how_to_repeat_it(project: Path) -> None:
    (project / "test_counter.py").write_text(WRONG)
    status, told = run(project, "--cr-seed", "3", "--cr-keep-images", "kept")
    assert status == 1
    assert "'nine' was never written" in told
    assert "seed 3" in told
    assert "repeat: pytest 'test_counter.py::test_wrong[x86_64]' --cr-seed 3" in told
    assert len(list((project / "kept").glob("*.img"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ("cr_arch('arm')", "cr_arch: 'arm' is none of x86_32, x86_64, ppc32, ppc64"),
        ("cr_arch(['ppc32'])", "cr_arch: ['ppc32'] is none of x86_32, x86_64, ppc32, ppc64"),
        ("cr_arch(name='ppc32')", "cr_arch takes names of arches, and nothing else"),
        ("cr_every('now')", "cr_every: 'now' is none of syscall, syscall:N, block:N, time:40us"),
        ("cr_every()", "cr_every takes one place, such as 'syscall', and nothing else"),
    ],
)
def test_a_wrong_marker(project: Path, marker: str, sentence: str) -> None:
    text = f"import pytest\n@pytest.mark.{marker}\ndef test_it(machine): pass\n"
    (project / "test_counter.py").write_text(text)
    status, told = run(project)
    assert status == pytest.ExitCode.INTERRUPTED
    assert sentence in told and "Traceback" not in told and "plugin.py" not in told, told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--cr-every=now", "--cr-every: 'now' is none of syscall, syscall:N, block:N, time:40us"),
        ("--cr-seed=-1", "--cr-seed: -1 is not from 0 to 2**64 - 1"),
    ],
)
def test_a_wrong_option(project: Path, option: str, sentence: str) -> None:
    assert run(project, option) == (pytest.ExitCode.USAGE_ERROR, f"ERROR: {sentence}\n\n")
