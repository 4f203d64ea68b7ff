"""sys_checkpoint and sys_restart, with the four arguments that they have from v19 on.

Who may call them, with what; the images themselves are moved by `transport`, trees are restarted
by `coordinator`. What differs from one tree to another is in `generations`; the calls of older
ones, with three arguments, are in `syscalls_2009` and `syscalls_2008`.

Mirrors:  linux-cr checkpoint/sys.c -- sys_checkpoint, sys_restart; checkpoint.c do_checkpoint.
Deviates: the ERROR record is written for the first error (the original never wrote one); a failed
          RESTART_TASKSELF leaves the caller as it was (the original killed it).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cr.call_states import Collecting, Coordinating, Draining
from cr.checkpoint import checkpoint_tasks
from cr.collect import check_contained, check_visited
from cr.context import Checkpoint, Refused
from cr.coordinator import become_alone, coordinate, find_tree, wait_to_become
from cr.generations import Generation, generation_of
from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.stream import Writer
from cr.refusals_2008 import refuse_what_they_refused
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

NO_LOG = -1


@syscall()
def checkpoint(task: Task, pid: Int, fd: Fd, flags: Size, logfd: Int) -> int:
    """Write an image of a task tree to `fd`; a positive number, or 0 in the restarted copy."""
    return checkpoint_to(task, pid, fd, flags, logfd)


def checkpoint_to(task: Task, pid: int, fd: int, flags: int, logfd: int = NO_LOG) -> int:
    """What `checkpoint` does, in any generation."""
    state = task.call_state
    if not isinstance(state, Draining):
        if flags & ~generation_of(task.kernel).checkpoint_flags:
            raise EINVAL(f"checkpoint flags {flags:#x}")
        require(task, CHECKPOINT)
        file = _writable(task, fd)
        log = None if logfd == NO_LOG else _writable(task, logfd)
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
    kernel, generation = task.kernel, generation_of(task.kernel)
    root = task if pid == 0 else task.find(pid)
    if root is None or root.exited:
        raise ESRCH(f"there is no task {pid}")
    root = root.signal.leader
    ctx = Checkpoint(kernel, [], root.fs.root, pure=not generation.is_native, caller=task)
    if isinstance(file, PipeEnd):
        ctx.image_pipe = file.pipe
    elif isinstance(file, SocketFile):
        ctx.image_socket = file.socket
    group = None
    try:
        tasks = _tasks(ctx, task, root, flags)
        contained = generation.has_containers and not flags & t.CHECKPOINT_SUBTREE
        if generation.has_containers:
            group = next(iter(_groups(task, tasks)), None)
        if group is not None:
            group.begin_checkpoint()
        found = check_contained(ctx, tasks) if contained else None
        pieces = checkpoint_tasks(ctx, tasks, flags)
        if found is not None:
            check_visited(ctx, found)
        image = _in_dialect(generation, pieces)
    except Refused as refused:
        text = f"[err -{refused.errno}] {refused.sentence}".encode()[:1000]
        _say(task, log, text + b"\n")
        if generation.string_type:
            record = bytearray()
            Writer(record, kernel.abis[0].order).write_error(text, generation.string_type)
            _say(task, file, bytes(record))
        if group is not None:
            group.end_checkpoint()
        raise _error(refused.errno, refused.sentence) from refused
    return Draining(image, group)


def _in_dialect(generation: Generation, pieces: list[Any]) -> bytes:
    """The image as the kernel's tree has it. Raises Refused for what it had no place for."""
    try:
        return generation.write(b"".join(pieces))
    except ImageError as bad:
        raise Refused(bad.errno, str(bad)) from bad


def _tasks(ctx: Checkpoint, caller: Task, root: Task, flags: int) -> list[Task]:
    generation = generation_of(caller.kernel)
    tasks = tasks_of(root) if generation.has_trees else list(root.signal.threads)
    if not generation.has_containers:
        for ctx.task in tasks:
            if not _may_attach(caller, ctx.task):
                ctx.refuse(EPERM, "no right to look at this task")
        refuse_what_they_refused(ctx, tasks)
        return tasks
    if not flags & t.CHECKPOINT_SUBTREE and not root.is_container_init:
        ctx.refuse(EINVAL, "Not container init: CHECKPOINT_SUBTREE is needed")
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
    return restart_from(task, pid, fd, flags, logfd)


def restart_from(task: Task, pid: int, fd: int, flags: int, logfd: int = NO_LOG) -> int:
    """What `restart` does, in the generations that have coordinators (from v14 on)."""
    if flags & ~generation_of(task.kernel).restart_flags:
        raise EINVAL(f"restart flags {flags:#x}")
    if pid == 0:
        if flags & ~t.RESTART_GHOST:
            raise EINVAL(f"restart flags {flags:#x} of a task that waits to be restarted")
        wait_to_become(task, ghost=bool(flags & t.RESTART_GHOST))
    if flags & t.RESTART_GHOST:
        raise EINVAL("a ghost waits to be restarted: its pid is 0")
    require(task, RESTART)
    alone = bool(flags & t.RESTART_TASKSELF)
    if alone:
        refuse_threads(task)
    file = readable(task, fd)
    log = None if logfd == NO_LOG else _writable(task, logfd)
    state = task.call_state
    if not isinstance(state, Collecting) or isinstance(state, Coordinating) is alone:
        state = task.call_state = Collecting() if alone else Coordinating()
    with refusals_told(task, log):
        if isinstance(state, Coordinating):
            find_tree(task, state, pid)
        collect(task, state, file)
        image = native(task, state)
        if not isinstance(state, Coordinating):
            become_alone(task, image, flags)
        coordinate(task, state, image, flags)
    task.call_state = None
    return 0


def refuse_threads(task: Task) -> None:
    """Raises EBUSY if the caller cannot become one task."""
    if len(task.signal.threads) > 1:
        raise EBUSY("a process with several threads cannot become one task")


def readable(task: Task, fd: int) -> OpenFile:
    """The open file of a descriptor. Raises EBADF."""
    file = task.files.get(fd)
    if not file.may_read:
        raise EBADF(f"descriptor {fd} is not open for reading")
    return file


def native(task: Task, state: Collecting) -> bytes:
    """The image that was read, in the dialect that restart knows. Raises ImageError."""
    if state.native is None:
        state.native = generation_of(task.kernel).read(bytes(state.image))
    return state.native


@contextmanager
def refusals_told(task: Task, log: OpenFile | None = None) -> Iterator[None]:
    """What refuses an image ends the call, with an errno, and with a sentence in the log."""
    try:
        yield
    except ImageError as bad:
        _end(task)
        _say(task, log, f"[err -{bad.errno}] {bad}".encode()[:1000] + b"\n")
        raise _error(bad.errno, str(bad)) from bad
    except LinuxError as error:
        _end(task)
        _say(task, log, f"[err -{error.errno}] {error}".encode()[:1000] + b"\n")
        raise
