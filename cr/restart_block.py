"""Checkpoint and restart of what a sleeping system call remembers.

Image grammar:

    RESTART_BLOCK                       ; what restart_syscall would do: Linux's
    [ SYSCALL_PROGRESS ]                ; bytes moved, an absolute deadline: ours

Times of RESTART_BLOCK are what is left. One that is due but was not looked at has 1 ns left: with
futex, 0 says that there is no timeout at all. (Poll has an argument for that.)

Mirrors:  linux-cr checkpoint/process.c -- checkpoint_restart_block, restore_restart_block.
Deviates: an unknown function is refused (the original's was BUG()).
"""

from __future__ import annotations

from dataclasses import replace

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import task as image
from cr.image import types as t
from kernel_model.clock import KTIME_MAX_NS, ktime_add
from kernel_model.restart_block import Progress, RestartBlock, RestartFunction
from kernel_model.task import State, Task

_NEVER = (1 << 64) - 1
_FUNCTIONS = {
    RestartFunction.NANOSLEEP: t.RESTART_BLOCK_HRTIMER_NANOSLEEP,
    RestartFunction.POLL: t.RESTART_BLOCK_POLL,
    RestartFunction.FUTEX: t.RESTART_BLOCK_FUTEX,
}
_OF_TYPE = {number: function for function, number in _FUNCTIONS.items()}
for _other in (
    t.RESTART_BLOCK_POSIX_CPU_NANOSLEEP,
    t.RESTART_BLOCK_COMPAT_NANOSLEEP,
    t.RESTART_BLOCK_COMPAT_CLOCK_NANOSLEEP,
):
    _OF_TYPE[_other] = RestartFunction.NANOSLEEP  # here one function sleeps for all of them
_CLOCKS = (0, 1, 2, 7)
"""CLOCK_REALTIME, MONOTONIC, PROCESS_CPUTIME_ID, BOOTTIME; those of processes are negative."""
_HAS_TIMEOUT = 2
"""Which argument of POLL says so."""
_INTERRUPTED, _NOTHING_KEPT = 1, 2
_ARGUMENTS = {RestartFunction.NANOSLEEP: 2, RestartFunction.POLL: 2, RestartFunction.FUTEX: 4}


def checkpoint_restart_block(ctx: Checkpoint, task: Task) -> None:
    """Write what restart_syscall would do."""
    block = task.restart_block
    kind, arguments, left = t.RESTART_BLOCK_NONE, [0] * 4, 0
    if isinstance(block, RestartBlock):
        kind = _FUNCTIONS[block.function]
        arguments = [value & _NEVER for value in block.args] + [0] * (4 - len(block.args))
        if block.deadline_ns is not None:
            left = max(block.deadline_ns - ctx.now_ns, 1)
        if block.function is RestartFunction.POLL:
            arguments[_HAS_TIMEOUT] = int(block.deadline_ns is not None)
    record = image.RestartBlock(
        function_type=kind,
        arg_0=arguments[0],
        arg_1=arguments[1],
        arg_2=arguments[2],
        arg_3=arguments[3],
        arg_4=left,
    )
    ctx.image.write(t.HDR_RESTART_BLOCK, record)


def checkpoint_progress(ctx: Checkpoint, task: Task) -> None:
    """Write how far the call has come, if its restart block cannot say it."""
    block = task.restart_block
    flags = _INTERRUPTED if task.interrupted is not None else 0
    if block is None and flags:
        record = ours.SyscallProgress(done_bytes=0, deadline_ns=_NEVER, flags=flags | _NOTHING_KEPT)
        ctx.image.write(t.HDR_SYSCALL_PROGRESS, record)
    elif block is not None and (
        flags or block.done or _overdue(ctx, task) or not isinstance(block, RestartBlock)
    ):
        deadline = _NEVER if block.deadline_ns is None else block.deadline_ns
        record = ours.SyscallProgress(done_bytes=block.done, deadline_ns=deadline, flags=flags)
        ctx.image.write(t.HDR_SYSCALL_PROGRESS, record)


def _overdue(ctx: Checkpoint, task: Task) -> bool:
    """A frozen task was woken and did not look: what is left cannot say by how much it is late."""
    if task.state is not State.RUNNING or task.restart_block is None:
        return False
    deadline_ns = task.restart_block.deadline_ns
    return deadline_ns is not None and deadline_ns < ctx.now_ns


def restore_restart_block(ctx: Restart) -> RestartBlock | None:
    """Read what restart_syscall would do."""
    record = ctx.image.read(t.HDR_RESTART_BLOCK, image.RestartBlock)
    if record.function_type == t.RESTART_BLOCK_NONE:
        return None
    function = _OF_TYPE.get(record.function_type)
    if function is None or record.arg_4 > KTIME_MAX_NS:
        ctx.refuse(f"restart block {record.function_type} with {record.arg_4} ns left")
    arguments = (record.arg_0, record.arg_1, record.arg_2, record.arg_3)
    if function is RestartFunction.NANOSLEEP:
        if record.arg_0 not in _CLOCKS and not record.arg_0 & 1 << 31:
            ctx.refuse(f"a sleep on clock {record.arg_0}")
        if record.function_type == t.RESTART_BLOCK_COMPAT_CLOCK_NANOSLEEP:
            arguments = (record.arg_0, record.arg_2, 0, 0)  # what is left goes to the third one
    deadline: int | None = ktime_add(ctx.now_ns, record.arg_4)
    due = function is RestartFunction.POLL and record.arg_2  # a timeout, and nothing left of it
    if function is not RestartFunction.NANOSLEEP and not record.arg_4 and not due:
        deadline = None
    return RestartBlock(
        deadline_ns=deadline, function=function, args=arguments[: _ARGUMENTS[function]]
    )


def restore_progress(ctx: Restart, block: RestartBlock | None) -> tuple[Progress | None, bool]:
    """Read how far the call had come; without a record it is what the restart block says.

    And whether a signal had ended it already, so that it begins again.
    """
    progress: Progress | None = block
    interrupted = False
    if ctx.image.peek() == t.HDR_SYSCALL_PROGRESS:
        record = ctx.image.read(t.HDR_SYSCALL_PROGRESS, ours.SyscallProgress)
        if record.done_bytes > 1 << 62:
            ctx.refuse(f"a call that moved {record.done_bytes} bytes")
        deadline = None if record.deadline_ns == _NEVER else record.deadline_ns
        if deadline is not None and deadline > KTIME_MAX_NS:
            ctx.refuse(f"a deadline at {deadline} ns")
        if deadline is not None:
            deadline = ctx.clock_time(deadline)
        if record.flags & ~(_INTERRUPTED | _NOTHING_KEPT):
            ctx.refuse(f"progress of a call with flags {record.flags:#x}")
        interrupted = bool(record.flags & _INTERRUPTED)
        if record.flags & _NOTHING_KEPT:
            if record.done_bytes or deadline is not None or not interrupted:
                ctx.refuse("a call that keeps nothing, and something")
        elif block is None:
            progress = Progress(done=record.done_bytes, deadline_ns=deadline)
        else:
            progress = replace(block, done=record.done_bytes)
            if deadline is not None:
                progress = replace(progress, deadline_ns=deadline)
    return progress, interrupted
