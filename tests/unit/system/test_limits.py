"""A guest that wants everything: an errno inside, a clear end outside, the host unharmed."""

from __future__ import annotations

from pathlib import Path

import pytest

import cr
from cr.system import System
from kernel_model.vfs.disk import Disk
from tests.harness.model import disk_with, program_bytes

SOURCE = Path(__file__).with_name("greedy.c")
TASKS, FILES, MAPPINGS, DISK, MEMORY, COPIES = "012345"
MEMORY_BYTES = 16 << 20


def page_table_nodes(kernel: System) -> int:
    """How many are in use."""
    tables = kernel.machine.tables
    return tables._next - len(tables._free)


def want(arch: str, what: str) -> tuple[int, str]:
    """(exit status, console) of a guest in 16 MB of memory."""
    disk: Disk = disk_with(program_bytes(SOURCE, arch, freestanding=False))
    kernel = cr.boot(arch, disk, memory_bytes=MEMORY_BYTES)
    nodes = page_table_nodes(kernel)
    task = kernel.spawn("/bin/program", what)
    assert kernel.run() is cr.Ended.EXITED
    assert page_table_nodes(kernel) == nodes, "all that was taken is given back"
    return task.exit_status, kernel.console.output.decode()


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["x86_64", "ppc32"])
@pytest.mark.parametrize(
    ("what", "least", "most", "errno"),
    [
        (TASKS, 500, 4096, "Out of memory"),
        (FILES, 1021, 1021, "No file descriptors available"),
        (MAPPINGS, 65_000, 65_530, "Out of memory"),
        (DISK, 1000, 1024, "No space left on device"),
    ],
)
def test_an_errno_says_that_it_is_enough(
    arch: str, what: str, least: int, most: int, errno: str
) -> None:
    status, console = want(arch, what)
    count, _, sentence = console.strip().partition(": ")
    assert status == 0
    assert least <= int(count) <= most
    assert sentence == errno


@pytest.mark.parametrize("arch", ["x86_64", "ppc32"])
@pytest.mark.parametrize("what", [MEMORY, COPIES])
def test_memory_that_was_promised_and_is_not_there_kills(arch: str, what: str) -> None:
    assert want(arch, what) == (128 + 9, "")
