"""sys_checkpoint and sys_restart.

The image is built whole, then drained into the descriptor like any long write: a pipe that is full
makes the task sleep, and it goes on where it was. Restart collects records up to TAIL in the same
way (never a byte beyond), validates them, and only then changes the caller.

Mirrors:  linux-cr checkpoint/sys.c -- sys_checkpoint, sys_restart; checkpoint.c do_checkpoint;
          restart.c do_restart (the RESTART_TASKSELF path).
Deviates: the ERROR record is written for the first error (the original never wrote one); a failed
          restart leaves the caller as it was (the original killed it).
Not modelled: restarting trees of tasks from inside (coordinator, ghosts).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from cr.checkpoint import checkpoint_tasks
from cr.collect import check_contained
from cr.context import Checkpoint, Refused, Restart
from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.stream import Writer, byte_order
from cr.restart import Restored, read_image
from cr.signals import start_timers
from cr.sockets import attach_all
from cr.task import install
from cr.tree import tasks_of
from kernel_model.abi.errno import (
    EBADF,
    EBUSY,
    EINVAL,
    EPERM,
    EPIPE,
    ESRCH,
    LinuxError,
    NotModelled,
    by_number,
)
from kernel_model.net.sockfs import SocketFile
from kernel_model.pipe import PipeEnd
from kernel_model.syscalls.declare import Fd, Int, Size, syscall
from kernel_model.syscalls.dispatch import Replaced
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.freezer import FreezerCgroup
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

_CHECKPOINT_FLAGS = t.CHECKPOINT_SUBTREE | t.CHECKPOINT_NETNS
_RESTART_FLAGS = (
    t.RESTART_TASKSELF
    | t.RESTART_FROZEN
    | t.RESTART_GHOST
    | t.RESTART_KEEP_LSM
    | t.RESTART_CONN_RESET
)
_NO_LOG = -1
_FRAME = 8
_FIRST_READ = _FRAME + 8
_DRAIN_BYTES = 1 << 20


@dataclass
class Draining:
    """A checkpoint that is complete, on its way into a descriptor."""

    image: bytes
    group: FreezerCgroup | None
    """The freezer group that must not thaw until the image is out."""
    done: int = 0


@dataclass
class Collecting:
    """A restart that is reading its image: complete records, and how much is wanted next."""

    image: bytearray = field(default_factory=bytearray)
    record_start: int = 0
    wanted: int = _FIRST_READ


@syscall()
def checkpoint(task: Task, pid: Int, fd: Fd, flags: Size, logfd: Int) -> int:
    """Write an image of a task tree to `fd`; a positive number, or 0 in the restarted copy."""
    state = task.call_state
    if not isinstance(state, Draining):
        if flags & ~_CHECKPOINT_FLAGS:
            raise EINVAL(f"checkpoint flags {flags:#x}")
        file = _writable(task, fd)
        log = None if logfd == _NO_LOG else _writable(task, logfd)
        state = _build(task, pid, flags, file, log)
        task.call_state = state
    file = _writable(task, fd)
    try:
        while state.done < len(state.image):
            state.done += file.write_some(task, state.image[state.done : state.done + _DRAIN_BYTES])
    except LinuxError:
        _end(task, state)
        raise
    _end(task, state)
    task.kernel.checkpoints += 1
    return task.kernel.checkpoints


def _end(task: Task, state: Draining) -> None:
    task.call_state = None
    if state.group is not None:
        state.group.end_checkpoint()


def _writable(task: Task, fd: int) -> OpenFile:
    file = task.files.get(fd)
    if not file.may_write:
        raise EBADF(f"descriptor {fd} is not open for writing")
    return file


def _build(task: Task, pid: int, flags: int, file: OpenFile, log: OpenFile | None) -> Draining:
    kernel = task.kernel
    root = task if pid in (0, task.pid) else kernel.tasks.get(pid)
    if root is None or root.exited:
        raise ESRCH(f"there is no task {pid}")
    ctx = Checkpoint(kernel, [], root.fs.root, pure=False, caller=task)
    if isinstance(file, PipeEnd):
        ctx.image_pipe = file.pipe
    elif isinstance(file, SocketFile):
        ctx.image_socket = file.socket
    group = root.cgroup if root is not task else None
    try:
        tasks = _tasks(ctx, task, root, flags)
        if group is not None:
            group.begin_checkpoint()
        pieces = checkpoint_tasks(ctx, tasks, flags)
    except Refused as refused:
        text = f"[err -{refused.errno}] {refused.sentence}".encode()[:1000]
        _say(task, log, text)
        record = bytearray()
        Writer(record, kernel.abis[0].order).write_error(text)
        _say(task, file, bytes(record))
        if group is not None:
            group.end_checkpoint()
        raise _error(refused.errno, refused.sentence) from refused
    return Draining(b"".join(pieces), group)


def _tasks(ctx: Checkpoint, caller: Task, root: Task, flags: int) -> list[Task]:
    if not flags & t.CHECKPOINT_SUBTREE and not root.is_container_init:
        ctx.refuse(EINVAL, "Not container init: CHECKPOINT_SUBTREE is needed")
    if root is caller:
        if len(root.signal.threads) > 1 or root.children:
            ctx.refuse(EBUSY, "only a single task can checkpoint itself")
        tasks = [root]
    else:
        tasks = tasks_of(root)
    for task in tasks:
        ctx.task = task
        if task is not caller and not task.frozen:
            ctx.refuse(EBUSY, "Not frozen or wrong cgroup")
        if task is not caller and task.cgroup is not root.cgroup:
            ctx.refuse(EBUSY, "Not frozen or wrong cgroup")
        if not _may_attach(caller, task):
            ctx.refuse(EPERM, "no right to attach to this task")
        if task is not caller and task.call_state is not None:
            ctx.refuse(EBUSY, "a task is in the middle of checkpoint or restart")
    ctx.task = None
    if not flags & t.CHECKPOINT_SUBTREE:
        check_contained(ctx, tasks)
    return tasks


def _may_attach(caller: Task, task: Task) -> bool:
    mine, theirs = caller.cred, task.cred
    same = {theirs.uid, theirs.euid, theirs.suid} == {mine.uid}
    return caller is task or mine.cap("CAP_SYS_PTRACE") or same


def _say(task: Task, file: OpenFile | None, text: bytes) -> None:
    """Tell the reason; a reader who cannot take it now misses it."""
    if file is None:
        return
    try:
        file.write_some(task, text)
    except (LinuxError, Sleep):
        return


def _error(errno: int, sentence: str) -> LinuxError:
    return by_number().get(errno, EINVAL)(sentence)


@syscall(partial="only RESTART_TASKSELF: trees are restarted from outside")
def restart(task: Task, pid: Int, fd: Fd, flags: Size, logfd: Int) -> int:
    """Become the task of an image; what that task's system call returns is returned here."""
    if flags & ~_RESTART_FLAGS:
        raise EINVAL(f"restart flags {flags:#x}")
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("restart needs CAP_SYS_ADMIN")
    if not flags & t.RESTART_TASKSELF:
        raise NotModelled("restart of a tree from inside is not modelled")
    if len(task.signal.threads) > 1:
        raise EBUSY("a process with several threads cannot become one task")
    file = task.files.get(fd)
    if not file.may_read:
        raise EBADF(f"descriptor {fd} is not open for reading")
    log = None if logfd == _NO_LOG else _writable(task, logfd)
    state = task.call_state
    if not isinstance(state, Collecting):
        state = task.call_state = Collecting()
    try:
        _collect(task, state, file)
        _become(task, bytes(state.image), flags)
    except ImageError as bad:
        task.call_state = None
        _say(task, log, f"[err -{bad.errno}] {bad}".encode()[:1000])
        raise _error(bad.errno, str(bad)) from bad
    except LinuxError:
        task.call_state = None
        raise


def _collect(task: Task, state: Collecting, file: OpenFile) -> None:
    """Read whole records up to TAIL. Sleeps where the file does, keeping what was read."""
    limit = task.kernel.ram.frame_count << 13
    while True:
        while len(state.image) < state.wanted:
            piece = file.read_for(task, min(state.wanted - len(state.image), _DRAIN_BYTES))
            if not piece:
                raise EPIPE("the image ends before its tail")
            state.image += piece
        order = byte_order(state.image)
        kind, length = struct.unpack_from(f"{order}II", state.image, state.record_start)
        end = state.record_start + length
        if length < _FRAME or end > limit:
            raise EINVAL(f"a record of {length} bytes at byte {state.record_start}")
        if end > len(state.image):
            state.wanted = end
        elif kind == t.HDR_TAIL:
            return
        else:
            state.record_start = end
            state.wanted = max(end + _FRAME, _FIRST_READ)


def _become(task: Task, image: bytes, flags: int) -> NoReturn:
    ctx = Restart(task.kernel, image, task)
    ctx.conn_reset = bool(flags & t.RESTART_CONN_RESET)
    try:
        restored = read_image(ctx, only_task=True)
        if restored.tasks[0].dead:
            ctx.refuse("a dead task cannot be restored into a live one")
        attach_all(ctx)
        _commit(task, restored)
        ctx.committed = True
    finally:
        ctx.end()
    raise Replaced


def _commit(task: Task, restored: Restored) -> None:
    """Let go of what the caller was, and put the restored parts in place."""
    parts = restored.tasks[0]
    old = (task.mm, task.files, task.fs, task.sighand)
    old_undo = task.sem_undo
    pgid, sid = task.signal.pgid, task.signal.sid
    for timer in task.signal.itimers:
        if timer.timer is not None:
            task.kernel.clock.cancel(timer.timer)
    assert parts.signal is not None
    task.signal = parts.signal
    task.signal.threads.append(task)
    task.signal.pgid, task.signal.sid = pgid, sid
    task.signal.run_units = parts.group_units
    task.signal.children_units = parts.children_units
    install(task, parts)
    start_timers(task)
    task.call_state = None
    for thing in old:
        if thing is not None:
            thing.drop()
    if old_undo is not None:
        old_undo.drop(task.tgid)
