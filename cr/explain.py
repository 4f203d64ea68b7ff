"""Can this be checkpointed, and if not, why? Asked without taking an image.

The answer is the checkpoint's own: each part of a task is written into an image that nobody keeps,
and what refuses there is the answer here. So question and act cannot drift apart.

`/proc/PID/checkpointable` has a line for each resource of a task, `/proc/PID/fdinfo/N` one more:

    mm: 1
    files: 0 (an open device was unlinked)

Mirrors:  Dave Hansen's proposal of February 2009, which asked a flag of the file system; the design
          that Oren Laadan's patches took instead, looking at the moment of the checkpoint.
Deviates: the reason is told in the first file too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cr.call_states import checkpoint_call_state
from cr.checkpoint import container_pieces
from cr.context import Checkpoint, Refused
from cr.creds import checkpoint_cred
from cr.files import checkpoint_file, checkpoint_table
from cr.generations import generation_of
from cr.image import types as t
from cr.image.errors import ImageError
from cr.ipc import checkpoint_undo
from cr.memory import checkpoint_mm
from cr.namespaces import checkpoint_ns
from cr.regular import checkpoint_fs
from cr.restart_block import checkpoint_restart_block
from cr.signals import checkpoint_sighand, checkpoint_signal, checkpoint_thread_signals
from cr.sysctl import SYSCTLS
from kernel_model.abi.errno import LinuxError
from kernel_model.kernel import Kernel
from kernel_model.task import Task
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.procfs import MoreFiles

Check = Callable[[Checkpoint, Task], object]


@dataclass(frozen=True)
class Answer:
    """Whether one resource of a task can be checkpointed; an empty reason says yes."""

    resource: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.resource}: 0 ({self.reason})" if self.reason else f"{self.resource}: 1"


def _signals(ctx: Checkpoint, task: Task) -> None:
    ctx.write_object(t.OBJ_SIGHAND, task.sighand, checkpoint_sighand)
    checkpoint_signal(ctx, task)
    checkpoint_thread_signals(ctx, task)


def _call(ctx: Checkpoint, task: Task) -> None:
    checkpoint_restart_block(ctx, task)
    checkpoint_call_state(ctx, task)


def _undo(ctx: Checkpoint, task: Task) -> None:
    if task.sem_undo is not None:
        ctx.write_object(t.OBJ_SEM_UNDO, task.sem_undo, checkpoint_undo)


RESOURCES: Mapping[str, Check] = MappingProxyType(
    {
        "call": _call,
        "creds": lambda ctx, task: ctx.write_object(t.OBJ_CRED, task.cred, checkpoint_cred),
        "namespaces": lambda ctx, task: ctx.write_object(t.OBJ_NS, task.nsproxy, checkpoint_ns),
        "files": lambda ctx, task: ctx.write_object(t.OBJ_FILE_TABLE, task.files, checkpoint_table),
        "mm": lambda ctx, task: ctx.write_object(t.OBJ_MM, task.mm, checkpoint_mm),
        "fs": lambda ctx, task: ctx.write_object(t.OBJ_FS, task.fs, checkpoint_fs),
        "sem_undo": _undo,
        "signals": _signals,
    }
)
"""In the order in which an image has them."""


def explain(task: Task, *, pure: bool = False) -> list[Answer]:
    """An answer for each resource of a live task; none for a zombie, which can always be saved."""
    if task.exited:
        return []
    answers = [Answer(name, _reason(task, check, pure)) for name, check in RESOURCES.items()]
    return [*answers, Answer("flags", f"PF_NOCR: {task.nocr}")] if task.nocr else answers


def explain_file(task: Task, file: OpenFile, *, pure: bool = False) -> str:
    """Why an open file cannot be checkpointed; nothing if it can."""
    return _reason(task, lambda ctx, _: ctx.write_object(t.OBJ_FILE, file, checkpoint_file), pure)


def explain_container(kernel: Kernel, *, pure: bool = False) -> str:
    """Why the whole machine cannot be checkpointed now; nothing if it can.

    A pure image of an older kernel is one of its tree's dialect, which has less room.
    """
    generation = generation_of(kernel)
    try:
        pieces = container_pieces(kernel, pure=pure)
        if pure and not generation.is_native:
            generation.write(b"".join(pieces))
    except Refused as refused:
        return refused.sentence
    except ImageError as bad:
        return bad.sentence
    return ""


def _reason(task: Task, check: Check, pure: bool) -> str:
    ctx = Checkpoint(task.kernel, [], task.fs.root, pure=pure, caller=task)
    ctx.task, ctx.pid_ns, ctx.mnt = task, task.pid_ns, task.nsproxy.mnt
    ctx.user_ns, ctx.netns = task.cred.user.namespace, True
    try:
        check(ctx, task)
    except Refused as refused:
        return refused.reason
    except LinuxError as error:
        return str(error)
    return ""


# ---- in /proc


def _checkpointable(task: Task) -> bytes:
    return "".join(f"{answer}\n" for answer in explain(task)).encode()


def _of_file(task: Task, file: OpenFile) -> bytes:
    return f"{Answer('checkpointable', explain_file(task, file))}\n".encode()


PROC_FILES = MoreFiles({b"checkpointable": _checkpointable}, (_of_file,), SYSCTLS)
