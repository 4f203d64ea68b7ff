"""sys_checkpoint and sys_restart.

Who may call them, with what; the images themselves are moved by `transport`, trees are restarted
by `coordinator`.

Mirrors:  linux-cr checkpoint/sys.c -- sys_checkpoint, sys_restart; checkpoint.c do_checkpoint.
Deviates: the ERROR record is written for the first error (the original never wrote one); a failed
          RESTART_TASKSELF leaves the caller as it was (the original killed it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cr.call_states import Collecting, Coordinating, Draining
from cr.checkpoint import checkpoint_tasks
from cr.collect import check_contained, check_visited
from cr.context import Checkpoint, Refused
from cr.coordinator import become_alone, coordinate, find_tree, wait_to_become
from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.stream import Writer
from cr.sysctl import CHECKPOINT, RESTART, require
from cr.transport import collect, drain
from cr.tree import tasks_of
from kernel_model.abi.errno import EBADF, EBUSY, EINVAL, EPERM, ESRCH, LinuxError, by_number
from kernel_model.net.sockfs import SocketFile
from kernel_model.pipe import PipeEnd
from kernel_model.syscalls.declare import Fd, Int, Size, syscall
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


@syscall()
def checkpoint(task: Task, pid: Int, fd: Fd, flags: Size, logfd: Int) -> int:
    """Write an image of a task tree to `fd`; a positive number, or 0 in the restarted copy."""
    state = task.call_state
    if not isinstance(state, Draining):
        if flags & ~_CHECKPOINT_FLAGS:
            raise EINVAL(f"checkpoint flags {flags:#x}")
        require(task, CHECKPOINT)
        file = _writable(task, fd)
        log = None if logfd == _NO_LOG else _writable(task, logfd)
        task.call_state = state = _build(task, pid, flags, file, log)
    try:
        drain(task, state, _writable(task, fd))
    except LinuxError:
        _end(task)
        raise
    _end(task)
    task.kernel.checkpoints += 1
    return task.kernel.checkpoints


def _end(task: Task) -> None:
    """The call is over: whatever waits for it may go on."""
    if task.call_state is not None:
        state, task.call_state = task.call_state, None
        state.abandon(task)


def _writable(task: Task, fd: int) -> OpenFile:
    file = task.files.get(fd)
    if not file.may_write:
        raise EBADF(f"descriptor {fd} is not open for writing")
    return file


def _build(task: Task, pid: int, flags: int, file: OpenFile, log: OpenFile | None) -> Draining:
    kernel = task.kernel
    root = task if pid == 0 else task.find(pid)
    if root is None or root.exited:
        raise ESRCH(f"there is no task {pid}")
    root = root.signal.leader
    ctx = Checkpoint(kernel, [], root.fs.root, pure=False, caller=task)
    if isinstance(file, PipeEnd):
        ctx.image_pipe = file.pipe
    elif isinstance(file, SocketFile):
        ctx.image_socket = file.socket
    group = None
    try:
        tasks = _tasks(ctx, task, root, flags)
        group = next(iter(_groups(task, tasks)), None)
        if group is not None:
            group.begin_checkpoint()
        found = None if flags & t.CHECKPOINT_SUBTREE else check_contained(ctx, tasks)
        pieces = checkpoint_tasks(ctx, tasks, flags)
        if found is not None:
            check_visited(ctx, found)
    except Refused as refused:
        text = f"[err -{refused.errno}] {refused.sentence}".encode()[:1000]
        _say(task, log, text + b"\n")
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
    tasks = tasks_of(root)
    groups = _groups(caller, tasks)
    for task in tasks:
        if task.exited:
            continue  # a zombie cannot move, and belongs to no group
        ctx.task = task
        if task is not caller and (not task.frozen or task.cgroup is not groups[0]):
            ctx.refuse(EBUSY, "Not frozen or wrong cgroup")
        if not _may_attach(caller, task):
            ctx.refuse(EPERM, "no right to attach to this task")
    ctx.task = None
    return tasks


def _groups(caller: Task, tasks: list[Task]) -> list[FreezerCgroup | None]:
    """The freezer groups of all who must be frozen: the caller runs, a zombie has none."""
    return [task.cgroup for task in tasks if task is not caller and not task.exited]


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


@syscall()
def restart(task: Task, pid: Int, fd: Fd, flags: Size, logfd: Int) -> int:
    """Restart the tree of `pid`; or wait to be restarted (0); or become the task of an image.

    What the restored task's own system call returns is returned in its place.
    """
    if flags & ~_RESTART_FLAGS:
        raise EINVAL(f"restart flags {flags:#x}")
    if pid == 0:
        if flags & ~t.RESTART_GHOST:
            raise EINVAL(f"restart flags {flags:#x} of a task that waits to be restarted")
        wait_to_become(task, ghost=bool(flags & t.RESTART_GHOST))
    if flags & t.RESTART_GHOST:
        raise EINVAL("a ghost waits to be restarted: its pid is 0")
    require(task, RESTART)
    alone = bool(flags & t.RESTART_TASKSELF)
    if alone and len(task.signal.threads) > 1:
        raise EBUSY("a process with several threads cannot become one task")
    file = task.files.get(fd)
    if not file.may_read:
        raise EBADF(f"descriptor {fd} is not open for reading")
    log = None if logfd == _NO_LOG else _writable(task, logfd)
    state = task.call_state
    if not isinstance(state, Collecting) or isinstance(state, Coordinating) is alone:
        state = task.call_state = Collecting() if alone else Coordinating()
    try:
        if isinstance(state, Coordinating):
            find_tree(task, state, pid)
        collect(task, state, file)
        if not isinstance(state, Coordinating):
            become_alone(task, bytes(state.image), flags)
        coordinate(task, state, flags)
    except ImageError as bad:
        _end(task)
        _say(task, log, f"[err -{bad.errno}] {bad}".encode()[:1000] + b"\n")
        raise _error(bad.errno, str(bad)) from bad
    except LinuxError as error:
        _end(task)
        _say(task, log, f"[err -{error.errno}] {error}".encode()[:1000] + b"\n")
        raise
    task.call_state = None
    return 0
