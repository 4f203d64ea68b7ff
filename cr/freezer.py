"""Checkpoint and restart of the groups of the freezer, with a whole machine.

Image grammar:

    { FREEZER_GROUP }                   ; behind the pid namespaces: each after the one it is in

Only the image of a whole machine has them. What sys_checkpoint saves are the tasks of one frozen
group, and they are not frozen when they are restarted.

Mirrors:  nothing: linux-cr leaves groups to user space.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from kernel_model.abi.fcntl import NAME_MAX
from kernel_model.freezer import FreezerCgroup, FreezerState
from kernel_model.task import Task


@dataclass(frozen=True)
class RestoredGroup:
    """A group that was made again, and who is in it."""

    group: FreezerCgroup
    frozen: bool
    members: tuple[int, ...]


def checkpoint_freezer(ctx: Checkpoint) -> None:
    """Write all groups, if the whole machine is written."""
    if ctx.caller is not None:
        return
    for group in ctx.kernel.freezer.walk():
        path = group.path
        members = [ctx.pid_ns.number_of(task.pid) for task in group.members()]
        content = path + struct.pack(f"{ctx.image.order}{len(members)}i", *members)
        frozen = int(group.state is not FreezerState.THAWED)
        record = ours.FreezerGroup(frozen=frozen, name_bytes=len(path), content=content)
        ctx.image.write(t.HDR_FREEZER_GROUP, record)


def restore_freezer(ctx: Restart) -> list[RestoredGroup]:
    """Make the groups again; they are gone again if the restart fails."""
    restored: list[RestoredGroup] = []
    while ctx.image.peek() == t.HDR_FREEZER_GROUP:
        record = ctx.image.read(t.HDR_FREEZER_GROUP, ours.FreezerGroup)
        path, rest = record.content[: record.name_bytes], record.content[record.name_bytes :]
        members = struct.unpack(f"{ctx.image.order}{len(rest) // 4}i", rest)
        group = _make_group(ctx, path)
        restored.append(RestoredGroup(group, bool(record.frozen), members))
    numbers = [number for each in restored for number in each.members]
    if len(set(numbers)) != len(numbers):
        ctx.refuse("a task is in two groups of the freezer")
    return restored


def _make_group(ctx: Restart, path: bytes) -> FreezerCgroup:
    above, _, name = path.rpartition(b"/")
    parent = ctx.kernel.freezer.below(above) if path.startswith(b"/") else None
    if parent is None or not 0 < len(name) <= NAME_MAX or name in (b".", b".."):
        ctx.refuse(f"{path!r} is no group of the freezer that can be made")
    if name in parent.children:
        ctx.refuse(f"the freezer has a group {path!r} already")
    group, home = parent.new_child(name), parent

    def remove() -> None:
        if not ctx.committed:
            del home.children[name]

    ctx.at_end.append(remove)
    return group


def install_groups(groups: list[RestoredGroup], tasks: dict[int, Task]) -> None:
    """Commit: everybody is in his group again, and held if he was."""
    for each in groups:
        if each.frozen:
            each.group.state = FreezerState.FROZEN
        for number in each.members:
            task = tasks.get(number)
            if task is not None and not task.exited:
                task.cgroup = each.group
                each.group.tasks[task.pid] = task
                task.frozen = each.frozen
