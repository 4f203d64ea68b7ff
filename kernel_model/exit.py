"""The end of tasks, and what their families hear of it.

A thread that is not the leader goes at once. A leader stays as a zombie until its parent has asked
for its exit code, and is told only when the last of its threads is gone.

Mirrors: Linux kernel/exit.c (do_exit, exit_notify, forget_original_parent, release_task).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model import posix_timers
from kernel_model.abi.errno import EFAULT
from kernel_model.clock import UNITS_PER_NS
from kernel_model.futex import leave_robust_futexes
from kernel_model.jobs import note_orphaned
from kernel_model.pi_futex import bequeath, owned_by
from kernel_model.pids import forget_number, release_numbers
from kernel_model.signals import (
    NSIG,
    SA_NOCLDWAIT,
    SIG_IGN,
    SIGCHLD,
    SIGKILL,
    SigInfo,
    send,
)
from kernel_model.task import State
from kernel_model.tty.terminal import disassociate

if TYPE_CHECKING:
    from kernel_model.task import Task

CLD_EXITED, CLD_KILLED, CLD_DUMPED, CLD_STOPPED, CLD_CONTINUED = 1, 2, 3, 5, 6
CLOCK_TICK_NS = 10_000_000


def exit_task(task: Task, code: int) -> None:
    """End a thread: give back what it held, and tell its parent."""
    kernel, signal = task.kernel, task.signal
    task.exit_code = code if signal.group_exit_code is None else signal.group_exit_code
    task.wake()
    task.unstop()
    kernel.sched.dequeue(task)
    leave_memory(task)
    finish_vfork(task)
    task.state = State.ZOMBIE
    task.syscall, task.interrupted, task.restart_block = None, None, None
    if task.call_state is not None:
        state, task.call_state = task.call_state, None
        state.abandon(task)
    task.frozen = False
    if task.cgroup is not None:
        del task.cgroup.tasks[task.pid]
        task.cgroup = None
    task.regs.leave()
    _release(task)
    signal.run_units += task.run_units
    if not task.is_leader:
        signal.threads.remove(task)
        task.state = State.DEAD
        del kernel.tasks[task.pid]
        release_numbers(task)
    if all(thread.exited for thread in signal.threads):
        _end_of_group(signal.leader)


def _release(task: Task) -> None:
    if task.sem_undo is not None:
        task.sem_undo.drop(task.vtgid)
        task.sem_undo = None
    if task.mm is not None:
        task.mm.drop()
        task.mm = None
    task.files.drop()
    task.fs.drop()
    task.sighand.drop()
    task.nsproxy.ipc.end_if_unused(task.kernel)
    task.kernel.vfs.end_namespace(task.nsproxy.mnt, task.kernel)
    task.kernel.vfs.look_again(task.kernel)


def leave_memory(task: Task) -> None:
    """The task is about to give up its memory (exit, exec): others who use it are told."""
    owned = owned_by(task)
    if task.robust_list[0] and task.mm is not None:
        try:
            leave_robust_futexes(task)
        except EFAULT:
            pass  # Linux gives up without a word, too
    task.robust_list = (0, 0)
    bequeath(task, owned)
    _clear_child_tid(task)


def _clear_child_tid(task: Task) -> None:
    if task.clear_child_tid and task.mm is not None and task.mm.users > 1:
        try:
            task.user.write_int(task.clear_child_tid, 0)
        except EFAULT:
            return
        task.kernel.futexes.wake(task, task.clear_child_tid, 1)


def leave_threads(task: Task) -> None:
    """exec: all other threads end; if that was not the first one, the task takes its place.

    Mirrors: Linux de_thread.
    """
    signal = task.signal
    leader = signal.leader
    for thread in list(signal.threads):
        if thread is not task and not thread.exited:
            exit_task(thread, SIGKILL)
    if leader is not task:
        _take_place(task, leader)


def _take_place(task: Task, leader: Task) -> None:
    """The first thread is dead: its number, parent and children go over to `task`."""
    kernel, old_pid = task.kernel, task.pid
    leader.state, leader.successor = State.DEAD, task
    task.signal.threads[:] = [task]
    del kernel.tasks[old_pid]
    task.pid = leader.pid
    kernel.tasks[task.pid] = task
    if task.cgroup is not None:
        del task.cgroup.tasks[old_pid]
        task.cgroup.tasks[task.pid] = task
    forget_number(task.pid_ns, old_pid)
    if task.pid_ns.init is leader:
        task.pid_ns.init = task
    task.exit_signal = SIGCHLD
    if task.parent is not None:
        siblings = task.parent.children
        siblings[siblings.index(leader)] = task
    task.children += leader.children
    for child in leader.children:
        child.parent = task
    leader.children = []


def finish_vfork(task: Task) -> None:
    """The parent that waits in vfork may go on: the child has its own memory, or is gone."""
    if task.vfork_done is not None:
        queue, task.vfork_done = task.vfork_done, None
        queue.wake_all()


def _end_of_group(leader: Task) -> None:
    kernel, signal = leader.kernel, leader.signal
    for timer in signal.itimers:
        if timer.timer is not None:
            kernel.clock.cancel(timer.timer)
            timer.timer = None
    posix_timers.delete_all(leader)
    kernel.pidfds.ended(leader.pid)
    disassociate(leader, exiting=True)
    _give_children_away(leader)
    parent = leader.parent
    note_orphaned(leader, parent, leader)
    if parent is None:
        if not leader.pid_ns.is_first or leader.pid != min(kernel.tasks):
            reap(leader)  # the namespace is at its end, or nobody will ever ask
        return
    if leader.restarting:
        return
    if 0 < leader.exit_signal <= NSIG:
        send(parent, child_info(leader, leader.exit_signal, parent))
    parent.signal.child_exited.wake_all()
    action = parent.sighand.actions[SIGCHLD - 1]
    unwanted = action.handler == SIG_IGN or action.flags & SA_NOCLDWAIT
    if leader.exit_signal == SIGCHLD and unwanted:
        reap(leader)


def _reaper(leader: Task) -> Task | None:
    """Who becomes the parent of orphans: the init of their namespace, if it lives."""
    namespace = leader.pid_ns
    if namespace.init is leader:
        namespace.init = None
        _end_of_namespace(leader)
    init = namespace.init
    return init if init is not None and not init.exited else None


def _end_of_namespace(init: Task) -> None:
    """Nobody outlives the init of a pid namespace, not even for a moment.

    Mirrors: Linux zap_pid_ns_processes, which kills, and waits until all are gone.
    """
    for task in list(init.pid_ns.tasks()):
        if not task.exited:
            exit_task(task, SIGKILL)


def _give_children_away(leader: Task) -> None:
    reaper = _reaper(leader)
    for child in leader.children:
        child.parent = reaper
        if child.pdeath_signal and not child.exited and not leader.restarting:
            send(child, SigInfo(child.pdeath_signal))
        if reaper is not None:
            reaper.children.append(child)
        child.exit_signal = SIGCHLD
        note_orphaned(child, leader, None)
    orphans, leader.children = leader.children, []
    for child in orphans:
        if child.exited and all(thread.exited for thread in child.signal.threads):
            if reaper is None:
                reap(child)
            else:
                send(reaper, child_info(child, SIGCHLD, reaper))
                reaper.signal.child_exited.wake_all()


def child_info(child: Task, signo: int, parent: Task) -> SigInfo:
    """What SIGCHLD says to its parent of a child that ended."""
    killed = child.exit_code & 0x7F
    code = CLD_EXITED
    status = child.exit_code >> 8 & 0xFF
    if killed:
        code = CLD_DUMPED if child.exit_code & 0x80 else CLD_KILLED
        status = killed
    return SigInfo(
        signo,
        code,
        pid=parent.pid_ns.number_of(child.tgid),
        uid=child.cred.uid,
        status=status,
        utime=child.signal.run_units // UNITS_PER_NS // CLOCK_TICK_NS,
    )


def reap(child: Task) -> None:
    """Nobody will ask for this zombie any more."""
    child.state = State.DEAD
    if child.parent is not None:
        if child in child.parent.children:
            child.parent.children.remove(child)
        child.parent.signal.children_units += child.signal.run_units + child.signal.children_units
    del child.kernel.tasks[child.pid]
    child.kernel.pidfds.gone(child.pid)
    release_numbers(child)
