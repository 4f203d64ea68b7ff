"""Programs that make system calls at random: the kernel answers, and can be restarted at any time.

Whatever such a program does, no exception of ours ends the run, and a checkpoint is taken and
restarted to an equal kernel, or refused by name.
"""

from pathlib import Path

import pytest

import cr
from cr.context import Refused
from cr.system import Deadlock
from tests.harness.model import cycled, disk_with, program_bytes

SOURCE = Path(__file__).with_name("any_calls.c")
ARCHES = ("x86_32", "x86_64", "ppc32", "ppc64")
CALLS = 200
PREPARED = 60
"""Calls that open the descriptors."""
APART = 23
MOST_NS = 10**9


def restarts(arch: str, seed: int) -> int:
    """Run one such program with a checkpoint every 23 calls; how many could be taken."""
    disk = disk_with(program_bytes(SOURCE, arch, freestanding=False))
    kernel = cr.boot(arch, disk, memory_bytes=64 << 20)
    kernel.spawn("/bin/program", str(seed), str(CALLS))
    count = 0
    try:
        kernel.run(cr.after_syscalls(PREPARED), max_time_ns=MOST_NS)
        for _ in range(3 * CALLS // APART):
            if kernel.run(cr.after_syscalls(APART), max_time_ns=MOST_NS) is not cr.Ended.REACHED:
                break
            try:
                kernel.checkpoint()
            except Refused:
                continue
            kernel = cycled(kernel)
            count += 1
    except Deadlock:
        pass  # it waits for what it alone could do
    kernel.power_off()
    return count


@pytest.mark.parametrize("seed", [2, 4, 36, 65, 167, 1079, 2180, 2274, 2280, 10036, 10366])
@pytest.mark.parametrize("arch", ARCHES)
def test_the_kernel_answers(arch: str, seed: int) -> None:
    restarts(arch, seed)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(10_000, 10_400, 100))
@pytest.mark.parametrize("arch", ARCHES)
def test_the_kernel_answers_for_long(arch: str, first: int) -> None:
    assert sum(restarts(arch, seed) for seed in range(first, first + 100)) > 500
