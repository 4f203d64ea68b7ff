"""Checkpoint and restart of the tree: which tasks there are, and their numbers.

Image grammar:

    pids  =  PIDS  BUFFER { PidNumbers }
    tree  =  TREE  BUFFER { TaskPids }
    [ PID_NAMESPACE ]...                ; ours: of nested ones, the number that comes next

Numbers are those of the root's pid namespace and of the namespaces below it. A task that lies one
namespace deeper than its parent is the init of that namespace, so the tree says which namespaces
there are.

Mirrors:  linux-cr checkpoint/checkpoint.c -- checkpoint_tree, tree_count_tasks;
          checkpoint/restart.c -- restore_tree; the pid objects of January 2011.
Deviates: the number that a nested namespace gives next is kept (the original began again behind
          the highest one).
"""

from __future__ import annotations

from dataclasses import dataclass

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import tree as image
from cr.image import types as t
from emu.layout import LayoutError
from kernel_model.pids import PID_MAX, PidNamespace
from kernel_model.task import Task

MAX_TASKS = 32768
Numbers = tuple[int, ...]
"""One pid: its number in the root's namespace, and in those below that know it."""
_NOBODY: Numbers = (0,)


@dataclass(frozen=True)
class Identity:
    """The numbers of one task of an image, in the root's pid namespace and below."""

    numbers: Numbers
    ppid: int
    process: Numbers
    group: Numbers
    session: Numbers

    @property
    def pid(self) -> int:
        """Its number in the root's namespace."""
        return self.numbers[0]

    @property
    def tgid(self) -> int:
        """The number of its process."""
        return self.process[0]

    @property
    def pgid(self) -> int:
        """The number of its process group; 0: it lies outside."""
        return self.group[0]

    @property
    def sid(self) -> int:
        """The number of its session; 0: it lies outside."""
        return self.session[0]

    @property
    def depth(self) -> int:
        """How many pid namespaces below the root's it lives."""
        return len(self.numbers) - 1


def tasks_of(root: Task) -> list[Task]:
    """A task and its descendants, depth first: the leader, its threads, then children."""
    found: list[Task] = []
    to_come = [root]  # not by recursion: a line of descendants may be longer than Python's stack
    while to_come:
        task = to_come.pop()
        found.append(task)
        if task.is_leader:
            found += [thread for thread in task.signal.threads if thread is not task]
        to_come += reversed(task.children)
    return found


# ---- checkpoint


def _namespaces(tasks: list[Task]) -> list[PidNamespace]:
    """The root's pid namespace and those below it, the outer ones first."""
    top = tasks[0].pid_ns
    found = [top]
    for task in tasks:
        found += [one for one in task.pid_ns.lineage()[top.level :] if one not in found]
    return found


def checkpoint_tree(ctx: Checkpoint, tasks: list[Task]) -> None:
    """Write the pid objects, and each task's numbers."""
    namespaces = _namespaces(tasks)
    top = ctx.pid_ns = namespaces[0]
    for task in tasks:
        for pid in (task.pid, task.tgid, task.signal.pgid, task.signal.sid):
            if top.number_of(pid) and pid not in ctx.pids:
                ctx.pids[pid] = ctx.objs.reserve()
    offset = next(iter(ctx.pids.values()))
    entries = []
    for pid in ctx.pids:
        known = tuple(number for one in namespaces if (number := one.number_of(pid)))
        entries.append(image.PidNumbers(depth=len(known) - 1, numbers=known))
    deeper = sum(entry.depth for entry in entries)
    record = image.Pids(nr_pids=len(entries), nr_vpids=deeper, offset=offset)
    ctx.image.write(t.HDR_PIDS, record)
    ctx.image.write_records(entries)
    ctx.image.write(t.HDR_TREE, image.Tree(nr_tasks=len(tasks)))
    ctx.image.write_records([_task_pids(ctx, task, tasks[0]) for task in tasks])


def _task_pids(ctx: Checkpoint, task: Task, root: Task) -> image.TaskPids:
    return image.TaskPids(
        vpid=ctx.pids[task.pid],
        vppid=0 if task is root or task.parent is None else ctx.pids.get(task.parent.tgid, 0),
        vtgid=ctx.pids[task.tgid],
        vpgid=ctx.pids.get(task.signal.pgid, 0),
        vsid=ctx.pids.get(task.signal.sid, 0),
        depth=task.pid_ns.level - root.pid_ns.level,
    )


def checkpoint_namespaces(ctx: Checkpoint, tasks: list[Task]) -> None:
    """Write which number each nested pid namespace gives next."""
    namespaces = _namespaces(tasks)
    for one in namespaces[1:]:
        init = namespaces[0].number_of(one.find(1))
        if init:
            record = ours.PidNamespace(init=init, next_number=one.next_number)
            ctx.image.write(t.HDR_PID_NAMESPACE, record)


# ---- restart


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
        for number in entry.numbers:
            if not 0 < number < PID_MAX:
                ctx.refuse(f"there is no pid {number}")
        ctx.pid_numbers[pids.offset + position] = entry.numbers
    tree = ctx.image.read(t.HDR_TREE, image.Tree)
    if tree.nr_tasks > MAX_TASKS:
        ctx.refuse(f"{tree.nr_tasks} tasks")
    records = ctx.image.read_records(image.TaskPids, tree.nr_tasks)
    identities = [_identity(ctx, record) for record in records]
    if len({identity.pid for identity in identities}) != len(identities):
        ctx.refuse("two tasks with the same pid")
    _check_depths(ctx, identities)
    return identities


def _identity(ctx: Restart, record: image.TaskPids) -> Identity:
    def numbers(objref: int) -> Numbers:
        if objref in (0, t.PID_NULL, t.PID_ROOT):
            return _NOBODY
        if objref not in ctx.pid_numbers:
            ctx.refuse(f"there is no pid object {objref}")
        return ctx.pid_numbers[objref]

    identity = Identity(
        numbers(record.vpid),
        numbers(record.vppid)[0] if record.vppid else 0,
        numbers(record.vtgid),
        numbers(record.vpgid),
        numbers(record.vsid),
    )
    if identity.depth != record.depth or len(identity.process) != len(identity.numbers):
        ctx.refuse(f"task {identity.pid} has {len(identity.numbers)} numbers at {record.depth}")
    if max(len(identity.group), len(identity.session)) > len(identity.numbers):
        ctx.refuse(f"the group of task {identity.pid} lies in a namespace below it")
    return identity


def _check_depths(ctx: Restart, identities: list[Identity]) -> None:
    """A task lives where its parent lives, or is the first one of a namespace below that."""
    depths = {identity.pid: identity.depth for identity in identities}
    for identity in identities[1:]:
        above = identity.tgid if identity.tgid != identity.pid else identity.ppid
        if above not in depths:
            continue  # refused where parents are looked up
        deeper = identity.depth - depths[above]
        first = identity.numbers[-1] == 1 and identity.tgid == identity.pid
        if deeper and not (deeper == 1 and first):
            ctx.refuse(f"task {identity.pid} is {deeper} namespaces below {above}")
    if identities[0].depth:
        ctx.refuse("the root lives below its own namespace")


def restore_namespaces(ctx: Restart) -> dict[int, int]:
    """Read which number each nested pid namespace gives next, by its init."""
    found: dict[int, int] = {}
    while ctx.image.peek() == t.HDR_PID_NAMESPACE:
        record = ctx.image.read(t.HDR_PID_NAMESPACE, ours.PidNamespace)
        if not 0 < record.next_number <= PID_MAX or record.init in found:
            ctx.refuse(f"next number {record.next_number} of the namespace of {record.init}")
        found[record.init] = record.next_number
    return found


def number_task(task: Task, identity: Identity, next_numbers: dict[int, int] | None) -> None:
    """Commit: put a task, whose parent is in place, into its pid namespace.

    `next_numbers` are what namespaces give next; None in a pure image, which does not say.
    """
    above = task.signal.leader if task.signal.leader is not task else task.parent
    namespace = task.kernel.pid_ns if above is None else above.pid_ns
    if identity.depth > namespace.level:
        namespace = PidNamespace(task.kernel, namespace)
        namespace.init = None if task.exited else task
        if next_numbers is not None:
            namespace.next_number = next_numbers.get(identity.pid, 2)
    task.pid_ns = namespace
    lineage = namespace.lineage()
    for numbers in (identity.numbers, identity.process, identity.group, identity.session):
        for one, number in zip(lineage, numbers):
            if number:
                one.enter(numbers[0], number)
                if next_numbers is None:
                    one.next_number = max(one.next_number, number + 1)
