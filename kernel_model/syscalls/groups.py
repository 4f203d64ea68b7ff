"""Process groups and sessions.

Mirrors: Linux kernel/sys.c (setpgid, setsid), kernel/pid.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EACCES, EINVAL, EPERM, ESRCH
from kernel_model.syscalls.declare import Int, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task


def _process(task: Task, pid: int) -> Task:
    target = task.find(pid) if pid else task
    if target is None:
        raise ESRCH(f"there is no process {pid}")
    return target


@syscall()
def getpgrp(task: Task) -> int:
    """The process group of the caller."""
    return task.pid_ns.number_of(task.signal.pgid)


@syscall()
def getpgid(task: Task, pid: Int) -> int:
    """The process group of a process; 0 is the caller."""
    return task.pid_ns.number_of(_process(task, pid).signal.pgid)


@syscall()
def getsid(task: Task, pid: Int) -> int:
    """The session of a process; 0 is the caller."""
    return task.pid_ns.number_of(_process(task, pid).signal.sid)


@syscall()
def setsid(task: Task) -> int:
    """Begin a new session and process group."""
    if any(t.signal.pgid == task.tgid for t in task.kernel.tasks.values()):
        raise EPERM("the caller leads a process group, or its number names one")
    task.signal.sid = task.signal.pgid = task.tgid
    task.signal.tty, task.signal.tty_old_pgrp = None, 0
    return task.vtgid


@syscall()
def setpgid(task: Task, pid: Int, pgid: Int) -> int:
    """Move a process to a group of its session."""
    if (pgid or pid) < 0:
        raise EINVAL(f"there is no group {pgid or pid}")
    target = _process(task, pid)
    group = task.pid_ns.find(pgid) if pgid else target.tgid
    if not target.is_leader:
        raise EINVAL(f"{pid} is a thread, not a process")
    if target is not task.signal.leader:
        if target.parent is None or target.parent.tgid != task.tgid:
            raise ESRCH(f"{pid} is no child of the caller")
        if target.signal.sid != task.signal.sid:
            raise EPERM("the child is in another session")
        if not target.forked_no_exec:
            raise EACCES("the child has executed a program")
    if target.signal.sid == target.tgid:
        raise EPERM("a session leader stays in its group")
    if group != target.tgid and not any(
        t.signal.pgid == group and t.signal.sid == task.signal.sid
        for t in task.kernel.tasks.values()
    ):
        raise EPERM(f"there is no group {pgid} in this session")
    target.signal.pgid = group
    return 0
