"""New tasks: fork, vfork, threads, and everything between.

Mirrors: Linux kernel/fork.c (do_fork, copy_process).
Deviates: capabilities count in every user namespace, as in 2.6.37, the kernel of linux-cr (3.2
          takes those away that a task has against the first one).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from emu.memory import OutOfFrames
from emu.pagetable import OutOfNodes
from kernel_model.abi.errno import (
    EAGAIN,
    EFAULT,
    EINVAL,
    ENOMEM,
    EPERM,
    LinuxError,
)
from kernel_model.creds import in_new_namespace
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.ipc.sem import UndoList
from kernel_model.net.namespace import NetNamespace
from kernel_model.nsproxy import NsProxy
from kernel_model.pids import MAX_LEVEL, PidNamespace, allocate
from kernel_model.restart_block import RestartBlock
from kernel_model.signals import SignalStruct
from kernel_model.task import Task
from kernel_model.user_limits import check_processes
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from emu.arch.spec import Registers
    from kernel_model.mm.address_space import AddressSpace
    from kernel_model.vfs.fs_struct import FsStruct

CSIGNAL = 0xFF
CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND = 0x100, 0x200, 0x400, 0x800
CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT, CLONE_THREAD = 0x2000, 0x4000, 0x8000, 0x10000
CLONE_NEWNS, CLONE_SYSVSEM, CLONE_SETTLS = 0x20000, 0x40000, 0x80000
CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID = 0x100000, 0x200000
CLONE_DETACHED, CLONE_UNTRACED, CLONE_CHILD_SETTID = 0x400000, 0x800000, 0x1000000
CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER = 0x4000000, 0x8000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET, CLONE_IO = 0x20000000, 0x40000000, 0x80000000
_NEW_NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)
_UNSHARED = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC
_UNSHARED |= CLONE_NEWNET
_MAX_TASKS = 32768


@dataclass(frozen=True)
class CloneArgs:
    """What every way of making a task comes down to. Addresses are 0 when not given."""

    flags: int
    stack: int = 0
    parent_tid: int = 0
    child_tid: int = 0
    tls: int = 0
    pids: tuple[int, ...] = ()
    """Numbers wanted for the child, for the innermost namespaces; 0 lets the kernel choose."""

    @property
    def exit_signal(self) -> int:
        """The signal that tells the parent of the end."""
        return self.flags & CSIGNAL


def check_flags(task: Task, flags: int) -> None:
    """The combinations that make no sense, and what is not modelled."""
    if flags & CLONE_NEWNS and flags & CLONE_FS:
        raise EINVAL("a new mount namespace cannot share its directories")
    if flags & CLONE_THREAD and not flags & CLONE_SIGHAND:
        raise EINVAL("threads share their signal handlers")
    if flags & CLONE_SIGHAND and not flags & CLONE_VM:
        raise EINVAL("signal handlers are shared with the memory that they are in")
    if flags & CLONE_NEWIPC and flags & CLONE_SYSVSEM:
        raise EINVAL("a new IPC namespace cannot share what semop undoes")
    if flags & CLONE_NEWPID:
        if flags & (CLONE_THREAD | CLONE_PARENT):
            raise EINVAL("the init of a pid namespace is a child of its maker")
        if task.pid_ns.level >= MAX_LEVEL:
            raise EINVAL(f"pid namespaces are nested {MAX_LEVEL} deep")
    check_namespaces(task, flags)


def check_namespaces(task: Task, flags: int) -> None:
    """Who may have new namespaces, and which there are."""
    if flags & _NEW_NAMESPACES and not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("new namespaces need CAP_SYS_ADMIN")
    if flags & CLONE_NEWUSER:
        if flags & CLONE_THREAD:
            raise EINVAL("threads share their user namespace")
        if not task.cred.cap("CAP_SETUID") or not task.cred.cap("CAP_SETGID"):
            raise EPERM("a new user namespace needs CAP_SETUID and CAP_SETGID")


def copy_process(task: Task, args: CloneArgs) -> Task:
    """Make a child of `task` and let it run. Raises LinuxError, with nothing changed."""
    kernel, flags = task.kernel, args.flags
    check_flags(task, flags)
    check_processes(task)
    if len(kernel.tasks) >= _MAX_TASKS:
        raise EAGAIN(f"there are {len(kernel.tasks)} tasks already")
    regs = _child_registers(task, args)
    mm = _copy_mm(task, flags)
    namespace, wanted = task.pid_ns, args.pids
    if flags & CLONE_NEWPID:
        namespace = PidNamespace(kernel, namespace)
        wanted = (*wanted, 0) if wanted else ()
    try:
        pid = allocate(namespace, wanted)
    except LinuxError:
        mm.drop()
        raise
    child = Task(kernel, pid, task.abi)
    child.pid_ns, child.mm, child.regs = namespace, mm, regs
    child.abi.set_result(child, 0)
    child.files = task.files.grab() if flags & CLONE_FILES else task.files.copy()
    child.fs = task.fs.grab() if flags & CLONE_FS else task.fs.copy()
    child.sighand = task.sighand.grab() if flags & CLONE_SIGHAND else task.sighand.copy()
    child.cred = in_new_namespace(task.cred) if flags & CLONE_NEWUSER else task.cred
    child.nsproxy = new_namespaces(task, flags, child.fs)
    if flags & CLONE_SYSVSEM:
        if task.sem_undo is None:
            task.sem_undo = UndoList(task.nsproxy.ipc)
        child.sem_undo = task.sem_undo.grab()
    child.comm, child.blocked, child.nocr = task.comm, task.blocked, task.nocr
    child.known_elf_flags, child.load_bias = task.known_elf_flags, task.load_bias
    child.scheduling, child.personality = task.scheduling.of_child(), task.personality
    child.forked_no_exec = True
    if task.cgroup is not None:
        child.cgroup = task.cgroup
        task.cgroup.tasks[pid] = child
    if not flags & CLONE_VM or flags & CLONE_VFORK:
        child.altstack = task.altstack
    if flags & CLONE_VFORK:
        child.vfork_done = WaitQueue()
    if flags & CLONE_NEWPID:
        namespace.init = child
    _join_family(task, child, args)
    _tell_numbers(task, child, args)
    kernel.tasks[pid] = child
    kernel.sched.enqueue(child)
    return child


def _child_registers(task: Task, args: CloneArgs) -> Registers:
    """The caller's, with the child's stack and TLS. Its result is set when there is a child."""
    regs = task.regs.copy()
    if args.stack:
        regs.words[task.abi.sp] = args.stack
    if args.flags & CLONE_SETTLS:
        task.abi.set_tls(task, regs, args.tls)
    return regs


def new_namespaces(task: Task, flags: int, fs: FsStruct) -> NsProxy:
    """The task's namespaces, or a set with new ones where CLONE_NEW* says so.

    `fs`: the directories of who will be in them; a new mount namespace has them too.
    """
    nsproxy = task.nsproxy
    if flags & CLONE_NEWNS:
        fresh, twin_of = nsproxy.mnt.copy()
        task.kernel.vfs.namespaces.append(fresh)
        fs.root, fs.pwd = twin_of(fs.root), twin_of(fs.pwd)
        nsproxy = replace(nsproxy, mnt=fresh)
    if flags & CLONE_NEWUTS:
        nsproxy = replace(nsproxy, uts=replace(nsproxy.uts))
    if flags & CLONE_NEWIPC:
        nsproxy = replace(nsproxy, ipc=IpcNamespace(task.kernel.clock))
    if flags & CLONE_NEWNET:
        nsproxy = replace(nsproxy, net=NetNamespace(task.kernel.clock))
    return nsproxy


def unshare(task: Task, flags: int) -> None:
    """What unshare(2) does, when its flags are in order. Raises EINVAL, EPERM."""
    alone = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM
    if flags & ~(_UNSHARED | alone):
        raise EINVAL(f"flags {flags:#x} of unshare")
    if flags & alone and task.mm is not None and task.mm.users > 1:
        raise EINVAL("the memory is shared with others, and that cannot be undone")
    check_namespaces(task, flags)
    if flags & (CLONE_NEWIPC | CLONE_SYSVSEM):
        _leave_undo(task)
    if flags & (CLONE_FS | CLONE_NEWNS) and task.fs.users > 1:
        shared_fs, task.fs = task.fs, task.fs.copy()
        shared_fs.drop()
    if flags & CLONE_FILES and task.files.users > 1:
        shared_files, task.files = task.files, task.files.copy()
        shared_files.drop()
    enter_namespaces(task, new_namespaces(task, flags, task.fs))


def enter_namespaces(task: Task, nsproxy: NsProxy) -> None:
    """The task is in other namespaces from now on; those that nobody is in any more end."""
    before, task.nsproxy = task.nsproxy, nsproxy
    if before.ipc is not nsproxy.ipc:
        _leave_undo(task)
        before.ipc.end_if_unused(task.kernel)
    if before.mnt is not nsproxy.mnt:
        task.kernel.vfs.end_namespace(before.mnt, task.kernel)


def _leave_undo(task: Task) -> None:
    if task.sem_undo is not None:
        task.sem_undo.drop(task.vtgid)
        task.sem_undo = None


def _copy_mm(task: Task, flags: int) -> AddressSpace:
    assert task.mm is not None
    if flags & CLONE_VM:
        task.mm.grab()
        return task.mm
    try:
        return task.mm.fork()
    except (OutOfFrames, OutOfNodes) as full:
        raise ENOMEM(str(full)) from full


def _join_family(task: Task, child: Task, args: CloneArgs) -> None:
    flags = args.flags
    if flags & CLONE_THREAD:
        child.tgid = task.tgid
        child.signal = task.signal
        child.exit_signal = 0
        child.parent = task.parent
    else:
        child.signal = SignalStruct(list(task.signal.rlimits))
        child.signal.pgid, child.signal.sid = task.signal.pgid, task.signal.sid
        child.signal.tty = task.signal.tty
        child.exit_signal = args.exit_signal
        leader = task.signal.leader
        child.parent = leader.parent if flags & CLONE_PARENT else leader
        if flags & CLONE_PARENT:
            child.exit_signal = leader.exit_signal
        if child.parent is not None:
            child.parent.children.append(child)
    child.signal.threads.append(child)


def _tell_numbers(task: Task, child: Task, args: CloneArgs) -> None:
    """The child's number, to those who asked for it. Linux does not look whether it arrived."""
    flags = args.flags
    if flags & CLONE_PARENT_SETTID:
        with suppress(EFAULT):
            task.user.write_int(args.parent_tid, task.pid_ns.number_of(child.pid))
    if flags & CLONE_CHILD_SETTID:
        child.set_child_tid = args.child_tid
        with suppress(EFAULT):
            child.user.write_int(args.child_tid, child.vpid)
    if flags & CLONE_CHILD_CLEARTID:
        child.clear_child_tid = args.child_tid


_LENDING = ("vfork", "clone", "eclone", "clone_with_pids")


def lend_memory_again(task: Task) -> None:
    """Restart: a task that slept in vfork waits for its child as before."""
    block = task.restart_block
    if block is None or isinstance(block, RestartBlock) or task.syscall is None:
        return
    child = task.find(block.done)
    # Its parent is the process of a thread that made it, or with CLONE_PARENT somebody else.
    lent = task.kernel.calls.name(task.abi, task.syscall) in _LENDING
    if lent and child is not None and child is not task and child.mm is task.mm:
        child.vfork_done = WaitQueue()
