"""restart_syscall: the call that goes on with another one.

Mirrors: Linux kernel/signal.c (sys_restart_syscall).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINTR
from kernel_model.restart_block import RestartBlock, RestartFunction
from kernel_model.syscalls.declare import syscall
from kernel_model.syscalls.futex import continue_futex
from kernel_model.syscalls.poll import continue_poll
from kernel_model.syscalls.time import continue_nanosleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_CONTINUE = {
    RestartFunction.NANOSLEEP: continue_nanosleep,
    RestartFunction.POLL: continue_poll,
    RestartFunction.FUTEX: continue_futex,
}


@syscall()
def restart_syscall(task: Task) -> int:
    """Go on with the call that a signal without a handler interrupted."""
    block = task.restart_block
    if not isinstance(block, RestartBlock):
        raise EINTR("there is no call to go on with")
    return _CONTINUE[block.function](task, block)
