"""Every small world of two tasks and two pipes: who holds which ends, at which descriptors.

Each of the four ends is held by the parent, by the child, by both (one open file, shared), or by
nobody; and bytes are in the pipes. Checkpointed and
restarted: the dumps are equal, a second image is the same, and what anybody can read, write or poll
is the same as in the kernel that was never restarted.
"""

from __future__ import annotations

from itertools import product

import pytest

from cr.system import System
from guests.stories import ARCHES
from kernel_model.abi.errno import LinuxError
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.dump import dump
from kernel_model.pipe import PipeEnd, new_pipe
from kernel_model.signals import SIGCHLD
from kernel_model.task import Task
from kernel_model.waitqueue import Sleep
from tests.harness.tiny_tasks import pausing

NOBODY, PARENT, CHILD, BOTH = "nobody", "parent", "child", "both"
HOLDERS = (NOBODY, PARENT, CHILD, BOTH)
ENDS = 4
FIRST_FD = 3
TEXTS = ((b"", b""), (b"first", b""), (b"x" * 4097, b"second"))
"""What is in the two pipes; more than a page of it, too."""
World = tuple[str, ...]


def worlds() -> list[World]:
    """For the read and the write end of each pipe, who holds it."""
    return list(product(HOLDERS, repeat=ENDS))


def build(kernel: System, parent: Task, world: World, texts: tuple[bytes, bytes]) -> None:
    for number, text in enumerate(texts):
        reader, writer = new_pipe(kernel.vfs.pipefs, 0, 0)
        for offset, end in enumerate((reader, writer)):
            parent.files.install_at(FIRST_FD + 2 * number + offset, end)
        if text:
            writer.write(text)
    child = copy_process(parent, CloneArgs(SIGCHLD))
    for number, holder in enumerate(world):
        for task, name in ((parent, PARENT), (child, CHILD)):
            if holder not in (name, BOTH):
                task.files.close(FIRST_FD + number)


def seen(kernel: System) -> list[object]:
    """All that anybody can see of the pipes, found out in a fixed order."""
    found: list[object] = []
    for pid, task in sorted(kernel.tasks.items()):
        for fd, file in sorted(task.files.items()):
            if fd < FIRST_FD:
                continue
            assert isinstance(file, PipeEnd)
            found.append((pid, fd, file.poll(), file.users, file.pipe.readers, file.pipe.writers))
            found.append(attempt(file))
    return found


def attempt(file: PipeEnd) -> object:
    try:
        return file.read(5) if file.may_read else file.write(b"z")
    except Sleep:
        return "it would sleep"
    except LinuxError as error:
        return error.name


def survives(arch: str, world: World, texts: tuple[bytes, bytes]) -> None:
    kernel, parent = pausing(arch)
    build(kernel, parent, world, texts)
    image = kernel.checkpoint()
    before = dump(kernel)
    expected = seen(kernel)
    kernel = kernel.reboot()
    kernel.restart(image)
    assert dump(kernel) == before, (world, texts)
    assert kernel.checkpoint() == image, (world, texts)
    assert seen(kernel) == expected, (world, texts)
    kernel.power_off()


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHES)
def test_every_world(arch: str) -> None:
    """Each with one of the texts; every fourth on each arch, and all of them together."""
    for number, world in enumerate(worlds()):
        if number % len(ARCHES) == ARCHES.index(arch):
            survives(arch, world, TEXTS[number % len(TEXTS)])


@pytest.mark.nightly
@pytest.mark.parametrize("arch", ARCHES)
def test_every_world_with_all_texts(arch: str) -> None:
    for world, texts in product(worlds(), TEXTS):
        survives(arch, world, texts)
