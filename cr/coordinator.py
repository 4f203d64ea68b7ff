"""Restart from inside: user space has built the tree, the kernel fills it.

Somebody (guests/tools/restart.c, or the original's tool) has made one task for each task of the
image, by fork and eclone, with the numbers that the image names. Each of them calls restart(0) and
waits. The coordinator, their root's parent, calls restart(root) with the image; when it has read
all of it, and everybody has come, each task becomes what the image says, in one step:

    tasks that were zombies exit with the saved code, and nobody hears of it (PF_RESTARTING);
    ghosts, who only lent their number to a session or a group, are gone;
    all others go on in the saved program.

So the whole act succeeds, or nobody is left: if it fails, the coordinator kills the tree and
returns the error. A restarting task that somebody kills before that makes it fail.

Mirrors:  linux-cr checkpoint/restart.c -- do_restore_coord, do_restore_task, do_ghost_task,
          prepare_descendants, restore_task_pgid (in kernel/sys.c there).
Deviates: the original lets each task restore itself when its turn comes; here all is read and
          validated first, so a tree is never half restored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn

from cr.call_states import Coordinating, Restarting, tell_coordinator
from cr.context import Restart
from cr.image import types as t
from cr.jobs import adopt_terminal
from cr.proc_files import find_directories
from cr.restart import (
    Restored,
    check_signals,
    join_dead_leaders,
    read_image,
    read_numbers,
    sleep_again,
)
from cr.signals import start_timers
from cr.sockets import attach_all
from cr.task import TaskParts, install, install_zombie, restored_state, was_sleeping
from cr.transport import refuse_interruption
from cr.tree import Identity, tasks_of
from kernel_model.abi.errno import EBUSY, EINTR, EINVAL, EPERM, ESRCH
from kernel_model.clone import lend_memory_again
from kernel_model.exit import exit_task, reap
from kernel_model.freezer import FreezerState
from kernel_model.syscalls.dispatch import Replaced
from kernel_model.task import State
from kernel_model.waitqueue import Restart as SignalRestart
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task


# ---- the restarting task


def wait_to_become(task: Task, *, ghost: bool) -> NoReturn:
    """restart(0): sleep until a coordinator has made somebody else of this task."""
    state = task.call_state
    if not isinstance(state, Restarting):
        state = task.call_state = Restarting(ghost=ghost)
        tell_coordinator(task)
    if task.has_signal():
        task.call_state = None
        tell_coordinator(task)
        raise EINTR("a signal came before the restart")
    raise Sleep(state.queue, restart=SignalRestart.ERESTARTNOINTR)


# ---- the coordinator


def find_tree(task: Task, state: Coordinating, pid: int) -> None:
    """Whom restart(root) is about. Raises ESRCH, EPERM, EBUSY."""
    root = task.find(pid)
    if root is None or root.parent is None or root.parent.signal is not task.signal:
        raise ESRCH(f"the caller has no child {pid}")
    state.tree = tasks_of(root)
    for member in state.tree:
        _check_member(task, member)


def coordinate(task: Task, state: Coordinating, image: bytes, flags: int) -> None:
    """restart(root) with the whole image read: wait for the tree, then restart it."""
    root = state.tree[0]
    members = _members(image, state, root)
    if members is None:
        refuse_interruption(task)
        raise Sleep(state.queue)
    ctx = Restart(task.kernel, image, root, flags)
    try:
        restored = read_image(ctx, running=True)
        _check_tree(ctx, restored, members)
        attach_all(ctx)
        _commit(state, restored, members)
        find_directories(ctx)
        ctx.committed = True
    finally:
        ctx.end()
    if flags & t.RESTART_FROZEN and root.cgroup is not None:
        root.cgroup.set_state(FreezerState.FROZEN.value.encode())


def _check_member(task: Task, member: Task) -> None:
    if member.state is State.ZOMBIE:
        return
    mine, theirs = task.cred, member.cred
    if not mine.cap("CAP_SYS_PTRACE") and {theirs.uid, theirs.euid, theirs.suid} != {mine.uid}:
        raise EPERM(f"no right to attach to task {member.vpid}")
    if isinstance(member.call_state, Coordinating):
        raise EBUSY(f"task {member.vpid} is a coordinator itself")


def _members(
    image: bytes, state: Coordinating, root: Task, caller: Task | None = None
) -> list[Task] | None:
    """The live task for each task of the image; None when not everybody has come yet.

    Whoever is no `caller` must have called restart too.
    """
    identities = read_numbers(root, image)
    living = [member for member in state.tree if not member.exited]
    if len(living) < len(identities):
        raise ESRCH(f"{len(identities)} tasks are in the image, {len(living)} are here")
    members = []
    for identity in identities:
        member = root.find(identity.pid)
        if member is None or member not in living:
            raise ESRCH(f"there is no task {identity.pid} below the root")
        members.append(member)
    expected = [other for other in _expected(state, members) if other is not caller]
    if any(not isinstance(other.call_state, Restarting) for other in expected):
        return None
    for member in members:
        if isinstance(member.call_state, Restarting) and member.call_state.ghost:
            raise EINVAL(f"task {member.vpid} is a ghost, but the image has it")
    return members


def _expected(state: Coordinating, members: list[Task]) -> Iterator[Task]:
    """All tasks of the image, and the other threads of their processes."""
    for member in members:
        yield from (thread for thread in member.signal.threads if not thread.exited)


def _check_tree(
    ctx: Restart, restored: Restored, members: list[Task], *, groups: bool = True
) -> None:
    """What the tasks are to become must fit what they are; `groups`: process groups too."""
    join_dead_leaders(restored)
    places = zip(restored.identities, restored.tasks, members)
    root = members[0]
    by_tgid: dict[int, TaskParts] = {}
    for identity, parts, member in places:
        if member.pid_ns.level - members[0].pid_ns.level != identity.depth:
            ctx.refuse(f"task {identity.pid} is {identity.depth} pid namespaces below the root's")
        if root.pid_ns.number_of(member.tgid) != identity.tgid:
            ctx.refuse(f"task {identity.pid} is no thread of {identity.tgid}")
        if parts.dead and not member.is_leader:
            ctx.refuse(f"a dead thread {identity.pid}")
        if parts.dead and parts.signal is None and len(member.signal.threads) > 1:
            ctx.refuse(f"the dead task {identity.pid} has threads")
        if not member.is_leader and identity.tgid not in by_tgid:
            ctx.refuse(f"the leader of thread {identity.pid} is not before it in the tree")
        leader = by_tgid.setdefault(identity.tgid, parts)
        if parts.signal is not leader.signal:
            ctx.refuse(f"thread {identity.pid} does not share the signals of its group")
        if member.is_leader and groups:
            _check_group(ctx, identity, member, root)
    check_signals(ctx, restored)
    if restored.tasks[0].dead:
        ctx.refuse("the root of the tree is dead")


def _check_group(ctx: Restart, identity: Identity, member: Task, root: Task) -> None:
    """Its process group must be one that it could join with setpgid."""
    wanted = root.pid_ns.find(identity.pgid) if identity.pgid else member.signal.pgid
    if wanted == member.signal.pgid:
        return
    if member.signal.sid == member.tgid:
        ctx.refuse(f"session leader {identity.pid} cannot move to group {identity.pgid}")
    leader = ctx.kernel.tasks.get(wanted)
    if leader is None or leader.signal.sid != member.signal.sid:
        ctx.refuse(f"there is no group {identity.pgid} in the session of task {identity.pid}")


def _commit(
    state: Coordinating, restored: Restored, members: list[Task], caller: Task | None = None
) -> None:
    """Everybody becomes what the image says. Nothing here can fail.

    A `caller` of 2008, who is one of them, does so itself; nobody changes his process group then.
    """
    places = list(zip(restored.identities, restored.tasks, members))
    for identity, _, member in places:
        if member.is_leader and identity.pgid and caller is None:
            member.signal.pgid = members[0].pid_ns.find(identity.pgid)
    ghosts = [task for task in state.tree if task not in members]
    for ghost in ghosts:
        if isinstance(ghost.call_state, Restarting) and ghost.call_state.ghost:
            _vanish(ghost)
    for _, parts, member in places:
        if member is caller:
            continue
        leave_call(member)
        if parts.dead:
            _become_zombie(member, parts)
        else:
            become(member, parts, members[0])
    _start_timers((parts, member) for _, parts, member in places if member is not caller)
    _wake(restored, members, caller)


def _start_timers(members: Iterable[tuple[TaskParts, Task]]) -> None:
    # Timers on executed code count from what all the threads of a process have executed.
    for parts, task in members:
        if parts.first_of_group:
            start_timers(task)


def _vanish(ghost: Task) -> None:
    """A ghost dies, and nobody has to wait for it."""
    leave_call(ghost)
    ghost.restarting = True
    exit_task(ghost, 0)
    if ghost.state is State.ZOMBIE:
        reap(ghost)


def _become_zombie(task: Task, parts: TaskParts) -> None:
    task.restarting = True
    exit_task(task, parts.record.exit_code)
    task.restarting = False
    install_zombie(task, parts)
    if parts.signal is not None:  # its threads live on
        parts.signal.pgid, parts.signal.sid = task.signal.pgid, task.signal.sid
        task.signal = parts.signal
        task.signal.threads.append(task)
    task.signal.run_units = parts.group_units
    task.signal.children_units = parts.children_units


def leave_call(task: Task) -> None:
    """The task is in restart(0) no more."""
    task.call_state = None
    task.wake()
    task.kernel.sched.dequeue(task)


def become(task: Task, parts: TaskParts, root: Task) -> None:
    """Let go of what the task was, and put the restored parts in place."""
    kernel = task.kernel
    old = (task.mm, task.files, task.fs, task.sighand)
    old_undo, old_signal = task.sem_undo, task.signal
    assert parts.signal is not None
    if parts.first_of_group:
        for timer in old_signal.itimers:
            if timer.timer is not None:
                kernel.clock.cancel(timer.timer)
        parts.signal.run_units = parts.group_units
        parts.signal.children_units = parts.children_units
    task.signal = parts.signal
    task.signal.threads.append(task)
    task.signal.pgid, task.signal.sid = old_signal.pgid, old_signal.sid
    install(task, parts)
    if parts.first_of_group:
        adopt_terminal(task, old_signal.tty, root)
    for thing in old:
        if thing is not None:
            thing.drop()
    if old_undo is not None:
        old_undo.drop(task.vtgid)


def _wake(restored: Restored, members: list[Task], caller: Task | None) -> None:
    """Who ran goes on running, in the saved order; who slept sleeps again."""
    kernel = members[0].kernel
    place: dict[int, int] = {}
    if restored.machine is not None:
        queue = restored.machine.record.run_queue
        place = {pid: position for position, pid in enumerate(queue)}
    last = len(place)
    awake = sorted(zip(members, restored.tasks), key=lambda pair: place.get(pair[0].vpid, last))
    asleep = []
    for task, parts in awake:
        if task is caller:
            continue
        task.state = restored_state(parts)
        if parts.dead or task.state is not State.RUNNING:
            continue
        if was_sleeping(parts):
            asleep.append(task)
        else:
            kernel.sched.enqueue(task)
    for task, _ in awake:
        lend_memory_again(task)  # to its child of vfork; a signal may have woken it meanwhile
    for task in asleep:
        sleep_again(task)
        if task.state is State.RUNNING:
            kernel.sched.enqueue(task)


# ---- the caller itself is a task of the image


def become_root(task: Task, state: Coordinating, image: bytes) -> NoReturn:
    """v9 to v13: the root reads the image, waits for the others, and becomes its first task.

    An image of one task may have been another process's; the numbers of a tree must be its own.
    """
    if len(read_numbers(task, image)) == 1:
        become_alone(task, image, 0)
    state.tree = tasks_of(task)[1:]
    whole = Coordinating()
    whole.tree = [task, *state.tree]
    members = _members(image, whole, task, task)
    if members is None:
        refuse_interruption(task)
        raise Sleep(state.queue)
    ctx = Restart(task.kernel, image, task)
    try:
        restored = read_image(ctx, running=True)
        _check_tree(ctx, restored, members, groups=False)
        if members[0] is not task:
            ctx.refuse(f"the root of the image is task {members[0].vpid}, not its reader")
        attach_all(ctx)
        _commit(state, restored, members, task)
        become(task, restored.tasks[0], task)
        _start_timers([(restored.tasks[0], task)])
        find_directories(ctx)
        ctx.committed = True
    finally:
        ctx.end()
    raise Replaced


def become_alone(task: Task, image: bytes, flags: int) -> NoReturn:
    """RESTART_TASKSELF: the caller becomes the only task of the image."""
    ctx = Restart(task.kernel, image, task, flags)
    try:
        if len(read_numbers(task, image)) != 1:
            ctx.refuse("an image of several tasks cannot be restored into one")
        restored = read_image(ctx, running=True)
        if restored.tasks[0].dead:
            ctx.refuse("a dead task cannot be restored into a live one")
        attach_all(ctx)
        become(task, restored.tasks[0], task)
        _start_timers([(restored.tasks[0], task)])
        find_directories(ctx)
        ctx.committed = True
    finally:
        ctx.end()
    raise Replaced
