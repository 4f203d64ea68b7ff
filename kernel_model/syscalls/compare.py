"""kcmp: whether two processes share something.

Mirrors: Linux kernel/kcmp.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EBADF, EINVAL, EOPNOTSUPP, EPERM, ESRCH
from kernel_model.syscalls.declare import Int, Size, syscall
from kernel_model.vfs.permission import may_look_into

if TYPE_CHECKING:
    from kernel_model.task import Task

_FILE, _VM, _FILES, _FS, _SIGHAND, _IO, _SYSVSEM, _EPOLL = range(8)
_PARTS: dict[int, Callable[[Task], object]] = {
    _VM: lambda task: task.mm,
    _FILES: lambda task: task.files,
    _FS: lambda task: task.fs,
    _SIGHAND: lambda task: task.sighand,
    _SYSVSEM: lambda task: task.sem_undo,
}


@syscall(partial="KCMP_IO and KCMP_EPOLL_TFD are refused with EOPNOTSUPP")
def kcmp(task: Task, pid1: Int, pid2: Int, kind: Int, first: Size, second: Size) -> int:
    """0 if two tasks share it; else 1 or 2, an order of the things that are compared."""
    pair = [task.find(pid) for pid in (pid1, pid2)]
    one, two = pair
    if one is None or two is None:
        raise ESRCH(f"there is no task {pid1 if one is None else pid2}")
    if not (may_look_into(task, one) and may_look_into(task, two)):
        raise EPERM("no right to attach to these tasks")
    if kind == _FILE:
        return _order(task, one, two, (_file(one, first), _file(two, second)), None)
    if kind in (_IO, _EPOLL):
        raise EOPNOTSUPP(f"kcmp of kind {kind}")
    if kind not in _PARTS:
        raise EINVAL(f"kcmp of kind {kind}")
    part = _PARTS[kind]
    return _order(task, one, two, (part(one), part(two)), part)


def _file(task: Task, fd: int) -> object:
    if task.exited:
        raise EBADF("a zombie has no descriptors")
    return task.files.get_raw(fd)


def _order(
    task: Task,
    one: Task,
    two: Task,
    pair: tuple[object, object],
    part: Callable[[Task], object] | None,
) -> int:
    """Things are ordered by the first task (and descriptor) that has them."""
    if pair[0] is pair[1]:
        return 0
    for _, each in sorted(task.kernel.tasks.items()):
        if each.exited:
            continue
        things = [file for _, file in each.files.items()] if part is None else [part(each)]
        for thing in things:
            if thing is pair[0]:
                return 1
            if thing is pair[1]:
                return 2
    return 1
