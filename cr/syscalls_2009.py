"""The system calls of v14 to v18: checkpoint and restart without a log, clone_with_pids.

Mirrors:  linux-cr v18 -- sys_checkpoint, sys_restart, sys_clone_with_pids.
Deviates: which register has the set of pids is that of user-cr's own stubs: the sixth argument,
          behind those of clone. That its numbers go from the oldest level to the youngest, as
          eclone's do, is UNVERIFIED.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from cr.syscalls import checkpoint_to, restart_from
from kernel_model.clone import CloneArgs
from kernel_model.syscalls.clone import start, wanted_pids
from kernel_model.syscalls.declare import Fd, Int, Ptr, Size, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task


@syscall()
def checkpoint(task: Task, pid: Int, fd: Fd, flags: Size) -> int:
    """Write an image of a task tree to `fd`; a positive number, or 0 in the restarted copy."""
    return checkpoint_to(task, pid, fd, flags)


@syscall()
def restart(task: Task, pid: Int, fd: Fd, flags: Size) -> int:
    """Restart the tree of `pid`; or wait to be restarted (0); or become the task of an image."""
    return restart_from(task, pid, fd, flags)


@syscall()
def clone_with_pids(
    task: Task, flags: Size, stack: Ptr, parent_tid: Ptr, tls: Ptr, child_tid: Ptr, pids: Ptr
) -> int:
    """clone with chosen process numbers: `pids` is a struct {int num_pids; pid_t *pids}."""
    wanted: tuple[int, ...] = ()
    if pids:
        # The pointer is aligned to a word of the ABI.
        layout = f"{task.abi.order}{'iI' if task.abi.word_bytes == 4 else 'i4xQ'}"
        count, where = struct.unpack(layout, task.user.read(pids, struct.calcsize(layout)))
        wanted = wanted_pids(task, where, count)
    args = CloneArgs(flags & 0xFFFFFFFF, stack, parent_tid, child_tid, tls, wanted)
    return start(task, args)
