"""What the kernels of 2008 refused, before they wrote the first byte of a task.

They saved private memory and files of a file system, nothing else; whatever the format of those
days has no place for besides (signal handlers, timers, other users ...) they lost in silence. Here
it is refused with ENOSYS when the image is put into that format (`Generation.write`).

Mirrors:  linux-cr v6 to v13, checkpoint/checkpoint.c cr_may_checkpoint_task, cr_write_task;
          ckpt_mem.c cr_write_vma; ckpt_file.c cr_write_fd_data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cr.context import Checkpoint
from kernel_model.abi.errno import EAGAIN, EBADF, ENOSYS, EPERM
from kernel_model.vfs.openfile import DirectoryFile, RegularFile

if TYPE_CHECKING:
    from kernel_model.task import Task

# SHARED MAYSHARE IO HUGETLB NONLINEAR
_REFUSED_FLAGS = 0x8 | 0x80 | 0x4000 | 0x400000 | 0x800000


def refuse_what_they_refused(ctx: Checkpoint, tasks: list[Task]) -> None:
    """Raises Refused for the first of the tasks that such a kernel did not save."""
    root = tasks[0]
    for task in tasks:
        ctx.task = task
        if task.exited:
            ctx.refuse(EAGAIN, "a dead task")
        if task.nsproxy is not root.nsproxy:
            ctx.refuse(EPERM, "in other namespaces than the root")
    for task in tasks:
        ctx.task = task
        _memory(ctx, task)
        _files(ctx, task)
    ctx.task = None


def _memory(ctx: Checkpoint, task: Task) -> None:
    assert task.mm is not None
    for vma in task.mm.vmas:
        if vma.flags & _REFUSED_FLAGS:
            ctx.refuse(ENOSYS, f"a mapping at {vma.start:#x} that is not plain and private")


def _files(ctx: Checkpoint, task: Task) -> None:
    for fd, file in task.files.items():
        if not isinstance(file, RegularFile | DirectoryFile):
            ctx.refuse(EBADF, f"descriptor {fd} is no regular file and no directory")
