"""Law 4: wherever the descriptor of sys_checkpoint fails, there is an error and nothing changed."""

from __future__ import annotations

import pytest

import cr
from cr.image import types as t
from cr.syscalls import checkpoint, restart
from cr.system import System
from cr.until import Ended
from guests.stories import ARCHES, find_story
from kernel_model.abi.errno import ENOSPC, LinuxError
from kernel_model.abi.fcntl import O_CREAT, O_RDWR, O_TRUNC
from kernel_model.dump import dump
from kernel_model.syscalls.dispatch import Replaced
from kernel_model.task import Task
from kernel_model.vfs.open import open_path
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep
from tests.harness.model import start

IMAGE_FD = 9


def running(arch: str) -> tuple[System, Task, OpenFile]:
    kernel = start(find_story("signals/queue"), arch, "freestanding")
    assert kernel.run(cr.after_syscalls(12)) is Ended.REACHED
    task = kernel.tasks[2]
    file = open_path(task, b"/image", O_RDWR | O_CREAT | O_TRUNC, 0o600)
    task.files.install_at(IMAGE_FD, file)
    return kernel, task, file


def call(task: Task) -> int:
    return checkpoint.handler(task, 0, IMAGE_FD, t.CHECKPOINT_SUBTREE, -1)


def without_disk(kernel: System) -> str:
    """What tasks are: the image file grows, and that is no matter."""
    return dump(kernel, kernel.tasks[2])


@pytest.mark.parametrize("arch", ARCHES)
def test_fails_at_every_byte(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, task, file = running(arch)
    assert call(task) == 1
    size = file.position
    written = file.write
    room = 0

    def write(data: bytes) -> int:
        nonlocal room
        if not room:
            raise ENOSPC("the test's disk is full")
        count = min(room, len(data))
        room -= count
        return written(data[:count])

    monkeypatch.setattr(file, "write", write)
    for limit in [*range(0, 200), *range(200, size, 97), size - 1]:
        file.seek(0, 0)
        room = limit
        before = without_disk(kernel)
        with pytest.raises(ENOSPC):
            call(task)
        assert task.call_state is None
        file.seek(0, 0)
        assert without_disk(kernel) == before
    room = size
    assert call(task) == 2
    kernel.power_off()


@pytest.mark.parametrize("arch", ARCHES)
def test_sleeps_anywhere_and_goes_on(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A descriptor that takes 100 bytes at a time, and then none: the same image in the end."""
    kernel, task, file = running(arch)
    before = without_disk(kernel)
    assert call(task) == 1
    whole = file.pread(0, file.position)
    file.seek(0, 0)
    written = file.write
    turns = 0

    def write(data: bytes) -> int:
        nonlocal turns
        turns += 1
        if turns % 2:
            raise Sleep()
        return written(data[:100])

    monkeypatch.setattr(file, "write", write)
    sleeps = 0
    while True:
        try:
            result = call(task)
            break
        except Sleep:
            sleeps += 1
    assert (result, sleeps) == (2, -(-len(whole) // 100))
    assert file.pread(0, file.position) == whole
    file.seek(0, 0)
    assert without_disk(kernel) == before
    kernel.power_off()


@pytest.mark.parametrize("arch", ARCHES)
def test_restart_of_what_was_cut_leaves_the_caller(arch: str) -> None:
    """sys_restart of an image that ends too early, or is damaged, changes nothing."""
    kernel, task, file = running(arch)
    call(task)
    whole = file.pread(0, file.position)
    file.seek(0, 0)
    before = without_disk(kernel)
    free_frames = kernel.ram.free_frames
    for size in range(0, len(whole), 211):
        file.inode.truncate(size)
        file.seek(0, 0)
        with pytest.raises(LinuxError):
            restart.handler(task, task.pid, IMAGE_FD, t.RESTART_TASKSELF, -1)
        file.inode.truncate(0)
        file.pwrite(0, whole)
        file.seek(0, 0)
        assert without_disk(kernel) == before
        assert kernel.ram.free_frames == free_frames
    with pytest.raises(Replaced):
        restart.handler(task, task.pid, IMAGE_FD, t.RESTART_TASKSELF, -1)
    kernel.power_off()
