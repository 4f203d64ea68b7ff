"""Restart: build tasks from an image, aside; put them in place when all of it was read.

Mirrors:  linux-cr checkpoint/restart.c -- do_restart, restore_task, do_restore_coord.
Deviates: the original restored each task in place and killed it when the image turned out bad;
          here nothing is changed before everything was validated.
"""

from __future__ import annotations

from dataclasses import dataclass

from cr.call_states import hold_group, holds_group
from cr.context import Restart
from cr.freezer import RestoredGroup, install_groups, restore_freezer
from cr.header import MachineState, restore_header, restore_machine, restore_tail
from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.header import Objref
from cr.jobs import check_session, take_terminal
from cr.mounts import RestoredMounts, find_pid_namespaces, restore_mounts
from cr.nameless import give_numbers
from cr.proc_files import find_directories
from cr.signals import start_timers
from cr.sockets import attach_all, link_all
from cr.subsystems import restore_object
from cr.sysctl import install_sysctls, restore_sysctls
from cr.task import (
    TaskParts,
    install,
    install_zombie,
    restore_task,
    restored_state,
    was_sleeping,
)
from cr.tree import Identity, number_task, restore_namespaces, restore_tree
from kernel_model.abi.fcntl import O_NONBLOCK
from kernel_model.boot import bare_task, new_signal_struct
from kernel_model.clock import UNITS_PER_NS
from kernel_model.clone import lend_memory_again
from kernel_model.kernel import Kernel
from kernel_model.signals import SignalStruct
from kernel_model.task import State, Task


@dataclass
class Restored:
    """A whole image, read and validated, not yet in place."""

    identities: list[Identity]
    machine: MachineState | None
    tasks: list[TaskParts]
    groups: list[RestoredGroup]
    next_numbers: dict[int, int]
    """What nested pid namespaces give next, by the number of their init."""
    sysctls: dict[bytes, int]
    """Numbers of /proc/sys that are not as at boot."""


def read_numbers(root: Task, image: bytes) -> list[Identity]:
    """Who is in an image; nothing else of it is looked at. Raises ImageError."""
    ctx = Restart(root.kernel, image, root)
    try:
        restore_header(ctx)
        return restore_tree(ctx)
    finally:
        ctx.end()


def read_image(ctx: Restart, *, running: bool = False) -> Restored:
    """Read and validate an image up to TAIL. Raises ImageError.

    `running`: the kernel has a clock of its own, to which the image's times are moved.
    """
    ctx.mounts = RestoredMounts((), ())  # until they come, there is none to lie in
    ctx.image.on_objref = lambda objref: restore_object(ctx, objref)
    restore_header(ctx)
    identities = restore_tree(ctx)
    machine = restore_machine(ctx)
    next_numbers = restore_namespaces(ctx)
    if running and ctx.image.peek() in (t.HDR_SYSCTL, t.HDR_FREEZER_GROUP):
        ctx.refuse("sysctls and groups of the freezer belong to a whole machine")
    sysctls = restore_sysctls(ctx)
    groups = restore_freezer(ctx)
    if running and ctx.image.peek() == t.HDR_MOUNTS:
        ctx.refuse("mounts belong to a whole machine")
    restore_mounts(ctx)
    if machine is not None:
        ctx.has_machine = True
        then_ns = machine.record.clock_units // UNITS_PER_NS
        if running:
            ctx.clock_shift_ns = ctx.now_ns - then_ns
        else:
            ctx.now_ns = then_ns
    tasks = []
    for identity in identities:
        ctx.image.task = identity.pid
        tasks.append(restore_task(ctx))
    ctx.image.task = None
    if running and any(holds_group(parts.call_state) for parts in tasks):
        ctx.refuse("freezer groups belong to a whole machine")
    restore_tail(ctx)
    link_all(ctx)
    return Restored(identities, machine, tasks, groups, next_numbers, sysctls)


def restart_container(kernel: Kernel, image: bytes | memoryview) -> Task:
    """Restart an image in a kernel that runs nothing yet; the root task.

    Raises ImageError, with the kernel as it was.
    """
    opener = bare_task(kernel, 0)
    ctx: Restart | None = None
    try:
        ctx = Restart(kernel, image, opener)
        ctx.alone = True
        restored = read_image(ctx)
        _check_tree(ctx, restored)
        attach_all(ctx)
        root = _commit(kernel, restored)
        find_pid_namespaces(ctx)
        find_directories(ctx)
        ctx.committed = True
    finally:
        if ctx is not None:
            ctx.end()
        opener.files.drop()
    return root


def join_dead_leaders(restored: Restored) -> None:
    """A first thread that has ended alone shares the signals of those that have not."""
    places = list(zip(restored.identities, restored.tasks))
    dead = {identity.pid: parts for identity, parts in places if parts.dead}
    for identity, parts in places:
        leader = dead.get(identity.tgid)
        if leader is not None and leader.signal is None and not parts.dead:
            leader.signal, leader.sighand = parts.signal, parts.sighand


def _check_tree(ctx: Restart, restored: Restored) -> None:
    join_dead_leaders(restored)
    by_pid = {identity.pid: identity for identity in restored.identities}
    before: set[int] = set()
    leaders: dict[int, object] = {}
    for position, (identity, parts) in enumerate(zip(restored.identities, restored.tasks)):
        if identity.pid in ctx.kernel.tasks:
            ctx.refuse(f"pid {identity.pid} is taken")
        if position == 0 and (parts.dead or identity.pid != identity.tgid):
            ctx.refuse("the root of the tree is no live process")
        if identity.tgid not in by_pid:
            ctx.refuse(f"task {identity.pid} is a thread of {identity.tgid}, which is not there")
        inside = identity.tgid != restored.identities[0].tgid
        if inside and identity.ppid and identity.ppid not in before:
            ctx.refuse(f"the parent of task {identity.pid} is not before it in the tree")
        if not inside and identity.ppid in by_pid:
            ctx.refuse(f"the parent of the root, {identity.ppid}, is in the tree")
        before.add(identity.pid)
        check_session(ctx, parts.signal, identity.sid)
        thread = identity.pid != identity.tgid
        if not thread:
            leaders[identity.pid] = parts.signal
        elif identity.tgid not in leaders:
            ctx.refuse(f"the leader of thread {identity.pid} is not before it in the tree")
        elif parts.dead:
            ctx.refuse(f"a dead thread {identity.pid}")
        elif parts.signal is not leaders[identity.tgid]:
            ctx.refuse(f"thread {identity.pid} does not share the signals of its group")
    check_signals(ctx, restored)


def check_signals(ctx: Restart, restored: Restored) -> None:
    """Each process has signals of its own."""
    groups: dict[SignalStruct, int] = {}
    for identity, parts in zip(restored.identities, restored.tasks):
        if parts.signal is not None:
            group = groups.setdefault(parts.signal, identity.tgid)
            if group != identity.tgid:
                ctx.refuse(f"task {identity.pid} shares its signals with a task of another group")


def _commit(kernel: Kernel, restored: Restored) -> Task:
    """Put everything in place. Nothing here can fail."""
    if restored.machine is not None:
        record = restored.machine.record
        kernel.clock.units = record.clock_units
        kernel.clock.epoch_ns = record.boot_time_ns
        kernel.random.set_state(restored.machine.random_state)
        kernel.pid_ns.next_number = record.next_pid
        chaos = restored.machine.chaos
        kernel.chaos.seed = chaos.seed if chaos is not None else None
        kernel.chaos.wild = chaos is not None and bool(chaos.wild)
        give_numbers(kernel, restored.machine.nameless)
    install_sysctls(kernel, restored.sysctls)
    tasks: dict[int, Task] = {}
    for identity, parts in zip(restored.identities, restored.tasks):
        task = tasks[identity.pid] = _new_task(kernel, identity, parts)
        leader = tasks.get(identity.tgid, task)
        parent = tasks.get(identity.ppid)
        task.parent = leader.parent if task is not leader else parent
        if parent is not None and task is leader:
            parent.children.append(task)
        number_task(task, identity, restored.next_numbers if restored.machine else None)
        if parts.first_of_group:
            take_terminal(task)
    # A timer on executed code counts from what all the threads have executed.
    for parts, task in zip(restored.tasks, tasks.values()):
        if parts.first_of_group:
            start_timers(task)
    install_groups(restored.groups, tasks)
    for parts in restored.tasks:
        hold_group(parts.call_state)
    everybody = list(tasks.values())
    kernel.nsproxy = everybody[0].nsproxy
    if everybody[0].is_container_init:
        kernel.pid_ns.init = everybody[0]
        mm = everybody[0].mm
        if mm is not None and mm.exe is not None and mm.exe.inode is kernel.vfs.devfs.program:
            kernel.own_init = everybody[0]
    _set_running(kernel, restored, everybody)
    kernel.console.begin()
    return everybody[0]


def _new_task(kernel: Kernel, identity: Identity, parts: TaskParts) -> Task:
    task = Task(kernel, identity.pid, kernel.abis[0])
    task.tgid = identity.tgid
    task.signal = parts.signal or new_signal_struct()
    task.signal.threads.append(task)
    task.signal.pgid, task.signal.sid = identity.pgid, identity.sid
    task.signal.run_units = parts.group_units
    task.signal.children_units = parts.children_units
    if parts.dead:
        install_zombie(task, parts)
    else:
        install(task, parts)
    task.state = restored_state(parts)
    kernel.tasks[identity.pid] = task
    return task


def _set_running(kernel: Kernel, restored: Restored, tasks: list[Task]) -> None:
    asleep = [task for task, parts in zip(tasks, restored.tasks) if was_sleeping(parts)]
    ready = [
        task
        for task in tasks
        if task.state is State.RUNNING and task not in asleep and not task.frozen
    ]
    slice_left = kernel.sched.slice_left
    if restored.machine is not None:
        record = restored.machine.record
        place = {pid: position for position, pid in enumerate(record.run_queue)}
        ready.sort(key=lambda task: place.get(task.pid, len(place)))
        asleep.sort(key=lambda task: place.get(task.pid, len(place)))
        slice_left = record.slice_left
    kernel.sched.set_order(ready, slice_left)
    for task in tasks:
        lend_memory_again(task)  # to its child of vfork; a signal may have woken it meanwhile
    for task in asleep:
        # The handler looks again, and goes back to sleep on the queues of this kernel.
        sleep_again(task)
        if task.state is State.RUNNING:
            kernel.sched.enqueue(task)


def sleep_again(task: Task) -> None:
    """Run the handler of a sleeper once: no signal had woken it, so none is looked at.

    One that is pending for the process was given to another thread, which has not run yet. Nor is
    O_NONBLOCK, which came when the task was asleep already (F_SETFL of somebody else).
    """
    held, task.frozen = task.frozen, True
    files = [file for _, file in task.files.items() if file.nonblocking]
    for file in files:
        file.flags &= ~O_NONBLOCK
    task.kernel.calls.resume(task)
    for file in files:
        file.flags |= O_NONBLOCK
    task.frozen = held


__all__ = ["ImageError", "Objref", "read_image", "restart_container", "sleep_again"]
