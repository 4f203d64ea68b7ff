"""A task: one schedulable thing, and everything that can be reached from it.

If a task cannot reach it, C/R cannot save it. A task that sleeps in a system call is its registers
as they were at the trap, the number of the call, and what it waits for; the handler is simply run
again when it wakes.

Mirrors: Linux task_struct.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from emu.arch.spec import Registers
from emu.printable import printable
from kernel_model import jobs, scheduling
from kernel_model.abi.limits import RLIMIT_CORE, RLIMIT_STACK
from kernel_model.mm.usermem import UserMemory
from kernel_model.restart_block import CallState, Progress
from kernel_model.scheduling import Scheduling
from kernel_model.signals import (
    SA_NOCLDSTOP,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGSTOP,
    Pending,
    Sighand,
    SigInfo,
    SignalStruct,
    deliverable,
    send,
)
from kernel_model.waitqueue import Restart, Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi
    from kernel_model.clock import Timer
    from kernel_model.creds import Cred
    from kernel_model.freezer import FreezerCgroup
    from kernel_model.ipc.sem import UndoList
    from kernel_model.kernel import Kernel
    from kernel_model.mm.address_space import AddressSpace
    from kernel_model.nsproxy import NsProxy
    from kernel_model.pids import PidNamespace
    from kernel_model.vfs.fdtable import FdTable
    from kernel_model.vfs.fs_struct import FsStruct

CLD_STOPPED, CLD_CONTINUED = 5, 6


class State(Enum):
    """What a task is doing."""

    RUNNING = "running"  # or ready to
    SLEEPING = "sleeping"
    STOPPED = "stopped"
    ZOMBIE = "zombie"
    DEAD = "dead"


class Task:
    """`pid` is the thread's number, `tgid` the process's."""

    exit_code: int = 0
    exit_signal: int = SIGCHLD
    pdeath_signal: int = 0
    mm: AddressSpace | None = None
    sem_undo: UndoList | None = None
    """What semop must take back when the task exits."""
    parent: Task | None = None
    # signals
    blocked: int = 0
    saved_blocked: int | None = None
    """The mask to put back after a call such as sigsuspend has waited under another one."""
    waits_for: int = 0
    """Blocked signals that sigtimedwait wants to be woken for."""
    altstack: tuple[int, int] = (0, 0)
    """Address and size of the alternate signal stack; size 0 is none."""
    # system calls
    syscall: int | None = None
    """The number of the call that the task is in."""
    interrupted: Restart | None = None
    """A signal has ended the call; delivery decides what becomes of it."""
    sleep_restart: Restart = Restart.ERESTARTSYS
    """What a signal would make of the call that the task sleeps in."""
    sleep_number: int = 0
    """The order in which tasks fell asleep: who waits for the same thing is woken in it."""
    restart_block: Progress | None = None
    call_state: CallState | None = None
    """What a call of a floor above keeps between its turns (an image on its way)."""
    waiting: Sleep | None = None
    timer: Timer | None = None
    attention: bool = False
    """Something must be looked at before user code runs."""
    fault_resumed: bool = False
    """The last stop was a fault: the block of code that it cut goes on."""
    restarting: bool = False
    """PF_RESTARTING: it ends so that the tree looks as it did; nobody is to hear of it."""
    frozen: bool = False
    """The freezer holds it."""
    nocr: str = ""
    """PF_NOCR: why it can never be checkpointed; for kernels that set such marks."""
    cgroup: FreezerCgroup | None = None
    """Its freezer group; None is the root group."""
    # threads
    set_child_tid: int = 0
    clear_child_tid: int = 0
    robust_list: tuple[int, int] = (0, 0)
    successor: Task | None = None
    """The thread that executed a program, and took this one's number."""
    vfork_done: WaitQueue | None = None
    """Where a parent waits that lent its memory (vfork)."""
    # the program
    comm: bytes = b""
    known_elf_flags: int | None = None
    """None until somebody asks: after a restart they are read again from the executable."""
    load_bias: int = 0
    forked_no_exec: bool = False
    used_superuser: bool = False
    scheduling: Scheduling = scheduling.DEFAULT
    boost = 0
    """The real-time priority of who waits for what it owns (pi_futex.py), if that is higher."""
    personality: int = 0
    run_units: int = 0
    """Code that it executed, in bytes: its user time."""

    def __init__(self, kernel: Kernel, pid: int, abi: Abi) -> None:
        self.kernel = kernel
        self.pid = pid
        self.tgid = pid
        self.abi = abi
        self.regs = self.new_registers(abi)
        self.state = State.RUNNING
        self.files: FdTable
        self.fs: FsStruct
        self.cred: Cred
        self.nsproxy: NsProxy
        self.pid_ns: PidNamespace = kernel.pid_ns
        """Where it lives: the innermost namespace in which it has a number."""
        self.sighand = Sighand()
        self.signal: SignalStruct
        self.user = UserMemory(self)
        self.children: list[Task] = []
        self.pending = Pending()

    def __repr__(self) -> str:
        return f"<task {self.pid} {printable(self.comm)} {self.state.value}>"

    @property
    def exited(self) -> bool:
        """A zombie, or gone."""
        return self.state in (State.ZOMBIE, State.DEAD)

    @property
    def elf_flags(self) -> int:
        """e_flags of the running program (on ppc64 they tell the ABI version)."""
        if self.known_elf_flags is None:
            self.known_elf_flags = self.kernel.elf_flags(self.mm.exe) if self.mm else 0
        return self.known_elf_flags

    @property
    def stopped(self) -> bool:
        """Stopped by job control."""
        return self.state is State.STOPPED

    @property
    def in_orphaned_group(self) -> bool:
        """Whether nobody is there who could continue its process group."""
        return jobs.is_orphaned(self.kernel, self.signal.pgid)

    @property
    def is_leader(self) -> bool:
        """Whether this is the thread that gave the process its number."""
        return self.pid == self.tgid

    @property
    def stack_limit(self) -> int:
        """RLIMIT_STACK, in bytes."""
        return self.signal.rlimits[RLIMIT_STACK][0]

    @property
    def dumps_core(self) -> bool:
        """Whether a core dump would be written; only the wait status shows it."""
        return self.signal.rlimits[RLIMIT_CORE][0] > 0 and self.dumpable

    @property
    def dumpable(self) -> bool:
        """Whether others may look into it (PR_SET_DUMPABLE); nobody into one that has ended."""
        return self.mm is not None and self.mm.dumpable == 1

    def commit_cred(self, cred: Cred) -> None:
        """Take new credentials: who changes its effective identity writes no core file."""
        old, self.cred = self.cred, cred
        before = (old.euid, old.egid, old.fsuid, old.fsgid)
        if before != (cred.euid, cred.egid, cred.fsuid, cred.fsgid) or (
            cred.cap_permitted & ~old.cap_permitted
        ):
            if self.mm is not None:
                self.mm.dumpable = 0
            self.pdeath_signal = 0

    @property
    def is_container_init(self) -> bool:
        """Whether it is the first process of its pid namespace."""
        return self.is_leader and self.pid_ns.number_of(self.pid) == 1

    def immune(self, signo: int) -> bool:
        """Whether a signal without a handler does nothing: the container's init."""
        return self.pid_ns.init is self.signal.leader and signo not in (SIGKILL, SIGSTOP)

    # ---- numbers

    @property
    def vpid(self) -> int:
        """Its number, as it sees it (Linux: task_pid_vnr)."""
        return self.pid_ns.number_of(self.pid)

    @property
    def vtgid(self) -> int:
        """The number of its process, as it sees it."""
        return self.pid_ns.number_of(self.tgid)

    def find(self, number: int) -> Task | None:
        """The task that it calls by this number (Linux: find_task_by_vpid)."""
        return self.pid_ns.task(number)

    @staticmethod
    def new_registers(abi: Abi) -> Registers:
        """Registers of the CPU that runs an ABI, all zero."""
        return Registers(abi.cpu)

    # ---- sleeping and waking

    def sleep(self, sleep: Sleep) -> None:
        """Leave the run queue until one of the queues is woken, or the deadline comes."""
        self.state = State.SLEEPING
        self.sleep_restart = sleep.restart
        self.kernel.sleeps += 1
        self.sleep_number = self.kernel.sleeps
        self.waiting = sleep
        for queue in sleep.queues:
            queue.waiters.append(self)
        if sleep.deadline_ns is not None:
            self.timer = self.kernel.clock.set_timer(sleep.deadline_ns, self.wake)
        self.kernel.sched.dequeue(self)

    def wake(self) -> None:
        """Become runnable; the handler looks again."""
        if self.state is not State.SLEEPING:
            return
        self._leave_queues()
        self.state = State.RUNNING
        self.kernel.sched.enqueue(self)

    def _leave_queues(self) -> None:
        if self.waiting is not None:
            for queue in self.waiting.queues:
                queue.waiters.remove(self)
            self.waiting = None
        if self.timer is not None:
            self.kernel.clock.cancel(self.timer)
            self.timer = None

    def move_to_queue(self, queue: WaitQueue) -> None:
        """FUTEX_REQUEUE: sleep on, for something else."""
        assert self.waiting is not None
        for old in self.waiting.queues:
            old.waiters.remove(self)
        queue.waiters.append(self)
        self.waiting.queues = (queue,)

    def has_signal(self) -> bool:
        """Whether a signal would interrupt a sleep now; who is frozen does not look."""
        if self.frozen:
            return False
        return bool(deliverable(self)) or self.signal.group_exit_code is not None

    # ---- signals

    def send_signal(self, signo: int, info: SigInfo | None = None) -> None:
        """Send a signal to this thread (the kernel's own errand, such as SIGPIPE)."""
        send(self, info or SigInfo(signo, pid=self.vtgid, uid=self.cred.uid), to_thread=True)

    def stop(self, signo: int) -> None:
        """Job control: all threads stop until SIGCONT; but one that waits in vfork goes on."""
        for thread in self.signal.threads:
            if thread.exited or thread.stopped:
                continue
            if thread.waiting is not None and thread.waiting.uninterruptible:
                continue
            if thread.syscall is not None:
                # As if a signal had come: the call is begun again when the thread goes on.
                self.kernel.calls.interrupt(thread, thread.sleep_restart)
            thread._leave_queues()
            thread.state = State.STOPPED
            thread.attention = True
            self.kernel.sched.dequeue(thread)
        self.signal.stop_news, self.signal.continue_news = signo, False
        self._tell_parent(CLD_STOPPED, signo)

    def _tell_parent(self, code: int, status: int) -> None:
        parent = self.signal.leader.parent
        if parent is None:
            return
        parent.signal.child_exited.wake_all()
        if not parent.sighand.actions[SIGCHLD - 1].flags & SA_NOCLDSTOP:
            pid = parent.pid_ns.number_of(self.tgid)
            info = SigInfo(SIGCHLD, code, pid=pid, uid=self.cred.uid, status=status)
            send(parent, info)

    def unstop(self) -> None:
        """SIGCONT or SIGKILL: run again."""
        if self.state is State.STOPPED:
            self.state = State.RUNNING
            self.kernel.sched.enqueue(self)

    def continued(self) -> None:
        """The whole process goes on after a stop: its parent hears of it."""
        self.signal.stop_news, self.signal.continue_news = 0, True
        self._tell_parent(CLD_CONTINUED, SIGCONT)

    # ---- the end

    def exit_group(self, code: int) -> None:
        """End the process; `code` is as wait(2) shows it."""
        self.signal.group_exit_code = code
        if self.signal.leader.exited:  # it ended alone before: wait tells how the process ended
            self.signal.leader.exit_code = code
        for thread in self.signal.threads:
            if thread is not self and not thread.exited:
                send(thread, SigInfo(SIGKILL), to_thread=True)
        self.exit(code)

    def exit(self, code: int) -> None:
        """End this thread."""
        from kernel_model.exit import exit_task

        exit_task(self, code)

    @property
    def exit_status(self) -> int:
        """As a shell shows it: the exit code, or 128 + the signal."""
        code = self.last_of_process.exit_code
        return 128 + (code & 0x7F) if code & 0x7F else code >> 8 & 0xFF

    @property
    def last_of_process(self) -> Task:
        """Who has this task's number in the end: exec gives it to the thread that calls it."""
        task = self
        while task.successor is not None:
            task = task.successor
        return task
