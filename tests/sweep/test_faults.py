"""Every resource of checkpoint and restart fails once, at every place where it is asked for.

What fails is an error with a sentence, the kernel is as it was, the tasks are unharmed; and what
comes behind the last place succeeds.
"""

from __future__ import annotations

import errno

import pytest

from cr.context import Refused
from cr.image import types as t
from cr.image.errors import ImageError
from cr.syscalls import restart
from guests.stories import ARCHES
from kernel_model.abi.errno import EIO, LinuxError
from kernel_model.dump import dump
from kernel_model.syscalls.dispatch import Replaced
from kernel_model.vfs.openfile import RegularFile
from tests.harness.faults import FAULTS, IN_A_CHECKPOINT, Fault, injected
from tests.harness.hostile import Anvil, at_its_place, names_of, specimen
from tests.properties.test_failing_writes import IMAGE_FD, call, running, without_disk

IN_EVERY_RUN = (
    "files/pipe",
    "files/unlinked",
    "memory/shared_anonymous",
    "memory/shared_file",
    "processes/fork_wait",
    "processes/threads",
)
CASES = [
    pytest.param(
        name, arch, marks=[] if name in IN_EVERY_RUN else [pytest.mark.nightly], id=f"{name}-{arch}"
    )
    for arch in ARCHES
    for name in names_of(arch)
]
by_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@by_fault
@pytest.mark.parametrize(("name", "arch"), CASES)
def test_restart_fails_cleanly(name: str, arch: str, fault: Fault) -> None:
    whole = specimen(name, arch)
    anvil = Anvil(whole)
    place = 0
    while True:
        with injected(fault, place) as state:
            try:
                anvil.kernel.restart(whole.image)
            except ImageError as refused:
                assert refused.sentence
                assert refused.errno in (errno.ENOMEM, errno.EIO), refused
                refusal: ImageError | None = refused
            else:
                refusal = None
        if refusal is None:
            break
        assert state.hit
        anvil.assert_untouched()
        place += 1
    assert place >= fault.least_in_a_restart
    assert not state.hit, f"{fault.name} number {place} failed, and nobody has noticed"
    anvil.close()


@pytest.mark.parametrize("fault", IN_A_CHECKPOINT, ids=lambda fault: fault.name)
@pytest.mark.parametrize(("name", "arch"), CASES)
def test_checkpoint_fails_cleanly(name: str, arch: str, fault: Fault) -> None:
    kernel = at_its_place(name, arch)
    before = dump(kernel)
    expected = kernel.checkpoint()
    place = 0
    while True:
        with injected(fault, place) as state:
            try:
                image = kernel.checkpoint()
            except Refused as refused:
                assert refused.errno in (errno.ENOMEM, errno.EIO), refused
                image = None
        assert dump(kernel) == before
        if image is not None:
            break
        place += 1
    assert image == expected
    assert not state.hit
    assert place >= {"image write": 100, "object table": 15}.get(fault.name, 0)
    kernel.power_off()


@pytest.mark.parametrize("arch", ARCHES)
def test_reading_the_image_fails(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """sys_restart: the n-th read of the descriptor fails, for every n."""
    kernel, task, file = running(arch)
    call(task)
    before = without_disk(kernel)
    free_frames = kernel.ram.free_frames
    read = RegularFile.read
    reads = 0
    place = 0

    def failing(self: RegularFile, count: int) -> bytes:
        nonlocal reads
        reads += 1
        if self is file and reads == place + 1:
            raise EIO("the test has broken the disk")
        return read(self, count)

    monkeypatch.setattr(RegularFile, "read", failing)
    while True:
        file.position = 0
        reads = 0
        try:
            restart.handler(task, task.pid, IMAGE_FD, t.RESTART_TASKSELF, -1)
        except Replaced:
            break
        except LinuxError as error:
            assert error.errno == errno.EIO
            file.seek(0, 0)
            file.position = len(file.inode.read_at(0, file.inode.size))
            assert without_disk(kernel) == before
            assert kernel.ram.free_frames == free_frames
            assert task.call_state is None
        place += 1
    assert place > 20
    kernel.power_off()
