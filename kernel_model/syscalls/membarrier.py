"""membarrier: order the memory accesses of other threads.

This machine has one processor: whoever runs sees all that was stored before. What is left is who
has asked for the expedited kinds.

Mirrors: Linux kernel/sched/membarrier.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, EPERM
from kernel_model.syscalls.declare import Flags, Int, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task

_QUERY, _GLOBAL, _GLOBAL_EXPEDITED, _REGISTER_GLOBAL = 0, 1, 2, 4
_PRIVATE_EXPEDITED, _REGISTER_PRIVATE = 8, 16
REGISTRATIONS = _REGISTER_GLOBAL | _REGISTER_PRIVATE


@syscall(partial="SYNC_CORE and RSEQ (4.16, 5.10) are refused with EINVAL")
def membarrier(task: Task, command: Int, flags: Flags) -> int:
    """Nothing to do on one processor, but the expedited kinds must be asked for before."""
    assert task.mm is not None
    if flags:
        raise EINVAL(f"membarrier flags {flags:#x}")
    if command == _QUERY:
        return _GLOBAL | _GLOBAL_EXPEDITED | _PRIVATE_EXPEDITED | REGISTRATIONS
    if command in (_REGISTER_GLOBAL, _REGISTER_PRIVATE):
        task.mm.barriers |= command
        return 0
    if command == _PRIVATE_EXPEDITED:
        if not task.mm.barriers & _REGISTER_PRIVATE:
            raise EPERM("the process has not registered for this")
        return 0
    if command not in (_GLOBAL, _GLOBAL_EXPEDITED):
        raise EINVAL(f"membarrier command {command}")
    return 0
