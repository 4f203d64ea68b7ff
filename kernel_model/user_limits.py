"""What the tasks of one user have together, and the limits on it: processes, queued signals.

Mirrors:  Linux struct user_struct (processes, sigpending), kernel/fork.c -- copy_process,
          kernel/signal.c -- __sigqueue_alloc.
Deviates: nothing is counted on the way. The limits are asked about rarely, and what is counted
          anew cannot be wrong after a restart. A queued signal counts for who it is sent to as
          that task is now, not as it was then.
Not modelled: a task that becomes a user with too many processes, and then may not execute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model import signals
from kernel_model.abi.errno import EAGAIN
from kernel_model.abi.limits import RLIMIT_NPROC, RLIMIT_SIGPENDING

if TYPE_CHECKING:
    from kernel_model.task import Task


def _tasks(task: Task) -> list[Task]:
    user = task.cred.user
    return [each for each in task.kernel.tasks.values() if each.cred.user is user]


def check_processes(task: Task) -> None:
    """Whether the user of a task may have one more; the first user may always. Raises EAGAIN."""
    cred, limit = task.cred, task.signal.rlimits[RLIMIT_NPROC][0]
    if cred.user.is_first or cred.cap("CAP_SYS_ADMIN"):
        return
    if not cred.cap("CAP_SYS_RESOURCE") and len(_tasks(task)) >= limit:
        raise EAGAIN(f"RLIMIT_NPROC is {limit}")


def may_queue(task: Task) -> bool:
    """Whether one more signal for a task can be kept with all that is known of it."""
    count = 0
    for each in _tasks(task):
        queues = [each.pending.queue]
        if each.is_leader:
            queues.append(each.signal.pending.queue)
            count += len(each.signal.posix_timers)  # each has room for its signal, always
        count += sum(info.code != signals.SI_TIMER for queue in queues for info in queue)
    return count < task.signal.rlimits[RLIMIT_SIGPENDING][0]
