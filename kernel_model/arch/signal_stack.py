"""What the signal frames of all ABIs share: the alternate stack, and the end of a bad frame.

Mirrors: Linux sas_ss_flags, do_sigaltstack, force_sig(SIGSEGV) of a sigreturn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, ENOMEM, EPERM, LinuxError
from kernel_model.signals import SA_ONSTACK, SI_KERNEL, SIGSEGV, Action, SigInfo, force

if TYPE_CHECKING:
    from kernel_model.task import Task

SS_ONSTACK, SS_DISABLE = 1, 2


def on_altstack(task: Task, pointer: int) -> bool:
    """Whether a stack pointer is on the alternate stack."""
    addr, size = task.altstack
    return bool(size) and 0 <= pointer - addr - 1 < size


def altstack_flags(task: Task) -> int:
    """SS_DISABLE, SS_ONSTACK or 0, as sigaltstack and uc_stack tell it."""
    if not task.altstack[1]:
        return SS_DISABLE
    return SS_ONSTACK if on_altstack(task, task.regs.words[task.abi.sp]) else 0


def handler_stack(task: Task, action: Action) -> int | None:
    """The top of the alternate stack, if the handler is to begin there."""
    addr, size = task.altstack
    if not action.flags & SA_ONSTACK or not size:
        return None
    if on_altstack(task, task.regs.words[task.abi.sp]):
        return None
    return (addr + size) & task.abi.mask


def set_altstack(task: Task, start: int, flags: int, size: int) -> None:
    """Replace the alternate stack. Raises EPERM, EINVAL, ENOMEM."""
    if on_altstack(task, task.regs.words[task.abi.sp]):
        raise EPERM("the alternate stack is in use")
    if flags not in (0, SS_ONSTACK, SS_DISABLE):
        raise EINVAL(f"sigaltstack flags {flags:#x}")
    if flags == SS_DISABLE:
        start = size = 0
    elif size < task.abi.min_sigstack:
        raise ENOMEM(f"an alternate stack of {size} bytes")
    task.altstack = (start, size)


def restore_altstack(task: Task, start: int, flags: int, size: int) -> None:
    """For rt_sigreturn, after the stack pointer is back: what cannot be is left as it is."""
    try:
        set_altstack(task, start, flags, size)
    except LinuxError:
        return


def bad_frame(task: Task) -> None:
    """A sigreturn that cannot be: SIGSEGV."""
    force(task, SigInfo(SIGSEGV, SI_KERNEL))
