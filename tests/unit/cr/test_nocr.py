"""A kernel that sets PF_NOCR: one way, inherited, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import cr
from cr.cli.main import cr as command
from cr.context import Refused
from cr.system import System
from cr.until import Ended
from guests.stories import ARCHES, find_story
from guests.toolchain import build
from kernel_model.dump import dump
from tests.harness.model import disk_with, program_bytes

REASON = "an open device was unlinked"


def booted(name: str, arch: str, *, nocr: bool) -> System:
    story = find_story(name)
    program = program_bytes(story.path, arch, story.builds[0] == "freestanding")
    kernel = cr.boot(arch, disk_with(program), memory_bytes=64 << 20, nocr=nocr)
    kernel.spawn("/bin/program")
    return kernel


@pytest.mark.parametrize("arch", ARCHES)
def test_the_mark_stays_and_is_inherited(arch: str) -> None:
    kernel = booted("checkpoint/marked", arch, nocr=True)
    assert kernel.run() is Ended.EXITED
    assert kernel.console.output == b"parent: -16\nchild: -16\n0\n"
    kernel.power_off()


def test_the_mark_has_a_reason_and_init_has_none() -> None:
    kernel = booted("checkpoint/marked", "ppc32", nocr=True)
    assert kernel.run(cr.after_syscalls(5)) is Ended.REACHED
    init, task = kernel.tasks[1], kernel.tasks[2]
    assert (init.nocr, task.nocr) == ("", REASON)
    assert f"never to be checkpointed: {REASON}" in dump(kernel)
    with pytest.raises(Refused, match="PF_NOCR: an open device"):
        kernel.checkpoint()
    kernel.power_off()


def test_it_is_told_in_proc() -> None:
    kernel = booted("checkpoint/asks", "x86_64", nocr=True)
    assert kernel.run() is Ended.EXITED
    *_, closed, said = kernel.console.output.decode().splitlines()
    assert (closed, said) == ("files: 1", "the call says: -16")
    kernel.power_off()


def test_no_other_kernel_marks() -> None:
    kernel = booted("checkpoint/marked", "x86_64", nocr=False)
    assert kernel.run(cr.after_syscalls(5)) is Ended.REACHED
    assert not any(task.nocr for task in kernel.tasks.values())
    kernel.checkpoint()
    kernel.power_off()


def test_the_option(tmp_path: Path) -> None:
    program = build(find_story("checkpoint/marked").path, "x86_32", tmp_path / "marked", True)
    place = ["--checkpoint-after", "6syscalls", "-o", str(tmp_path / "image"), str(program)]
    done = CliRunner().invoke(command, ["run", "--nocr", *place])
    assert done.exit_code == 3 and f"PF_NOCR: {REASON}" in done.stderr
    assert CliRunner().invoke(command, ["run", *place]).exit_code == 0
