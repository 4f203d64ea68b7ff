"""Checkpoint: write a tree of tasks into an image. It only reads the kernel.

Image grammar:

    image  =  header  container  pids  tree  [ machine ]  { task }  TAIL

Mirrors:  linux-cr checkpoint/checkpoint.c -- do_checkpoint, checkpoint_all_tasks.
Deviates: the image is complete in memory before a byte of it leaves the kernel, so a checkpoint
          that is refused writes nothing but the reason.
"""

from __future__ import annotations

from typing import Any

from cr.context import Checkpoint, Refused
from cr.freezer import checkpoint_freezer
from cr.header import checkpoint_header, checkpoint_machine, checkpoint_tail
from cr.image import types as t
from cr.image.stream import Writer
from cr.mounts import checkpoint_mounts
from cr.sysctl import checkpoint_sysctls
from cr.task import checkpoint_task
from cr.tree import checkpoint_namespaces, checkpoint_tree, tasks_of
from kernel_model.abi.errno import EBUSY, ESRCH, LinuxError
from kernel_model.kernel import Kernel
from kernel_model.task import Task


def checkpoint_container(kernel: Kernel, *, pure: bool = False) -> bytes:
    """The image of everything that runs. Raises Refused.

    The kernel must be between two handlers; nothing in it changes, and no guest can tell.
    """
    return b"".join(container_pieces(kernel, pure=pure))


def container_pieces(kernel: Kernel, *, pure: bool = False) -> list[Any]:
    """The same, not yet put together: the pages are views of guest memory, valid until it runs."""
    live = [task for _, task in sorted(kernel.tasks.items()) if not task.exited]
    if not live:
        raise Refused(ESRCH.errno, "no task is left to checkpoint")
    ctx = Checkpoint(kernel, [], kernel.vfs.root, pure=pure, caller=None)
    if not live[0].is_leader:
        ctx.task = live[0]
        ctx.refuse(EBUSY, "the first thread of the root has ended before the others")
    # A process whose parent is gone belongs to nobody's tree.
    roots = [live[0], *(task for task in live if task.is_leader and task.parent is None)]
    tasks = [task for root in dict.fromkeys(roots) for task in tasks_of(root)]
    several = any(task.nsproxy.net is not kernel.nsproxy.net for task in live)
    return checkpoint_tasks(ctx, tasks, t.CHECKPOINT_NETNS if several else 0)


def checkpoint_into(kernel: Kernel, buffer: bytearray | memoryview, *, pure: bool = False) -> int:
    """Put the image into a buffer that is there; its length. Raises Refused.

    ValueError when the buffer is too short.
    """
    target = memoryview(buffer)
    position = 0
    for piece in container_pieces(kernel, pure=pure):
        target[position : position + len(piece)] = piece
        position += len(piece)
    return position


def checkpoint_tasks(ctx: Checkpoint, tasks: list[Task], uflags: int) -> list[Any]:
    """Write an image of these tasks, the root first; its pieces. Raises Refused."""
    pieces: list[Any] = []
    ctx.netns = bool(uflags & t.CHECKPOINT_NETNS)
    root = tasks[0]
    ctx.mnt, ctx.net, ctx.user_ns = root.nsproxy.mnt, root.nsproxy.net, root.cred.user.namespace
    ctx.image = Writer(pieces, ctx.kernel.abis[0].order)
    try:
        checkpoint_header(ctx, uflags)
        checkpoint_tree(ctx, tasks)
        if not ctx.pure:
            checkpoint_machine(ctx, tasks)
            checkpoint_namespaces(ctx, tasks)
            checkpoint_sysctls(ctx)
            checkpoint_freezer(ctx)
            checkpoint_mounts(ctx)
        for task in tasks:
            call = task.syscall if task is ctx.caller else None
            checkpoint_task(ctx, task, completed=call)
        ctx.task = None
        checkpoint_tail(ctx)
    except LinuxError as error:
        raise Refused(error.errno, str(error)) from error
    return pieces
