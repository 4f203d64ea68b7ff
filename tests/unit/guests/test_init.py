"""The first process: the programs in the package are what the tool chain makes of their source."""

from pathlib import Path

import pytest

import cr
from guests.stories import ARCHES, find_story
from guests.toolchain import build
from kernel_model import init
from kernel_model.signals import SIGKILL, SIGTERM
from tests.harness.model import MEMORY_BYTES, disk_with, program_bytes

SOURCE = Path(__file__).parents[3] / "guests" / "tools" / "init.c"


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHES)
def test_it_can_be_built_again(arch: str, tmp_path: Path) -> None:
    made = build(SOURCE, arch, tmp_path / "init", freestanding=True)
    assert made.read_bytes() == init.program(arch)


@pytest.mark.parametrize("as_init", [False, True])
def test_who_is_the_first_process(as_init: bool) -> None:
    """As the first process a program is not killed by its own signals, and ends everybody."""
    story = find_story("process/identity")
    program = program_bytes(story.path, "x86_64", freestanding=True)
    kernel = cr.boot("x86_64", disk_with(program), memory_bytes=MEMORY_BYTES)
    task = kernel.spawn("/bin/program", as_init=as_init)
    assert (task.pid, task.parent is None) == ((1, True) if as_init else (2, False))
    assert task.immune(SIGTERM) is as_init and not task.immune(SIGKILL)
    assert (kernel.own_init is None) is as_init
    kernel.run(cr.after_syscalls(1))
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    root = kernel.restart(image)
    assert kernel.pid_ns.init is root
    assert (kernel.own_init is root) is not as_init
