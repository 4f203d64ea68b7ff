"""The system calls of v2 to v13: three arguments, no flag at all, no coordinator.

restart has a `crid`, the number that checkpoint had returned: one day it was to find an image that
the kernel had kept. v2 looks at neither `pid` nor `crid`, both calls are about their caller. From
v9 on `crid` is the pid of the tree's root: the root itself calls restart(its own pid), reads the
image and becomes its first task; each of the others calls restart(the root's pid), and waits.

Mirrors:  linux-cr v13, checkpoint/sys.c -- sys_checkpoint, sys_restart; restart.c do_restart_root,
          do_restart_task.
Deviates: a tree that cannot be restarted is killed, its root is told why; an image that is wrong
          changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cr.call_states import Collecting, Coordinating
from cr.coordinator import become_alone, become_root, wait_to_become
from cr.generations import generation_of
from cr.syscalls import checkpoint_to, native, readable, refusals_told, refuse_threads
from cr.transport import collect
from kernel_model.abi.errno import EINVAL, ESRCH
from kernel_model.syscalls.declare import Fd, Int, Size, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task


@syscall()
def checkpoint(task: Task, pid: Int, fd: Fd, flags: Size) -> int:
    """Write an image to `fd`; a positive number (the crid), or 0 in the restarted copy."""
    if not generation_of(task.kernel).has_trees:
        return checkpoint_to(task, task.vtgid, fd, flags)
    if pid == 0:
        raise ESRCH("there is no task 0: that it means the caller came later")
    return checkpoint_to(task, pid, fd, flags)


@syscall()
def restart(task: Task, crid: Int, fd: Fd, flags: Size) -> int:
    """Become a task of an image: its root, which reads it, or who waits for the root."""
    generation = generation_of(task.kernel)
    if flags & ~generation.restart_flags:
        raise EINVAL(f"restart flags {flags:#x}: there are none")
    if generation.has_trees and crid != task.vtgid:
        if not _is_below(task, crid):
            raise ESRCH(f"there is no task {crid} above this one that could restart")
        wait_to_become(task, ghost=False)
    refuse_threads(task)
    file = readable(task, fd)
    state = task.call_state
    if not isinstance(state, Collecting):
        state = task.call_state = Coordinating() if generation.has_trees else Collecting()
    with refusals_told(task):
        collect(task, state, file)
        image = native(task, state)
        if isinstance(state, Coordinating):
            become_root(task, state, image)
        become_alone(task, image, 0)


def _is_below(task: Task, pid: int) -> bool:
    """Whether the process `pid` is among the ancestors of a task."""
    root, above = task.find(pid), task.parent
    while above is not None and above is not root:
        above = above.parent
    return above is not None
