"""Scheduling: policies, priorities, nice values, processors.

Mirrors: Linux kernel/sched.c (sys_sched_*, nice), kernel/sys.c (setpriority), fs/ioprio.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EACCES, EINVAL, EPERM, ESRCH
from kernel_model.abi.limits import RLIMIT_NICE, RLIMIT_RTPRIO
from kernel_model.clock import UNITS_PER_NS
from kernel_model.scheduling import (
    HIGHEST_NICE,
    HIGHEST_PRIORITY,
    IO_BEST_EFFORT,
    IO_CLASS_SHIFT,
    IO_IDLE,
    IO_LEVELS,
    IO_NONE,
    IO_REALTIME,
    LOWEST_NICE,
    POLICIES,
    REALTIME,
    SCHED_FIFO,
    Scheduling,
)
from kernel_model.syscalls.declare import Int, Ptr, UInt, syscall
from kernel_model.syscalls.time import write_timespec

if TYPE_CHECKING:
    from kernel_model.task import Task

PRIO_PROCESS, PRIO_PGRP, PRIO_USER = range(3)
SCHED_RESET_ON_FORK = 0x40000000
_NORMAL_IO_LEVEL = 4


def _target(task: Task, pid: int) -> Task:
    target = task.find(pid) if pid else task
    if target is None or target.exited:
        raise ESRCH(f"there is no task {pid}")
    return target


def _checked(task: Task, pid: int, place: int) -> Task:
    if pid < 0 or not place:
        raise EINVAL(f"no task {pid}, or no place for the answer")
    return _target(task, pid)


def _owns(task: Task, other: Task) -> bool:
    mine, theirs = task.cred, other.cred
    return mine.euid in (theirs.uid, theirs.euid) or mine.cap("CAP_SYS_NICE")


def _apply(target: Task, scheduling: Scheduling) -> None:
    before, target.scheduling = target.scheduling, scheduling
    if before.priority != scheduling.priority:
        target.kernel.sched.reconsider()


# ---- policies


def _set_policy(task: Task, pid: int, policy: int | None, param: int) -> int:
    if pid < 0 or not param:
        raise EINVAL(f"no task {pid}, or no parameters")
    priority = int.from_bytes(task.user.read(param, 4), task.abi.byte_order, signed=True)
    target = _target(task, pid)
    old = target.scheduling
    reset = old.reset_on_fork
    if policy is None:
        policy = old.policy
    else:
        reset, policy = bool(policy & SCHED_RESET_ON_FORK), policy & ~SCHED_RESET_ON_FORK
    if policy not in POLICIES or not 0 <= priority <= HIGHEST_PRIORITY:
        raise EINVAL(f"policy {policy} with priority {priority}")
    if (policy in REALTIME) != (priority > 0):
        raise EINVAL(f"policy {policy} cannot have priority {priority}")
    if not task.cred.cap("CAP_SYS_NICE"):
        if policy in REALTIME:
            most = target.signal.rlimits[RLIMIT_RTPRIO][0]
            if (policy != old.policy and not most) or priority > max(old.priority, most):
                raise EPERM("real-time priorities need CAP_SYS_NICE")
        if not _owns(task, target) or (old.reset_on_fork and not reset):
            raise EPERM(f"task {target.pid} may not be changed")
    fresh = replace(old, policy=policy, priority=priority, reset_on_fork=reset)
    _apply(target, fresh)
    return 0


@syscall()
def sched_setscheduler(task: Task, pid: Int, policy: Int, param: Ptr) -> int:
    """Set policy and priority of a task."""
    if policy < 0:
        raise EINVAL(f"policy {policy}")
    return _set_policy(task, pid, policy, param)


@syscall()
def sched_setparam(task: Task, pid: Int, param: Ptr) -> int:
    """Set the priority of a task."""
    return _set_policy(task, pid, None, param)


@syscall()
def sched_getscheduler(task: Task, pid: Int) -> int:
    """The policy of a task."""
    if pid < 0:
        raise EINVAL(f"there is no task {pid}")
    scheduling = _target(task, pid).scheduling
    return scheduling.policy | (SCHED_RESET_ON_FORK if scheduling.reset_on_fork else 0)


@syscall()
def sched_getparam(task: Task, pid: Int, param: Ptr) -> int:
    """The priority of a task."""
    target = _checked(task, pid, param)
    task.user.write_int(param, target.scheduling.priority)
    return 0


@syscall()
def sched_get_priority_max(task: Task, policy: Int) -> int:
    """The highest priority of a policy."""
    if policy not in POLICIES:
        raise EINVAL(f"policy {policy}")
    return HIGHEST_PRIORITY if policy in REALTIME else 0


@syscall()
def sched_get_priority_min(task: Task, policy: Int) -> int:
    """The lowest priority of a policy."""
    if policy not in POLICIES:
        raise EINVAL(f"policy {policy}")
    return 1 if policy in REALTIME else 0


@syscall()
def sched_rr_get_interval(task: Task, pid: Int, interval: Ptr) -> int:
    """The time slice of a task; none (0) with SCHED_FIFO."""
    if pid < 0:
        raise EINVAL(f"there is no task {pid}")
    scheduling = _target(task, pid).scheduling
    ns = 0 if scheduling.policy == SCHED_FIFO else scheduling.slice_units // UNITS_PER_NS
    write_timespec(task, interval, ns)
    return 0


@syscall()
def sched_yield(task: Task) -> int:
    """Let the others run."""
    task.kernel.sched.give_way()
    return 0


# ---- processors


@syscall()
def sched_setaffinity(task: Task, pid: Int, size: UInt, mask: Ptr) -> int:
    """Choose the processors of a task: there is one, which must be among them."""
    wanted = task.user.read(mask, min(size, task.abi.word_bytes))
    target = _target(task, pid)
    if not _owns(task, target):
        raise EPERM(f"task {target.pid} may not be changed")
    if not int.from_bytes(wanted.ljust(task.abi.word_bytes, b"\0"), task.abi.byte_order) & 1:
        raise EINVAL("none of these processors is there")
    return 0


@syscall()
def sched_getaffinity(task: Task, pid: Int, size: UInt, mask: Ptr) -> int:
    """The processors that a task may use: there is one."""
    width = task.abi.word_bytes
    if size < width or size % width:
        raise EINVAL(f"a mask of {size} bytes")
    _target(task, pid)
    task.user.write_word(mask, 1)
    return width


@syscall()
def getcpu(task: Task, cpu: Ptr, node: Ptr, cache: Ptr) -> int:
    """The processor that the caller runs on, and its memory node: the first."""
    for place in (cpu, node):
        if place:
            task.user.write_int(place, 0)
    return 0


# ---- nice values


def _may_lower(task: Task, nice: int) -> bool:
    return 20 - nice <= task.signal.rlimits[RLIMIT_NICE][0] or task.cred.cap("CAP_SYS_NICE")


def _chosen(task: Task, which: int, who: int) -> Iterator[Task]:
    """The tasks that `which` and `who` name."""
    if which == PRIO_PROCESS:
        target = task.find(who) if who else task
        if target is not None and not target.exited:
            yield target
        return
    group = task.pid_ns.find(who) if who else task.signal.pgid
    uid = who or task.cred.uid
    for other in task.pid_ns.tasks():
        if other.exited:
            continue
        if (other.signal.pgid == group) if which == PRIO_PGRP else (other.cred.uid == uid):
            yield other


@syscall()
def getpriority(task: Task, which: Int, who: Int) -> int:
    """The lowest nice value of some tasks, as 20 - nice."""
    if which not in (PRIO_PROCESS, PRIO_PGRP, PRIO_USER):
        raise EINVAL(f"priorities of {which}")
    values = [20 - other.scheduling.nice for other in _chosen(task, which, who)]
    if not values:
        raise ESRCH("there is no such task")
    return max(values)


@syscall()
def setpriority(task: Task, which: Int, who: Int, nice: Int) -> int:
    """Set the nice value of some tasks."""
    if which not in (PRIO_PROCESS, PRIO_PGRP, PRIO_USER):
        raise EINVAL(f"priorities of {which}")
    nice = max(LOWEST_NICE, min(HIGHEST_NICE, nice))
    problem: EPERM | EACCES | ESRCH | None = ESRCH("there is no such task")
    for other in _chosen(task, which, who):
        if not _owns(task, other):
            problem = EPERM(f"task {other.pid} belongs to somebody else")
        elif nice < other.scheduling.nice and not _may_lower(other, nice):
            problem = EACCES("a lower nice value needs CAP_SYS_NICE")
        else:
            _apply(other, replace(other.scheduling, nice=nice))
            problem = None if isinstance(problem, ESRCH) else problem
    if problem is not None:
        raise problem
    return 0


@syscall(name="nice")
def nice_call(task: Task, increment: Int) -> int:
    """Add to the caller's nice value."""
    increment = max(-40, min(40, increment))
    nice = max(LOWEST_NICE, min(HIGHEST_NICE, task.scheduling.nice + increment))
    if increment < 0 and not _may_lower(task, nice):
        raise EPERM("a lower nice value needs CAP_SYS_NICE")
    _apply(task, replace(task.scheduling, nice=nice))
    return 0


# ---- priorities of input and output


def _io_chosen(task: Task, which: int, who: int) -> list[Task]:
    if which not in (1, 2, 3):
        raise EINVAL(f"I/O priorities of {which}")
    chosen = list(_chosen(task, which - 1, who))
    if not chosen:
        raise ESRCH("there is no such task")
    return chosen


@syscall(partial="kept and shown: input and output take no time here, so nothing is ordered by it")
def ioprio_set(task: Task, which: Int, who: Int, priority: Int) -> int:
    """Set the I/O priority of some tasks."""
    kind, level = priority >> IO_CLASS_SHIFT, priority & (1 << IO_CLASS_SHIFT) - 1
    if kind == IO_REALTIME and not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("real-time I/O needs CAP_SYS_ADMIN")
    if kind in (IO_REALTIME, IO_BEST_EFFORT):
        if level >= IO_LEVELS:
            raise EINVAL(f"there is no level {level}")
    elif kind not in (IO_NONE, IO_IDLE) or (kind == IO_NONE and level):
        raise EINVAL(f"I/O priority {priority:#x}")
    for other in _io_chosen(task, which, who):
        if not _owns(task, other):
            raise EPERM(f"task {other.pid} belongs to somebody else")
        other.scheduling = replace(other.scheduling, io_priority=priority)
    return 0


@syscall()
def ioprio_get(task: Task, which: Int, who: Int) -> int:
    """The most urgent I/O priority of some tasks."""
    found = [
        other.scheduling.io_priority or IO_NONE << IO_CLASS_SHIFT | _NORMAL_IO_LEVEL
        for other in _io_chosen(task, which, who)
    ]

    def urgency(priority: int) -> tuple[int, int]:
        kind = priority >> IO_CLASS_SHIFT or IO_BEST_EFFORT
        return kind, priority & IO_LEVELS - 1

    return min(found, key=urgency)
