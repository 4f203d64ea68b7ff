"""A story's tree, frozen somewhere on its way, and our init as the one who calls sys_checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from cr.image import types as t
from cr.syscalls import checkpoint
from cr.system import System
from cr.tree import tasks_of
from cr.until import Ended, Until
from guests.stories import find_story
from kernel_model.abi.fcntl import O_CREAT, O_RDWR, O_TRUNC
from kernel_model.dump import dump
from kernel_model.freezer import FreezerCgroup, FreezerState
from kernel_model.task import Task
from kernel_model.vfs.open import open_path
from kernel_model.vfs.openfile import OpenFile
from tests.harness.model import MAX_TIME_NS, start

IMAGE_FD = 9


@dataclass
class FrozenTree:
    """The program's tasks are held still; `caller` has the image open at IMAGE_FD."""

    kernel: System
    caller: Task
    root: Task
    group: FreezerCgroup
    file: OpenFile

    def checkpoint(self) -> int:
        """sys_checkpoint of the tree, into the file. Raises LinuxError."""
        self.file.seek(0, 0)
        flags = t.CHECKPOINT_SUBTREE | t.CHECKPOINT_NETNS
        return checkpoint.handler(self.caller, self.root.pid, IMAGE_FD, flags, -1)

    def image(self) -> bytes:
        """What the file holds up to its position."""
        return self.file.pread(0, self.file.position)

    def state(self) -> object:
        """What must not change: the tree, what is frozen, what is free; not the image file."""
        frozen = [(task.pid, task.frozen, task.state.value) for task in tasks_of(self.root)]
        self.file.seek(0, 0)
        return (
            dump(self.kernel, self.root),
            frozen,
            self.group.state,
            self.caller.call_state,
            self.kernel.sched.order()[1],
        )


def frozen_tree(name: str, arch: str, place: Until) -> FrozenTree:
    """Run a story up to a place and freeze it there."""
    story = find_story(name)
    kernel = start(story, arch, story.builds[0])
    assert kernel.run(place, max_time_ns=MAX_TIME_NS) is Ended.REACHED
    caller, root = kernel.tasks[1], kernel.tasks[2]
    group = kernel.freezer.new_child(b"0")
    for task in tasks_of(root):
        group.attach(task)
    group.set_state(FreezerState.FROZEN.value.encode())
    file = open_path(caller, b"/image", O_RDWR | O_CREAT | O_TRUNC, 0o600)
    caller.files.install_at(IMAGE_FD, file)
    return FrozenTree(kernel, caller, root, group, file)
