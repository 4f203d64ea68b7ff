"""What lies in one another, deeper than a stack of calls: nothing of ours goes by recursion."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cr
from tests.harness.model import cycled, disk_with, program_bytes

SOURCE = Path(__file__).with_name("deep.c")
FRAMES = 180
DEPTH = 200


@pytest.fixture
def shallow_stack() -> Iterator[None]:
    """Python's stack has room for FRAMES more calls than there are."""
    used, frame = 0, sys._getframe()
    while frame is not None:
        used, frame = used + 1, frame.f_back  # type: ignore[assignment]
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(used + FRAMES)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("shallow_stack")
@pytest.mark.parametrize("arch", ["x86_64", "ppc32"])
@pytest.mark.parametrize("what", ["mounts", "directories", "processes", "messages", "groups"])
def test_checkpoint_restart_and_end(arch: str, what: str) -> None:
    disk = disk_with(program_bytes(SOURCE, arch, freestanding=False))
    kernel = cr.boot(arch, disk, memory_bytes=256 << 20)
    kernel.spawn("/bin/program", what, str(DEPTH))
    assert kernel.run(cr.after_time(500_000_000)) is cr.Ended.REACHED
    kernel = cycled(kernel)
    assert kernel.run() is cr.Ended.EXITED
    assert kernel.console.output == b"%d\n" % DEPTH
