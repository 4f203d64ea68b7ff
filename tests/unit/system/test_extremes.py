"""What a program sets to the furthest that the kernel takes, an image holds and a restart takes.

Or it is refused by name: two records of linux-cr are narrower than what a program may set.
"""

from pathlib import Path

import pytest

import cr
from cr.context import Refused
from cr.system import System
from tests.harness.model import disk_with, heard, program_bytes

SOURCE = Path(__file__).with_name("extremes.c")
ARCHES = ("x86_32", "x86_64", "ppc32", "ppc64")
TOPICS = ("sockets", "signals", "files", "mounts", "memory", "ipc", "task", "terminals")


def start(arch: str, what: str) -> System:
    disk = disk_with(program_bytes(SOURCE, arch, freestanding=False))
    kernel = cr.boot(arch, disk, memory_bytes=64 << 20)
    kernel.spawn("/bin/program", what)
    return kernel


def without_restart(arch: str, what: str) -> tuple[bytes, int]:
    kernel = start(arch, what)
    assert kernel.run() is cr.Ended.EXITED
    return kernel.console.output, max(task.exit_status for task in kernel.tasks.values())


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("what", TOPICS)
def test_the_furthest_that_can_be_set_is_restarted(arch: str, what: str) -> None:
    said, status = without_restart(arch, what)
    assert status == 0, said
    assert heard(start(arch, what)) == said


@pytest.mark.parametrize("arch", ["x86_64", "ppc64"])
@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("wide-poll", "signal 45 is queued with more"),
        ("wide-stack", "alternate signal stack of more"),
    ],
)
def test_what_a_record_has_no_room_for_is_refused(arch: str, what: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        heard(start(arch, what))
