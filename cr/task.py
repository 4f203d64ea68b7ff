"""Checkpoint and restart of one task: its struct, its registers, the objects that it uses.

Image grammar:

    task  =  TASK  STRING comm                                   ; a dead task ends here
             THREAD  RESTART_BLOCK  CPU  { cpu-unit }  [ TASK_TIMES ]  [ SYSCALL_PROGRESS ]
             [ TASK_EXTRA ]
             { object }  TASK_CREDS
             { object }  TASK_NS
             { object }  TASK_OBJS
             [ SIGNAL  SIGPENDING ]                              ; first thread of its group
             SIGPENDING  SIGNAL_TASK  [ WAIT_MASK ]

A task that sleeps in a system call is written as Linux writes it: the program counter is behind
the trap, and the result register says that the call is to be started again. Restart reads that
back as "is in the call", so the handler is simply run again; no instruction is executed twice.

Mirrors:  linux-cr checkpoint/process.c -- checkpoint_task, checkpoint_task_struct,
          checkpoint_restart_block, checkpoint_task_objs and their restore_ twins.
Deviates: what a sleeping call has done so far (SYSCALL_PROGRESS) and how much code a task has
          executed (TASK_TIMES) are records of ours; without them (pure) both are lost, as there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cr import signals
from cr.arch.support import CpuState
from cr.arch.table import arch_of
from cr.call_states import checkpoint_call_state, restore_call_state
from cr.context import Checkpoint, Restart
from cr.creds import checkpoint_cred
from cr.epoll import listen_for_signals
from cr.files import checkpoint_table
from cr.image import extensions as ours
from cr.image import task as image
from cr.image import types as t
from cr.ipc import check_undo, checkpoint_undo
from cr.locks import own_files
from cr.memory import checkpoint_mm
from cr.namespaces import checkpoint_ns
from cr.regular import checkpoint_fs
from cr.restart_block import (
    checkpoint_progress,
    checkpoint_restart_block,
    restore_progress,
    restore_restart_block,
)
from cr.scheduling import NO_EXTRA, Extra, checkpoint_extra, install_extra, restore_extra
from cr.watches import own_pidfds
from kernel_model.abi.errno import EBUSY
from kernel_model.arch.abi import Abi
from kernel_model.clock import END_UNITS
from kernel_model.creds import Cred
from kernel_model.ipc.sem import UndoList
from kernel_model.mm.address_space import AddressSpace
from kernel_model.nsproxy import NsProxy
from kernel_model.restart_block import CallState, Progress
from kernel_model.signals import Pending, Sighand, SignalStruct
from kernel_model.task import State, Task
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.fs_struct import FsStruct

TASK_RUNNING, TASK_INTERRUPTIBLE, TASK_STOPPED, TASK_DEAD = 0, 1, 4, 64
EXIT_ZOMBIE = 16
_STATES = {
    State.RUNNING: TASK_RUNNING,
    State.SLEEPING: TASK_INTERRUPTIBLE,
    State.STOPPED: TASK_STOPPED,
}
_NO_SIGNAL = 0xFFFFFFFF
_NEVER = (1 << 64) - 1
_CSIGNAL = 0xFF
"""What a clone can ask for; above 64 nobody hears of the end."""


# ---- checkpoint


def cpu_state(task: Task, completed: int | None = None) -> CpuState:
    """A task's registers; `completed` is the call that has returned 0 in the restarted copy."""
    regs = task.regs
    state = CpuState(
        words=list(regs.words),
        system={name: regs[name] for name in regs.spec.system},
        units=regs.units,
    )
    if completed is not None:
        before = list(regs.words)
        task.abi.set_result(task, 0)
        state.words = list(regs.words)
        regs.view[:] = memoryview(type(regs.words)("Q", before))
        state.completed = completed
    elif task.syscall is not None or task.interrupted is not None:
        state.syscall = regs.words[task.abi.number] & 0xFFFFFFFF
        state.restart = task.interrupted or task.sleep_restart
    return state


def checkpoint_task(ctx: Checkpoint, task: Task, completed: int | None = None) -> None:
    """Write one task."""
    ctx.task = task
    _checkpoint_struct(ctx, task)
    if task.exited:
        if not ctx.pure:
            _checkpoint_times(ctx, task)
        return
    if task.mm is None:
        ctx.refuse(EBUSY, "a task without memory")
    if task.nocr:
        ctx.refuse(EBUSY, f"PF_NOCR: {task.nocr}")
    arch = arch_of(ctx.kernel)
    arch.checkpoint_thread(ctx, task)
    checkpoint_restart_block(ctx, task)
    arch.checkpoint_cpu(ctx, task, cpu_state(task, completed))
    if not ctx.pure:
        _checkpoint_times(ctx, task)
        checkpoint_progress(ctx, task)
        checkpoint_extra(ctx, task)
    checkpoint_call_state(ctx, task)
    cred = ctx.write_object(t.OBJ_CRED, task.cred, checkpoint_cred)
    ctx.image.write(t.HDR_TASK_CREDS, image.TaskCreds(cred_ref=cred, ecred_ref=cred))
    ns = ctx.write_object(t.OBJ_NS, task.nsproxy, checkpoint_ns)
    ctx.image.write(t.HDR_TASK_NS, image.TaskNs(ns_objref=ns))
    files = ctx.write_object(t.OBJ_FILE_TABLE, task.files, checkpoint_table)
    mm = ctx.write_object(t.OBJ_MM, task.mm, checkpoint_mm)
    fs = ctx.write_object(t.OBJ_FS, task.fs, checkpoint_fs)
    undo = 0
    if task.sem_undo is not None:
        undo = ctx.write_object(t.OBJ_SEM_UNDO, task.sem_undo, checkpoint_undo)
    sighand = ctx.write_object(t.OBJ_SIGHAND, task.sighand, signals.checkpoint_sighand)
    signal, first = ctx.objs.intern(task.signal)
    record = image.TaskObjs(
        files_objref=files,
        mm_objref=mm,
        fs_objref=fs,
        sem_undo_objref=undo,
        sighand_objref=sighand,
        signal_objref=signal,
    )
    ctx.image.write(t.HDR_TASK_OBJS, record)
    if first:
        signals.checkpoint_signal(ctx, task)
    signals.checkpoint_thread_signals(ctx, task)


def _checkpoint_struct(ctx: Checkpoint, task: Task) -> None:
    if task.altstack[1] >> 32:
        ctx.refuse(EBUSY, "an alternate signal stack of more bytes than its record can say")
    native = task.abi is ctx.kernel.abis[0]
    head, length = task.robust_list
    flags = (t.PF_FORKNOEXEC if task.forked_no_exec else 0) | (
        t.PF_SUPERPRIV if task.used_superuser else 0
    )
    record = image.Task(
        flags=flags,
        state=TASK_DEAD if task.exited else _STATES[task.state],
        exit_state=EXIT_ZOMBIE if task.exited else 0,
        exit_code=task.exit_code,
        exit_signal=task.exit_signal if task.is_leader else _NO_SIGNAL,
        pdeath_signal=task.pdeath_signal,
        set_child_tid=task.set_child_tid,
        clear_child_tid=task.clear_child_tid,
        sas_ss_sp=task.altstack[0],
        sas_ss_size=task.altstack[1],
        compat_robust_futex_head_len=0 if native else length,
        compat_robust_futex_list=0 if native else head,
        robust_futex_head_len=length if native else 0,
        robust_futex_list=head if native else 0,
    )
    ctx.image.write(t.HDR_TASK, record)
    ctx.image.write_string(t.HDR_STRING, task.comm, t.TASK_COMM_BYTES)


def _checkpoint_times(ctx: Checkpoint, task: Task) -> None:
    times = ours.TaskTimes(
        run_units=task.run_units,
        group_units=task.signal.run_units,
        children_units=task.signal.children_units,
    )
    ctx.image.write(t.HDR_TASK_TIMES, times)


# ---- restart


@dataclass
class TaskParts:
    """A task of the image, restored aside: everything that commit puts in place."""

    comm: bytes
    record: image.Task
    abi: Abi | None = None
    cpu: CpuState = field(default_factory=lambda: CpuState(words=[]))
    restart_block: Progress | None = None
    run_units: int = 0
    group_units: int = 0
    children_units: int = 0
    cred: Cred | None = None
    nsproxy: NsProxy | None = None
    files: FdTable | None = None
    mm: AddressSpace | None = None
    fs: FsStruct | None = None
    sem_undo: UndoList | None = None
    sighand: Sighand | None = None
    signal: SignalStruct | None = None
    first_of_group: bool = False
    pending: Pending = field(default_factory=Pending)
    blocked: int = 0
    wait_mask: int | None = None
    """What a call blocks that is over, until its signal has been handled."""
    interrupted: bool = False
    """A signal had ended the call that it was in."""
    extra: Extra = NO_EXTRA
    call_state: CallState | None = None
    """What is half done of the checkpoint or restart that it was in."""

    @property
    def dead(self) -> bool:
        """Whether it was a zombie."""
        return bool(self.record.exit_state)


def restore_task(ctx: Restart) -> TaskParts:
    """Read one task and build its parts."""
    record = ctx.image.read(t.HDR_TASK, image.Task)
    comm = bytes(ctx.image.read_exact(t.HDR_STRING, t.TASK_COMM_BYTES)).split(b"\0")[0][:15]
    parts = TaskParts(comm, record)
    _check_struct(ctx, record)
    if parts.dead:
        _restore_times(ctx, parts)
        return parts
    arch = arch_of(ctx.kernel)
    parts.abi, system = arch.restore_thread(ctx)
    ctx.abi = parts.abi
    if record.sas_ss_sp > parts.abi.mask:
        ctx.refuse("the alternate signal stack lies outside of user space")
    block = restore_restart_block(ctx)
    parts.cpu = arch.restore_cpu(ctx)
    parts.cpu.system.update(system)
    _restore_times(ctx, parts)
    parts.restart_block, parts.interrupted = restore_progress(ctx, block)
    if parts.interrupted and record.state == TASK_INTERRUPTIBLE:
        ctx.refuse("a task that sleeps in a call that a signal has ended")
    parts.extra = restore_extra(ctx)
    parts.call_state = restore_call_state(ctx)
    if parts.cpu.syscall is None:
        parts.restart_block = parts.call_state = None
    _restore_objects(ctx, parts)
    return parts


def _check_struct(ctx: Restart, record: image.Task) -> None:
    if record.exit_state:
        if record.exit_state != EXIT_ZOMBIE or record.state != TASK_DEAD:
            ctx.refuse("a dead task is a zombie")
        if record.exit_code > 0xFFFF:
            ctx.refuse(f"exit code {record.exit_code:#x}")
    elif record.exit_code:
        ctx.refuse("a live task has no exit code")
    elif record.state not in _STATES.values():
        ctx.refuse(f"task state {record.state:#x}")
    if record.exit_signal > _CSIGNAL and record.exit_signal != _NO_SIGNAL:
        ctx.refuse(f"there is no signal {record.exit_signal}")
    if record.pdeath_signal > 64:
        ctx.refuse(f"there is no signal {record.pdeath_signal}")


def _restore_times(ctx: Restart, parts: TaskParts) -> None:
    if ctx.image.peek() != t.HDR_TASK_TIMES:
        return
    times = ctx.image.read(t.HDR_TASK_TIMES, ours.TaskTimes)
    if max(times.run_units, times.group_units, times.children_units) > END_UNITS:
        ctx.refuse("a task that has run for longer than time lasts")
    parts.run_units, parts.group_units = times.run_units, times.group_units
    parts.children_units = times.children_units


def _restore_objects(ctx: Restart, parts: TaskParts) -> None:
    objs = ctx.objs
    creds = ctx.image.read(t.HDR_TASK_CREDS, image.TaskCreds)
    parts.cred = objs.fetch(ctx, creds.ecred_ref, t.OBJ_CRED, Cred)
    objs.fetch(ctx, creds.cred_ref, t.OBJ_CRED, Cred)
    ns = ctx.image.read(t.HDR_TASK_NS, image.TaskNs).ns_objref
    parts.nsproxy = objs.fetch(ctx, ns, t.OBJ_NS, NsProxy) if ns else ctx.opener.nsproxy
    ctx.net = parts.nsproxy.net
    refs = ctx.image.read(t.HDR_TASK_OBJS, image.TaskObjs)
    if refs.sem_undo_objref:
        undo = objs.fetch(ctx, refs.sem_undo_objref, t.OBJ_SEM_UNDO, UndoList)
        parts.sem_undo = check_undo(ctx, undo, parts.nsproxy.ipc)
    parts.files = objs.fetch(ctx, refs.files_objref, t.OBJ_FILE_TABLE, FdTable)
    parts.mm = objs.fetch(ctx, refs.mm_objref, t.OBJ_MM, AddressSpace)
    parts.fs = objs.fetch(ctx, refs.fs_objref, t.OBJ_FS, FsStruct)
    parts.sighand = objs.fetch(ctx, refs.sighand_objref, t.OBJ_SIGHAND, Sighand)
    if objs.known(refs.signal_objref):
        parts.signal = objs.fetch(ctx, refs.signal_objref, t.OBJ_SIGNAL, SignalStruct)
    else:
        parts.signal = signals.restore_signal(ctx)
        parts.first_of_group = True
        objs.insert(ctx, refs.signal_objref, t.OBJ_SIGNAL, parts.signal)
    parts.pending, parts.blocked, parts.wait_mask = signals.restore_thread_signals(ctx)
    if parts.wait_mask is not None and parts.cpu.syscall is not None:
        ctx.refuse("the signal mask of a call that is over, and a call that is not")
    if parts.mm.task_size != ctx.abi.task_size:
        ctx.refuse("memory of a task of the other word size")


def install(task: Task, parts: TaskParts) -> None:
    """Commit: give a task its restored parts. Nothing here can fail.

    The task holds none of these objects yet (or has let go of its old ones).
    """
    assert parts.abi is not None and parts.mm is not None and parts.files is not None
    assert parts.fs is not None and parts.sighand is not None and parts.signal is not None
    assert parts.cred is not None and parts.nsproxy is not None
    record = parts.record
    task.comm = parts.comm
    task.abi = parts.abi
    task.regs.leave()
    task.regs = task.new_registers(parts.abi)
    for position, word in enumerate(parts.cpu.words):
        task.regs.words[position] = word
    for name, value in parts.cpu.system.items():
        task.regs[name] = value
    task.regs.units = parts.cpu.units
    task.syscall, task.sleep_restart = parts.cpu.syscall, parts.cpu.restart
    task.interrupted = None
    if task.syscall is not None and (parts.interrupted or record.state == TASK_STOPPED):
        # It begins its call again when it runs, or is continued.
        task.syscall, task.interrupted = None, parts.cpu.restart
    task.restart_block = parts.restart_block
    task.fault_resumed = False
    task.cred, task.nsproxy = parts.cred, parts.nsproxy
    task.files, task.mm, task.fs = parts.files.grab(), parts.mm, parts.fs.grab()
    task.mm.grab()
    own_files(task.files, task)
    own_pidfds(task.files, task)
    task.sem_undo = parts.sem_undo.grab() if parts.sem_undo is not None else None
    task.sighand = parts.sighand.grab()
    listen_for_signals(task.files, task)
    task.pending, task.blocked, task.saved_blocked = parts.pending, parts.blocked, None
    if parts.wait_mask is not None:
        task.blocked, task.saved_blocked = parts.wait_mask, parts.blocked
    task.attention = True
    _install_struct(task, record)
    task.run_units = parts.run_units
    task.known_elf_flags = None
    install_extra(task, parts.extra)
    task.call_state = parts.call_state


def _install_struct(task: Task, record: image.Task) -> None:
    task.altstack = (record.sas_ss_sp, record.sas_ss_size)
    task.robust_list = (
        record.robust_futex_list or record.compat_robust_futex_list,
        record.robust_futex_head_len or record.compat_robust_futex_head_len,
    )
    task.set_child_tid, task.clear_child_tid = record.set_child_tid, record.clear_child_tid
    task.pdeath_signal = record.pdeath_signal
    task.exit_signal = 0 if record.exit_signal == _NO_SIGNAL else record.exit_signal
    task.forked_no_exec = bool(record.flags & t.PF_FORKNOEXEC)
    task.used_superuser = bool(record.flags & t.PF_SUPERPRIV)


def install_zombie(task: Task, parts: TaskParts) -> None:
    """Commit: a task that has only its exit code left."""
    task.comm = parts.comm
    task.exit_code = parts.record.exit_code
    _install_struct(task, parts.record)
    task.run_units = parts.run_units
    task.cred = task.kernel.root_cred
    if parts.sighand is not None:
        task.sighand = parts.sighand  # its threads': it counts as no user any more


def restored_state(parts: TaskParts) -> State:
    """What the task was doing."""
    if parts.dead:
        return State.ZOMBIE
    if parts.record.state == TASK_STOPPED:
        return State.STOPPED
    return State.RUNNING


def was_sleeping(parts: TaskParts) -> bool:
    """Whether it slept in a system call."""
    return parts.record.state == TASK_INTERRUPTIBLE and parts.cpu.syscall is not None
