"""Checkpoint and restart of how a task shares the processor, of its personality, and whether
its memory may be dumped.

Image grammar:

    task-extra  =  TASK_EXTRA          ; only of a task that differs from a new one

Mirrors:  nothing: linux-cr loses policy, priorities, nice value, personality and
          dumpable.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from kernel_model.abi.errno import EPERM
from kernel_model.scheduling import (
    DEFAULT,
    HIGHEST_NICE,
    HIGHEST_PRIORITY,
    LOWEST_NICE,
    POLICIES,
    REALTIME,
    Scheduling,
)
from kernel_model.syscalls.machine import ADDR_NO_RANDOMIZE
from kernel_model.task import Task

Extra = tuple[Scheduling, int, int]
"""(scheduling, personality, dumpable)."""
NO_EXTRA: Extra = (DEFAULT, 0, 1)


def checkpoint_extra(ctx: Checkpoint, task: Task) -> None:
    """Write what a new task would not have."""
    scheduling = task.scheduling
    dumpable = task.mm.dumpable if task.mm is not None else 1
    if (scheduling, task.personality, dumpable) == NO_EXTRA:
        return
    record = ours.TaskExtra(
        policy=scheduling.policy,
        priority=scheduling.priority,
        nice=scheduling.nice,
        io_priority=scheduling.io_priority,
        reset_on_fork=int(scheduling.reset_on_fork),
        personality=task.personality,
        dumpable=dumpable,
    )
    ctx.image.write(t.HDR_TASK_EXTRA, record)


def restore_extra(ctx: Restart) -> Extra:
    """Read it, if it is there; what only a privileged task may have must be the restarter's."""
    if ctx.image.peek() != t.HDR_TASK_EXTRA:
        return NO_EXTRA
    record = ctx.image.read(t.HDR_TASK_EXTRA, ours.TaskExtra)
    if record.policy not in POLICIES or record.priority > HIGHEST_PRIORITY:
        ctx.refuse(f"policy {record.policy} with priority {record.priority}")
    if (record.policy in REALTIME) != (record.priority > 0):
        ctx.refuse(f"policy {record.policy} cannot have priority {record.priority}")
    if not LOWEST_NICE <= record.nice <= HIGHEST_NICE:
        ctx.refuse(f"a nice value of {record.nice}")
    if record.personality & ~ADDR_NO_RANDOMIZE or record.io_priority > 0xFFFF:
        ctx.refuse(f"personality {record.personality:#x}, I/O priority {record.io_priority:#x}")
    if (record.priority or record.nice < 0) and not ctx.opener.cred.cap("CAP_SYS_NICE"):
        ctx.refuse("such a priority needs CAP_SYS_NICE", errno=EPERM.errno)
    scheduling = Scheduling(
        record.policy,
        record.priority,
        record.nice,
        record.io_priority,
        bool(record.reset_on_fork),
    )
    return scheduling, record.personality, record.dumpable


def install_extra(task: Task, extra: Extra) -> None:
    """Commit."""
    assert task.mm is not None
    task.scheduling, task.personality, task.mm.dumpable = extra
    if task.scheduling.priority:
        task.kernel.sched.realtime = True
