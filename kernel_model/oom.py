"""No memory is left: who dies for it.

Who asked dies (Linux with oom_kill_allocating_task). The first process must not: the largest of
the others dies for it, and it asks again later.

Mirrors:  Linux mm/oom_kill.c.
Deviates: how large a process is, is what it has mapped; what is resident costs a walk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.signals import SIGKILL

if TYPE_CHECKING:
    from kernel_model.task import Task


def kill_for(task: Task) -> None:
    """This task's page cannot be had."""
    if not _is_first(task):
        task.send_signal(SIGKILL)
        return
    others = [victim for victim in task.kernel.tasks.values() if _can_die(victim)]
    if not others:
        task.exit_group(SIGKILL)  # the machine's end
        return
    max(others, key=_size).send_signal(SIGKILL)
    task.kernel.sched.give_way()


def _is_first(task: Task) -> bool:
    return task.kernel.pid_ns.init is task.signal.leader


def _can_die(task: Task) -> bool:
    doomed = task.pending.signals | task.signal.pending.signals
    return (
        task.mm is not None
        and not task.exited
        and not _is_first(task)
        and not doomed >> (SIGKILL - 1) & 1
        and task.signal.group_exit_code is None
    )


def _size(task: Task) -> tuple[int, int]:
    assert task.mm is not None
    return task.mm.total_bytes, task.pid
