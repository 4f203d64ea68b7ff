"""Leak detection: whatever counts its users is named when somebody outside uses it, too."""

from __future__ import annotations

import pytest

import cr
from cr.checkpoint import checkpoint_tasks
from cr.collect import check_contained, check_visited
from cr.context import Checkpoint, Refused
from cr.image.types import CHECKPOINT_NETNS
from cr.system import System
from guests.stories import ARCHES
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.mm.backing import SharedMemory
from kernel_model.signals import SIGCHLD
from kernel_model.task import Task
from tests.harness.frozen_trees import frozen_tree
from tests.harness.tiny_tasks import pausing

CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_SYSVSEM = 0x100, 0x200, 0x400, 0x800, 0x40000
each_arch = pytest.mark.parametrize("arch", ARCHES)


def verdict(kernel: System, tasks: list[Task]) -> str:
    """Why these tasks are no container; "" if they are one."""
    ctx = Checkpoint(kernel, [], kernel.vfs.root, pure=False, caller=None)
    try:
        check_contained(ctx, tasks)
    except Refused as refused:
        assert refused.errno == 16
        return refused.sentence
    return ""


@each_arch
@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        (CLONE_VM, "address space"),
        (CLONE_FS, "fs struct"),
        (CLONE_FILES, "file table"),
        (CLONE_SYSVSEM, "list of semaphore undos"),
    ],
)
def test_a_shared_object(flags: int, kind: str, arch: str) -> None:
    kernel, parent = pausing(arch)
    for fd, _ in list(parent.files.items()):
        parent.files.close(fd)
    child = copy_process(parent, CloneArgs(SIGCHLD | flags))
    assert verdict(kernel, [parent, child]) == ""
    if not flags & CLONE_VM:
        give_up_memory(child)  # it maps its parent's program, which would be told first
    told = verdict(kernel, [child])
    assert told.startswith(f"Usage leak (2 != 1): {kind}"), told
    child.exit_group(0)
    assert verdict(kernel, [parent]) == ""
    kernel.power_off()


def give_up_memory(task: Task) -> None:
    assert task.mm is not None
    task.mm.drop()
    task.mm = None


@each_arch
def test_handlers(arch: str) -> None:
    """They come with the memory; it is told first unless it has been given up."""
    kernel, parent = pausing(arch)
    for fd, _ in list(parent.files.items()):
        parent.files.close(fd)
    child = copy_process(parent, CloneArgs(SIGCHLD | CLONE_VM | CLONE_SIGHAND))
    assert verdict(kernel, [parent, child]) == ""
    give_up_memory(parent)
    give_up_memory(child)
    told = verdict(kernel, [child])
    assert told.startswith("Usage leak (2 != 1): table of signal handlers")
    kernel.power_off()


@each_arch
def test_shared_memory(arch: str) -> None:
    """Its users are mappings: of one task alone they are its own, of a child's they are a leak."""
    tree = frozen_tree("memory/shared_anonymous", arch, cr.after_syscalls(8))
    root = tree.root
    assert verdict(tree.kernel, [root]) == ""
    (memory,) = {vma.backing for vma in root.mm.vmas if isinstance(vma.backing, SharedMemory)}
    memory.add_mapping(tree.caller.mm)
    told = verdict(tree.kernel, [root])
    assert "shared memory SharedMemory is also used outside" in told
    tree.kernel.power_off()


@each_arch
def test_an_open_file_and_a_terminal(arch: str) -> None:
    tree = frozen_tree("terminals/watching", arch, cr.after_syscalls(30))
    tasks = [task for task in tree.kernel.tasks.values() if task is not tree.caller]
    assert verdict(tree.kernel, tasks) == ""
    fd, file = next((fd, f) for fd, f in tree.root.files.items() if type(f).__name__ == "TtyFile")
    tree.caller.files.install_at(40 + fd, file.grab())
    assert "open file" in verdict(tree.kernel, tasks)
    tree.kernel.power_off()


@each_arch
def test_what_was_collected_is_in_the_image_and_nothing_else(arch: str) -> None:
    kernel, task = pausing(arch)
    other, _ = pausing(arch)
    ctx = Checkpoint(kernel, [], kernel.vfs.root, pure=False, caller=None)
    found = check_contained(ctx, [task])
    checkpoint_tasks(ctx, [task], CHECKPOINT_NETNS)
    check_visited(ctx, found)
    found.files[other.tasks[1].files.get(0)] = 1
    with pytest.raises(Refused, match="Leak: not visited: open file console"):
        check_visited(ctx, found)
    found = check_contained(ctx, [task])
    del found.directories[task.fs]
    with pytest.raises(Refused, match="Leak: reverse unknown: FsStruct") as refused:
        check_visited(ctx, found)
    assert refused.value.errno == 16
    kernel.power_off()
    other.power_off()
