"""Checkpoint and restart of the tree: which tasks there are, and their numbers.

Image grammar:

    pids  =  PIDS  BUFFER { PidNumbers }
    tree  =  TREE  BUFFER { TaskPids }

Mirrors:  linux-cr checkpoint/checkpoint.c -- checkpoint_tree, tree_count_tasks;
          checkpoint/restart.c -- restore_tree; the pid objects of January 2011.
Not modelled: nested pid namespaces (depth is 0).
"""

from __future__ import annotations

from dataclasses import dataclass

from cr.context import Checkpoint, Restart
from cr.image import tree as image
from cr.image import types as t
from emu.layout import LayoutError
from kernel_model.task import Task

MAX_TASKS = 32768
MAX_PID = 1 << 22


@dataclass(frozen=True)
class Identity:
    """The numbers of one task of an image."""

    pid: int
    ppid: int
    tgid: int
    pgid: int
    sid: int


def tasks_of(root: Task) -> list[Task]:
    """A task and its descendants, depth first: the leader, its threads, then children."""
    found = [root]
    if root.is_leader:
        found += [thread for thread in root.signal.threads if thread is not root]
    for child in root.children:
        found += tasks_of(child)
    return found


def checkpoint_tree(ctx: Checkpoint, tasks: list[Task]) -> None:
    """Write the pid objects, and each task's numbers."""
    for task in tasks:
        for number in (task.pid, task.tgid, task.signal.pgid, task.signal.sid):
            if number and number not in ctx.pids:
                ctx.pids[number] = ctx.objs.reserve()
    offset = next(iter(ctx.pids.values()))
    ctx.image.write(t.HDR_PIDS, image.Pids(nr_pids=len(ctx.pids), nr_vpids=0, offset=offset))
    numbers = [image.PidNumbers(depth=0, numbers=(number,)) for number in ctx.pids]
    ctx.image.write_records(numbers)
    ctx.image.write(t.HDR_TREE, image.Tree(nr_tasks=len(tasks)))
    root = tasks[0]
    records = [
        image.TaskPids(
            vpid=ctx.pids[task.pid],
            vppid=0 if task is root or task.parent is None else task.parent.tgid,
            vtgid=ctx.pids[task.tgid],
            vpgid=ctx.pids.get(task.signal.pgid, t.PID_NULL),
            vsid=ctx.pids.get(task.signal.sid, t.PID_NULL),
            depth=0,
        )
        for task in tasks
    ]
    ctx.image.write_records(records)


def restore_tree(ctx: Restart) -> list[Identity]:
    """Read who is in the image."""
    pids = ctx.image.read(t.HDR_PIDS, image.Pids)
    payload = ctx.image.read_view(t.HDR_BUFFER)
    if pids.nr_pids > 4 * MAX_TASKS:
        ctx.refuse(f"{pids.nr_pids} pids")
    try:
        entries = list(image.unpack_pid_numbers(payload, pids.nr_pids, ctx.image.order))
    except LayoutError as error:
        ctx.refuse(str(error))
    for position, entry in enumerate(entries):
        if entry.depth:
            ctx.refuse("nested pid namespaces are not modelled")
        if not 0 < entry.numbers[0] <= MAX_PID:
            ctx.refuse(f"there is no pid {entry.numbers[0]}")
        ctx.pid_numbers[pids.offset + position] = entry.numbers[0]
    tree = ctx.image.read(t.HDR_TREE, image.Tree)
    if tree.nr_tasks > MAX_TASKS:
        ctx.refuse(f"{tree.nr_tasks} tasks")
    records = ctx.image.read_records(image.TaskPids, tree.nr_tasks)
    identities = [_identity(ctx, record) for record in records]
    if len({identity.pid for identity in identities}) != len(identities):
        ctx.refuse("two tasks with the same pid")
    return identities


def _identity(ctx: Restart, record: image.TaskPids) -> Identity:
    if record.depth:
        ctx.refuse("nested pid namespaces are not modelled")

    def number(objref: int) -> int:
        if objref in (t.PID_NULL, t.PID_ROOT):
            return 0
        if objref not in ctx.pid_numbers:
            ctx.refuse(f"there is no pid object {objref}")
        return ctx.pid_numbers[objref]

    return Identity(
        number(record.vpid),
        record.vppid,
        number(record.vtgid),
        number(record.vpgid),
        number(record.vsid),
    )
