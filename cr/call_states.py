"""Checkpoint and restart of checkpoint and restart: what the two calls keep between their turns.

A checkpoint is on its way into a descriptor that takes no more, a restart waits for the rest of its
image, or for the tree. All that is data of the task, so another checkpoint may come in between.

Image grammar:

    transit  =  CALL_STATE  BUFFER      ; ours, behind TASK_EXTRA: the bytes still to be written,
                                        ; or those that were read so far

A task that waits in restart(0) keeps nothing: its call is simply begun again.

Mirrors:  nothing: whoever was in the middle of either call could not be checkpointed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cr.context import Checkpoint, Restart
from cr.image import calls as image
from cr.image import types as t
from cr.image.extent import Extent
from kernel_model.abi.errno import EBUSY
from kernel_model.freezer import FreezerCgroup, FreezerState
from kernel_model.restart_block import CallState
from kernel_model.signals import SIGKILL, SigInfo, send
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task


@dataclass
class Draining(CallState):
    """A checkpoint that is complete, on its way into a descriptor."""

    image: bytes
    group: FreezerCgroup | None
    """The freezer group that must not thaw until the image is out."""
    done: int = 0

    def abandon(self, task: Task) -> None:
        """The reader will see the image cut short; the group may thaw."""
        if self.group is not None:
            self.group.end_checkpoint()

    def told(self) -> str:
        """What is left."""
        return f"an image, {len(self.image) - self.done} bytes to be written"


@dataclass
class Collecting(CallState):
    """A restart that is reading its image: what has come, and where it will end."""

    image: bytearray = field(default_factory=bytearray)
    extent: Extent | None = None
    """As far as it is known; None: nobody has looked yet."""
    native: bytes | None = None
    """The whole image in the dialect that restart knows, once all of it is there."""

    def told(self) -> str:
        """What is there."""
        return f"an image, {len(self.image)} bytes read"


class Restarting(CallState):
    """A task that has called restart(0): it waits to become somebody else."""

    def __init__(self, *, ghost: bool) -> None:
        self.ghost = ghost
        self.queue = WaitQueue()

    def abandon(self, task: Task) -> None:
        """It was killed: whoever waits for it must know."""
        tell_coordinator(task)

    def told(self) -> str:
        """Nothing: the call is begun again, and keeps it again."""
        return ""


class Coordinating(Collecting):
    """The caller of restart(root): it reads the image, and waits for the tree."""

    def __init__(self, image: bytearray | None = None) -> None:
        super().__init__(bytearray() if image is None else image)
        self.queue = WaitQueue()
        self.tree: list[Task] = []
        """The tasks that are this coordinator's to restart, or to kill."""

    def abandon(self, task: Task) -> None:
        """The coordinator was killed, or gave up: nobody is left."""
        kill_tree(self)


def tell_coordinator(task: Task) -> None:
    """A restarting task has come, or has gone: wake who waits for it."""
    ancestor = task.parent
    while ancestor is not None:
        for thread in ancestor.signal.threads:
            if isinstance(thread.call_state, Coordinating):
                thread.call_state.queue.wake_all()
        ancestor = ancestor.parent


def kill_tree(state: Coordinating) -> None:
    """SIGKILL for every task of the tree."""
    for member in state.tree:
        if not member.exited:
            send(member, SigInfo(SIGKILL), to_thread=True)


# ---- their own checkpoint and restart


def checkpoint_call_state(ctx: Checkpoint, task: Task) -> None:
    """Write what a call keeps that has been half done."""
    state = task.call_state
    if state is None or isinstance(state, Restarting) or task is ctx.caller:
        return
    if ctx.pure:
        ctx.refuse(EBUSY, "it is in the middle of checkpoint or restart")
    if isinstance(state, Draining):
        # Groups are only in the image of a whole machine.
        path = b"" if ctx.caller is not None or state.group is None else state.group.path
        record = image.CallState(kind=image.DRAINING, group=path)
        content = state.image[state.done :]
    else:
        assert isinstance(state, Collecting)
        tree = isinstance(state, Coordinating)
        record = image.CallState(kind=image.COORDINATING if tree else image.COLLECTING, group=b"")
        content = bytes(state.image)
    ctx.image.write(t.HDR_CALL_STATE, record)
    ctx.image.write_blob(t.HDR_BUFFER, content)


def restore_call_state(ctx: Restart) -> CallState | None:
    """Read it, if it is there."""
    if ctx.image.peek() != t.HDR_CALL_STATE:
        return None
    record = ctx.image.read(t.HDR_CALL_STATE, image.CallState)
    content = ctx.image.read_blob(t.HDR_BUFFER)
    if record.kind == image.COLLECTING:
        return Collecting(bytearray(content))
    if record.kind == image.COORDINATING:
        return Coordinating(bytearray(content))
    group = ctx.kernel.freezer.below(record.group) if record.group else None
    if record.group and group is None:
        ctx.refuse(f"there is no group {record.group!r} that a checkpoint could hold")
    return Draining(content, group)


def holds_group(state: CallState | None) -> bool:
    """Whether it is a checkpoint that keeps a freezer group from thawing."""
    return isinstance(state, Draining) and state.group is not None


def hold_group(state: CallState | None) -> None:
    """Commit: the group of a checkpoint that is on its way must not thaw."""
    if isinstance(state, Draining) and state.group is not None:
        if state.group.state is FreezerState.FROZEN:
            state.group.state = FreezerState.CHECKPOINTING
