"""fork, vfork, clone, eclone.

Mirrors: Linux kernel/fork.c; linux-cr's eclone (fork with chosen pids).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, EPERM
from kernel_model.clone import CLONE_VFORK, CLONE_VM, CloneArgs, copy_process
from kernel_model.clone import unshare as leave_shared
from kernel_model.restart_block import Progress
from kernel_model.signals import SIGCHLD
from kernel_model.syscalls.declare import Int, Ptr, Size, UInt, syscall
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_CLONE_ARGS_BYTES = 48


def start(task: Task, args: CloneArgs) -> int:
    """Make the child; its number for the caller. Sleeps while a child of vfork has the memory."""
    block = task.restart_block
    if block is not None:
        # The child was made before the parent went to sleep.
        return _wait_for_vfork(task, block.done)
    child = copy_process(task, args)
    if args.flags & CLONE_VFORK:
        task.restart_block = Progress(done=task.pid_ns.number_of(child.pid))
        return _wait_for_vfork(task, task.restart_block.done)
    return task.pid_ns.number_of(child.pid)


def _wait_for_vfork(task: Task, pid: int) -> int:
    child = task.find(pid)
    if child is not None and child.vfork_done is not None and not child.exited:
        raise Sleep(child.vfork_done, uninterruptible=True)
    return pid


@syscall()
def fork(task: Task) -> int:
    """A child with a copy of everything."""
    return start(task, CloneArgs(SIGCHLD))


@syscall(partial="pid and user namespaces are refused with EINVAL, as in 3.2")
def unshare(task: Task, flags: Size) -> int:
    """Have for oneself what was shared: descriptors, directories, namespaces."""
    leave_shared(task, flags & 0xFFFFFFFF)
    return 0


@syscall()
def vfork(task: Task) -> int:
    """A child in the same memory; the parent waits until it executes a program or ends."""
    return start(task, CloneArgs(SIGCHLD | CLONE_VFORK | CLONE_VM))


@syscall()
def clone(task: Task, flags: Size, stack: Ptr, parent_tid: Ptr, tls: Ptr, child_tid: Ptr) -> int:
    """A child or a thread, sharing what the flags say."""
    return start(task, CloneArgs(flags & 0xFFFFFFFF, stack, parent_tid, child_tid, tls))


@syscall()
def clone_tls_last(
    task: Task, flags: Size, stack: Ptr, parent_tid: Ptr, child_tid: Ptr, tls: Ptr
) -> int:
    """clone as x86-64 orders its arguments."""
    return start(task, CloneArgs(flags & 0xFFFFFFFF, stack, parent_tid, child_tid, tls))


@syscall()
def eclone(task: Task, flags: UInt, arguments: Ptr, size: Int, pids: Ptr) -> int:
    """clone with chosen process numbers (linux-cr)."""
    if size != _CLONE_ARGS_BYTES:
        raise EINVAL(f"clone_args of {size} bytes")
    raw = task.user.read(arguments, size)
    high, stack, stack_size, parent_tid, child_tid, count, reserved = struct.unpack(
        f"{task.abi.order}QQQQQII", raw
    )
    if high or reserved:
        raise EINVAL("reserved fields of clone_args are not zero")
    if task.abi.stack_is_base:
        stack += stack_size if stack else 0
    elif stack_size:
        raise EINVAL("this ABI takes the stack pointer, not the size of the stack")
    wanted = wanted_pids(task, pids, count)
    args = CloneArgs(flags, stack & task.abi.mask, parent_tid, child_tid, 0, wanted)
    return start(task, args)


def wanted_pids(task: Task, pids: int, count: int) -> tuple[int, ...]:
    """The numbers that a child is to have, read from user memory; none: the kernel's choice.

    Raises EINVAL for more than there are levels, EPERM without CAP_SYS_ADMIN, EFAULT.
    """
    if not (pids and count):
        return ()
    levels = task.pid_ns.level + 1
    if not 0 < count <= levels:
        raise EINVAL(f"{count} pids for {levels} levels of pid namespaces")
    wanted = struct.unpack(f"{task.abi.order}{count}i", task.user.read(pids, 4 * count))
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("choosing a pid needs CAP_SYS_ADMIN")
    return wanted
