"""A kernel: the composition of its parts, and the run loop.

One turn of the loop: pick a task; if it sleeps in a call, run its handler again; act on signals;
let the machine run its code; serve the stop. No logic of any one subsystem is here.
"""

from __future__ import annotations

from types import ModuleType

from emu.elf import ElfImage, NotAnElf, parse
from emu.machine import Machine
from emu.pagetable import OutOfNodes
from emu.stops import BUDGET, SYSCALL, MemoryFault, Stop, Trapped
from kernel_model import init as first_process
from kernel_model import oom
from kernel_model.abi.errno import ENOMEM
from kernel_model.arch.abi import Abi
from kernel_model.chaos import Chaos
from kernel_model.clock import Clock
from kernel_model.console import Console
from kernel_model.creds import root_cred
from kernel_model.delivery import deliver
from kernel_model.freezer import FreezerCgroup
from kernel_model.futex import Futexes
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.itimers import cpu_budget, fire_cpu_timers
from kernel_model.mm.address_space import AddressSpace
from kernel_model.mm.backing import VdsoPage
from kernel_model.mm.fault import BadAccess, OutOfMemory, handle_fault
from kernel_model.net.namespace import NetNamespace
from kernel_model.nsproxy import NsProxy, UtsNamespace
from kernel_model.pidfd import Pidfds
from kernel_model.pids import PidNamespace
from kernel_model.randomness import Random
from kernel_model.sched import Scheduler
from kernel_model.signals import SigInfo, force
from kernel_model.syscalls.dispatch import NOTHING_MOVED, CallTable, Moved
from kernel_model.sysctl import Sysctls
from kernel_model.task import State, Task
from kernel_model.trace import Trace
from kernel_model.traps import signal_of_fault, signal_of_trap
from kernel_model.vfs.disk import Disk
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.procfs import NOTHING_MORE, MoreFiles
from kernel_model.vfs.vfs import Vfs


class Deadlock(Exception):
    """Every task waits for another one; nothing will ever happen again."""


class Kernel:
    """`abis`: the native one first. `modules` declare the system calls that it has, `moved` those
    that have other numbers than in the table, and `proc_files` what /proc has besides its own."""

    def __init__(
        self,
        *,
        arch: str,
        abis: tuple[Abi, ...],
        modules: tuple[ModuleType, ...],
        machine: Machine,
        disk: Disk,
        console: Console,
        epoch_ns: int,
        seed: int,
        schedule_seed: int | None = None,
        wild: bool = False,
        proc_files: MoreFiles = NOTHING_MORE,
        release: bytes = UtsNamespace.release,
        generation: str = "",
        moved: Moved = NOTHING_MOVED,
    ) -> None:
        self.arch = arch
        self.generation = generation
        """Which patches it was built with: a name for whoever gave it its `modules`."""
        self.abis = abis
        self.machine = machine
        self.ram = machine.ram
        self.disk = disk
        self.console = console
        self.clock = Clock(epoch_ns)
        self.random = Random(seed)
        self.trace = Trace()
        self.chaos = Chaos(self.clock, schedule_seed, wild)
        self.sched = Scheduler(self.chaos)
        self.tasks: dict[int, Task] = {}
        self.futexes = Futexes(self.chaos, self.tasks)
        self.pidfds = Pidfds(self.tasks)
        self.calls = CallTable(modules, abis, moved)
        self.vfs = Vfs(disk, self.ram, self.clock)
        self.vfs.devfs.add_program(first_process.FILE_NAME, first_process.program(arch))
        self.release = release
        """Its own version; a restart may bring back other names for uname to tell."""
        uts = UtsNamespace(release=release, machine=abis[0].machine.encode())
        net = NetNamespace(self.clock, loopback_up=True)
        self.nsproxy = NsProxy(uts, IpcNamespace(self.clock), net, self.vfs.namespace)
        self.root_cred = root_cred()
        """Of the first task, and of one whose own credentials nobody can ask for any more."""
        self.pid_ns = PidNamespace(self)
        self.own_init: Task | None = None
        """The first process if it is ours: its calls are nobody's business."""
        self.completed_calls = 0
        self.sleeps = 0
        """How often a task fell asleep."""
        self.checkpoints = 0
        """How many checkpoints sys_checkpoint has taken."""
        self.freezer = FreezerCgroup(b"")
        self.sysctls = Sysctls(proc_files.sysctls)
        self.vfs.mount_proc(self, proc_files)
        self.vfs.mount_freezer(self)
        self._elf: dict[int, tuple[int, ElfImage]] = {}
        self._vdso: dict[str, VdsoPage] = {}

    # ---- shared parts

    def parsed_elf(self, file: OpenFile) -> ElfImage:
        """The headers of a program file, read once per inode and change. Raises NotAnElf."""
        node = file.inode.node
        known = self._elf.get(node.ino)
        if known is None or known[0] != node.mtime_ns:
            known = (node.mtime_ns, parse(file.pread(0, node.size)))
            self._elf[node.ino] = known
        return known[1]

    def elf_flags(self, file: OpenFile | None) -> int:
        """e_flags of a program file (restart asks); 0 when it is none any more."""
        if file is None:
            return 0
        try:
            return self.parsed_elf(file).flags
        except NotAnElf:
            return 0

    def new_address_space(self, abi: Abi, stack_limit: int) -> AddressSpace:
        """An empty address space of an ABI. Raises ENOMEM."""
        try:
            return AddressSpace(self.machine.tables, abi.task_size, abi.mmap_base(stack_limit))
        except OutOfNodes as full:
            raise ENOMEM(str(full)) from full

    def vdso_page(self, abi: Abi) -> VdsoPage:
        """The page of signal trampolines of an ABI, one for all its tasks."""
        page = self._vdso.get(abi.name)
        if page is None:
            page = self._vdso[abi.name] = VdsoPage(self.ram, abi.vdso)
        return page

    def count_call(self, task: Task) -> None:
        """A system call has been completed."""
        self.vfs.look_again(self)
        if task is not self.own_init:
            self.completed_calls += 1

    def pid_in_use(self, pid: int) -> bool:
        """Whether a task, a process group or a session has this number."""
        return pid in self.tasks or any(
            pid in (task.signal.pgid, task.signal.sid) for task in self.tasks.values()
        )

    # ---- running

    def run_turn(self, stop_at_units: int, stop_at_calls: int) -> bool:
        """Let one task run until it must leave the CPU, or a limit is reached.

        False when nothing can run and no timer is set.
        """
        task = self.sched.pick()
        if task is None:
            return self.clock.jump()
        clock = self.clock
        while task.state is State.RUNNING:
            if task.frozen:
                self.sched.dequeue(task)
                return True
            if task.syscall is not None:
                self.calls.resume(task)
                if task.state is not State.RUNNING or self.completed_calls >= stop_at_calls:
                    return True
                continue
            while task.attention and task.state is State.RUNNING:  # handlers are stacked
                deliver(task)
                if task.state is not State.RUNNING or self.completed_calls >= stop_at_calls:
                    return True
            units = clock.units
            # After a fault the block goes on, even on an overdrawn budget: where timers fire and
            # slices end must not depend on which pages are present.
            if units >= clock.next_due_units and not task.fault_resumed:
                clock.fire_due()
                continue
            budget = min(clock.next_due_units, stop_at_units) - units
            if self.sched.slice_left < budget:
                budget = self.sched.slice_left
            cpu_left = cpu_budget(task)
            if cpu_left is not None:
                if cpu_left <= 0 and not task.fault_resumed:
                    fire_cpu_timers(task)
                    continue
                budget = min(budget, cpu_left)
            if budget <= 0 and not task.fault_resumed:
                return True
            assert task.mm is not None
            stop, spent = self.machine.run(
                task.regs, task.mm.table, budget, units, resumed=task.fault_resumed
            )
            clock.units = units + spent
            self.sched.slice_left -= spent
            task.run_units += spent
            if stop is SYSCALL:
                task.fault_resumed = False
                self.calls.enter(task)
                # A slice that is over ends the turn before a timer fires: a checkpoint here puts
                # the task in line at once, and the uninterrupted run must do the same.
                if self.completed_calls >= stop_at_calls or self.sched.slice_left <= 0:
                    return True
            elif stop is BUDGET:
                task.fault_resumed = False
                if self.sched.slice_left <= 0:
                    return True
            else:
                self._exception(task, stop)
        return True

    def _exception(self, task: Task, stop: Stop) -> None:
        if isinstance(stop, MemoryFault):
            self._fault(task, stop)
            return
        assert isinstance(stop, Trapped)
        if task.abi.emulate is not None and task.abi.emulate(task):
            task.fault_resumed = False
            return
        self._refuse(task, signal_of_trap(task, stop))

    def _refuse(self, task: Task, info: SigInfo) -> None:
        task.fault_resumed = False
        if self.trace.wanted:
            self.trace.faulted(task)
        force(task, info)

    def _fault(self, task: Task, stop: MemoryFault) -> None:
        task.fault_resumed = True
        try:
            if not self.bring_in(task, stop.addr, stop.access):
                task.fault_resumed = False
        except BadAccess as bad:
            self._refuse(task, signal_of_fault(task, stop, bad))

    def bring_in(self, task: Task, addr: int, access: str) -> bool:
        """Make a page of a task accessible. Raises BadAccess.

        False when there is no memory for it, not even without the page cache: somebody is killed.
        """
        assert task.mm is not None
        for may_shrink in (True, False):
            try:
                handle_fault(task.mm, addr, access, task.stack_limit)
                return True
            except OutOfMemory:
                if not (may_shrink and self.vfs.shrink()):
                    break
        oom.kill_for(task)
        return False
