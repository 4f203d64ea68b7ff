"""The cgroup freezer: groups of tasks that are held still between two handlers.

A task that belongs to a FROZEN group is not run and not woken; nothing else about it changes, so a
frozen task looks like one that has slept a little longer. While a checkpoint is taken its group is
CHECKPOINTING, and nobody can thaw it.

Mirrors: Linux kernel/cgroup_freezer.c, with linux-cr's state CHECKPOINTING.
Deviates: freezing takes effect at once (FREEZING is passed through within the write), because every
task is between two handlers when another one runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EBUSY, EINVAL, EIO
from kernel_model.task import State

if TYPE_CHECKING:
    from kernel_model.task import Task


class FreezerState(Enum):
    """What freezer.state says."""

    THAWED = "THAWED"
    FREEZING = "FREEZING"
    FROZEN = "FROZEN"
    CHECKPOINTING = "CHECKPOINTING"


class FreezerCgroup:
    """A group of the freezer hierarchy."""

    def __init__(self, name: bytes, parent: FreezerCgroup | None = None) -> None:
        self.name = name
        self.parent = parent
        self.children: dict[bytes, FreezerCgroup] = {}
        self.state = FreezerState.THAWED
        self.tasks: dict[int, Task] = {}
        """By pid; empty in the root group, which holds everybody else."""

    def attach(self, task: Task) -> None:
        """Move a task to this group. A frozen task cannot be moved (EBUSY)."""
        if task.frozen:
            raise EBUSY(f"task {task.pid} is frozen")
        if task.cgroup is not None:
            task.cgroup.tasks.pop(task.pid, None)
        task.cgroup = self if self.parent is not None else None
        if task.cgroup is not None:
            self.tasks[task.pid] = task
            if self.state is not FreezerState.THAWED:
                freeze(task)

    def members(self) -> list[Task]:
        """The tasks that are still alive."""
        return [task for _, task in sorted(self.tasks.items()) if not task.exited]

    def set_state(self, text: bytes) -> None:
        """A write to freezer.state."""
        wanted = text.strip()
        if self.parent is None:
            raise EIO("the root group cannot be frozen")
        if self.state is FreezerState.CHECKPOINTING:
            raise EBUSY("a checkpoint of this group is being taken")
        if wanted == b"FROZEN":
            self.state = FreezerState.FROZEN
            for task in self.members():
                freeze(task)
        elif wanted == b"THAWED":
            self.state = FreezerState.THAWED
            for task in self.members():
                thaw(task)
        else:
            raise EIO(f"{text!r} is no state of the freezer")

    def begin_checkpoint(self) -> None:
        """FROZEN -> CHECKPOINTING."""
        if self.state is not FreezerState.FROZEN:
            raise EBUSY("the freezer group is not FROZEN")
        self.state = FreezerState.CHECKPOINTING

    def end_checkpoint(self) -> None:
        """CHECKPOINTING -> FROZEN."""
        if self.state is FreezerState.CHECKPOINTING:
            self.state = FreezerState.FROZEN

    @property
    def path(self) -> bytes:
        """Its place below the root group, whose path is empty."""
        names: list[bytes] = []
        group = self
        while group.parent is not None:
            names.append(group.name)
            group = group.parent
        return b"".join(b"/" + name for name in reversed(names))

    def walk(self) -> Iterator[FreezerCgroup]:
        """All groups below it, in the order of their paths' names, those above first."""
        to_come = [self]
        while to_come:
            group = to_come.pop()
            if group is not self:
                yield group
            to_come += [child for _, child in sorted(group.children.items(), reverse=True)]

    def below(self, path: bytes) -> FreezerCgroup | None:
        """The group at a path that begins here, with a slash unless it is empty."""
        group: FreezerCgroup | None = self if path[:1] in (b"", b"/") else None
        for name in path.split(b"/")[1:]:
            group = group.children.get(name) if group is not None else None
        return group

    def new_child(self, name: bytes) -> FreezerCgroup:
        """mkdir."""
        self.children[name] = child = FreezerCgroup(name, self)
        return child

    def remove(self) -> None:
        """rmdir: only of a group without tasks and children."""
        if self.parent is None:
            raise EINVAL("the root group stays")
        if self.children or self.members():
            raise EBUSY("the group has tasks or children")
        del self.parent.children[self.name]


def freeze(task: Task) -> None:
    """Hold a task still."""
    task.frozen = True
    task.kernel.sched.leave_queue(task)


def thaw(task: Task) -> None:
    """Let a task go on."""
    task.frozen = False
    if task.state is State.RUNNING:
        task.kernel.sched.enqueue(task)
