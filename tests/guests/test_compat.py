"""32-bit programs on 64-bit kernels, restarted: what the original left as planned."""

from __future__ import annotations

import pytest

import cr
from cr.system import System
from cr.until import Ended
from guests.stories import ENVIRONMENT, find_story
from kernel_model.dump import dump
from tests.harness.model import MEMORY_BYTES, disk_with, program_bytes

KERNELS = {"x86_64": "x86_32", "ppc64": "ppc32"}
STORIES = (
    "basics/counter",
    "cpu/float_series",
    "processes/fork_wait",
    "processes/threads",
    "signals/nested",
    "time/sleep_interrupted",
)
STEP_CALLS = 3


def _cycle(kernel: System) -> System:
    image = kernel.checkpoint()
    before = dump(kernel)
    kernel = kernel.reboot()
    kernel.restart(image)
    assert dump(kernel) == before
    return kernel


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("kernel_arch", KERNELS)
def test_a_32_bit_program_on_a_64_bit_kernel(kernel_arch: str, name: str) -> None:
    story = find_story(name)
    freestanding = "freestanding" in story.builds
    program = program_bytes(story.path, KERNELS[kernel_arch], freestanding)
    kernel = cr.boot(kernel_arch, disk_with(program), memory_bytes=MEMORY_BYTES)
    kernel.spawn("/bin/program", *story.args, env=ENVIRONMENT)
    console = b""
    cycles = 0
    while kernel.run(cr.after_syscalls(STEP_CALLS)) is not Ended.EXITED:
        console += kernel.console.output
        kernel = _cycle(kernel)
        cycles += 1
    assert cycles >= 3
    assert story.agrees((console + kernel.console.output).decode("latin-1"))
    assert not kernel.trace.not_modelled
    kernel.power_off()
