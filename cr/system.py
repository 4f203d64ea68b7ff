"""Booting: a kernel with checkpoint and restart plugged in, and the library's front door.

The kernel model knows nothing of C/R; it takes its system calls from the modules named here. A
`System` is such a kernel with the verbs that a person wants:

    kernel = cr.boot("x86_32", disk=cr.Disk.from_dir("rootfs"), seed=1)
    task = kernel.spawn("/bin/counter", "10")
    kernel.run(until=cr.after_syscalls(40))
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    task = kernel.restart(image)
    kernel.run()
    task.exit_status, kernel.console.output

`run` is where the host and the machine meet: it asks for input when everybody waits for it, while
virtual time stands still, and it says who waits for what when nothing can ever run again.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import ModuleType

from cr import syscalls as syscalls_2010
from cr import syscalls_2008, syscalls_2009
from cr.context import Refused
from cr.explain import PROC_FILES
from cr.generations import LAST, Generation, generation_named, generation_of
from cr.image.dialects.table import recognize
from cr.image.errors import ImageError
from cr.image.walk import machine_of
from cr.nocr import Marker
from cr.sysctl import sysctls_of
from cr.tools.image_bytes import Image
from cr.until import AfterBlocks, AfterSyscalls, AfterTime, AfterTurns, Ended, Until
from emu.machine import Machine
from emu.printable import printable
from kernel_model import boot as kernel_boot
from kernel_model.arch import ppc32, ppc64, x86_32, x86_64
from kernel_model.arch.abi import Abi
from kernel_model.arch.features import lacking, parse
from kernel_model.clock import END_UNITS, KTIME_MAX_NS, LATEST_BOOT_NS, UNITS_PER_NS
from kernel_model.console import Console
from kernel_model.kernel import Deadlock, Kernel
from kernel_model.syscalls import topics
from kernel_model.task import State, Task
from kernel_model.vfs.disk import Disk

ARCHES: dict[str, tuple[Abi, ...]] = {
    "x86_32": (x86_32.ABI,),
    "x86_64": (x86_64.ABI, x86_32.COMPAT),
    "ppc32": (ppc32.ABI,),
    "ppc64": (ppc64.ABI, ppc32.COMPAT),
}
"""The ABIs that a kernel of each arch runs, the native one first."""

DEFAULT_EPOCH_NS = 1_300_000_000 * 1_000_000_000
"""2011-03-13: when linux-cr was last posted."""
DEFAULT_MEMORY_BYTES = 512 << 20
DEFAULT_ENVIRONMENT = {"HOME": "/", "PATH": "/usr/bin:/bin"}
_MOST_TOLD = 8
"""Of so many tasks a sentence says what they wait for."""
_GLANCE_UNITS = 50_000_000 * UNITS_PER_NS
"""How much virtual time passes between two looks at an idle terminal."""


def modules(generation: Generation = LAST) -> tuple[ModuleType, ...]:
    """All that has system calls: the kernel model's topics, and checkpoint and restart."""
    older = syscalls_2009 if generation.has_containers else syscalls_2008
    return (*topics.modules(), syscalls_2010 if generation.has_log else older)


@dataclass(frozen=True)
class Settings:
    """What a boot depends on, besides the disk."""

    arch: str
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    epoch_ns: int = DEFAULT_EPOCH_NS
    seed: int = 0
    accelerate: bool = True
    schedule_seed: int | None = None
    chaos: bool = False
    cpu_features: str = ""
    """What the CPU lacks: "-altivec,-vsx"."""
    release: str = ""
    """The kernel's version, as uname tells it; empty: that of `abi`."""
    abi: str = LAST.name
    """Which tree of linux-cr it is of: one of cr.generations.GENERATIONS."""
    nocr: bool = False
    """It sets PF_NOCR (cr.nocr)."""


class System(Kernel):
    """A kernel that can be checkpointed, rebooted and restarted."""

    def __init__(self, settings: Settings, disk: Disk, console: Console, machine: Machine) -> None:
        self.settings = settings
        self._interrupted = False
        generation = generation_named(settings.abi)
        abis = lacking(ARCHES[settings.arch], parse(settings.cpu_features))
        super().__init__(
            arch=settings.arch,
            abis=abis,
            modules=modules(generation),
            machine=machine,
            disk=disk,
            console=console,
            epoch_ns=settings.epoch_ns,
            seed=settings.seed,
            schedule_seed=settings.schedule_seed,
            wild=settings.chaos,
            proc_files=replace(PROC_FILES, sysctls=sysctls_of(generation)),
            release=(settings.release or generation.release).encode(),
            generation=generation.name,
            moved=generation.moved(settings.arch, tuple(abi.name for abi in abis)),
        )
        if settings.nocr:
            self.trace.sinks.append(Marker(self))

    def spawn(
        self,
        path: str | bytes,
        *args: str | bytes,
        env: Mapping[str, str] | None = None,
        terminal: bool = False,
        as_init: bool = False,
    ) -> Task:
        """Start a program of the guest's disk. Raises LinuxError, with nothing changed.

        `terminal` makes the console one, of 24 rows and 80 columns. `as_init` makes the program
        the first process itself; otherwise it is a child of an init of ours.
        """
        program = _raw(path)
        variables = DEFAULT_ENVIRONMENT if env is None else env
        envp = [_raw(f"{name}={value}") for name, value in variables.items()]
        return kernel_boot.spawn(
            self, program, [program, *map(_raw, args)], envp, terminal=terminal, as_init=as_init
        )

    # ---- running

    def run(self, until: Until | None = None, max_time_ns: int | None = None) -> Ended:
        """Run until every task has exited, or one of the limits (counted from now) is reached.

        Raises Deadlock when nothing can ever run again.
        """
        clock = self.clock
        calls_limit = turns_left = sys.maxsize
        units_limit = time_limit = END_UNITS
        if isinstance(until, AfterBlocks):
            return self._run_blocks(until.count, max_time_ns)
        if isinstance(until, AfterSyscalls):
            calls_limit = self.completed_calls + until.count
        elif isinstance(until, AfterTime):
            units_limit = clock.units + until.ns * UNITS_PER_NS
        elif isinstance(until, AfterTurns):
            turns_left = until.count
        if max_time_ns is not None:
            time_limit = min(time_limit, clock.units + max_time_ns * UNITS_PER_NS)
        first_limit = min(units_limit, time_limit)
        while any(not task.exited for task in self.tasks.values()):
            if self._interrupted:
                self._interrupted = False
                return Ended.INTERRUPTED
            if clock.units >= END_UNITS:
                return Ended.TIMED_OUT
            if self.completed_calls >= calls_limit or clock.units >= units_limit or not turns_left:
                return Ended.REACHED
            if clock.units >= time_limit:
                return Ended.TIMED_OUT
            idle = self.sched.current is None and not self.sched.queue
            if self.console.live:
                if self._attend(idle, first_limit):
                    continue
            elif idle:
                if self.console.queue.waiters and self.console.ask():
                    continue
                if clock.next_due_units > first_limit:
                    clock.units = first_limit
                    continue
            turns_left -= 1
            if not self.run_turn(first_limit, calls_limit):
                raise Deadlock(self._who_waits())
        return Ended.EXITED

    def _run_blocks(self, count: int, max_time_ns: int | None) -> Ended:
        """The least that can be run ends at the first taken branch; a call may come before."""
        deadline = KTIME_MAX_NS if max_time_ns is None else self.clock.after(max_time_ns)
        for _ in range(count):
            if not self.sched.current and not self.sched.queue:
                ended = self.run(AfterTurns(1), max_time_ns)
            elif self.clock.units >= END_UNITS:
                ended = Ended.TIMED_OUT
            else:
                ended = self._run_block()
            if ended is not Ended.REACHED:
                return ended
            if self.clock.now_ns() >= deadline:
                return Ended.TIMED_OUT
        return Ended.REACHED

    def _run_block(self) -> Ended:
        self.run_turn(self.clock.units + 1, self.completed_calls + 1)
        alive = any(not task.exited for task in self.tasks.values())
        return Ended.REACHED if alive else Ended.EXITED

    def _attend(self, idle: bool, limit_units: int) -> bool:
        """See to the person at the terminal; True when there is no turn to run yet.

        While everybody waits, virtual time passes as it does for him.
        """
        clock = self.clock
        left = min(clock.next_due_units, limit_units) - clock.units
        step = min(_GLANCE_UNITS, left) if idle else 0
        endless = idle and left > END_UNITS // 2
        if self.console.attend(None if endless else max(0, step) // UNITS_PER_NS):
            return True
        if idle:
            clock.units += max(0, step)
            return clock.units < clock.next_due_units
        return False

    def interrupt(self) -> None:
        """Make `run` come back soon; may be called from a signal handler of the host."""
        self._interrupted = True

    def _who_waits(self) -> str:
        waiting = [t for t in self.tasks.values() if not t.exited and t is not self.own_init]
        told = [self._waits(task) for task in waiting[:_MOST_TOLD]]
        if len(waiting) > len(told):
            told.append(f"and {len(waiting) - len(told)} more")
        return "nothing can ever run again: " + "; ".join(told)

    def _waits(self, task: Task) -> str:
        who = f"task {task.pid} ({printable(task.comm)})"
        if task.state is State.STOPPED:
            return f"{who} is stopped"
        if task.syscall is None:
            return f"{who} is {task.state.value}"
        return f"{who} waits in {self.calls.name(task.abi, task.syscall)}"

    # ---- checkpoint, reboot, restart

    def checkpoint(self, *, pure: bool = False) -> Image:
        """The image of all tasks. Raises cr.context.Refused, with nothing changed.

        `pure` leaves out all that linux-cr has no record for; then it is in the dialect of the
        kernel's abi, else in the native one.
        """
        from cr.checkpoint import checkpoint_container  # type: ignore[import-not-found,unused-ignore]

        image = checkpoint_container(self, pure=pure)
        if not pure:
            return Image(image)
        try:
            return Image(generation_of(self).write(image))
        except ImageError as bad:
            raise Refused(bad.errno, str(bad)) from bad

    def reboot(self) -> System:
        """Throw this kernel away; a new one with the same disk and settings, and nothing else."""
        self.vfs.unmount()
        ram = self.machine.power_off()
        machine = Machine(ram=ram, memory_bytes=0, accelerate=self.settings.accelerate)
        return System(self.settings, self.disk, self.console.successor(), machine)

    def restart(self, image: bytes | memoryview) -> Task:
        """Restart the tasks of an image; the first of them. Raises cr.image.errors.ImageError.

        An image of an older dialect is upgraded first: a restart knows only the last one. A kernel
        of an older abi takes its own dialect, and machines of its own abi.
        """
        from cr.restart import restart_container
        from cr.tools.convert import upgrade

        generation = generation_of(self)
        if generation.is_native:
            return restart_container(self, upgrade(image).image)
        if recognize(image) is not None or machine_of(image) is None:
            return restart_container(self, generation.read(image))
        return restart_container(self, bytes(image))

    def power_off(self) -> None:
        """The end: the disk is as the guest left it, memory and CPUs are given back."""
        self.vfs.unmount()
        self.machine.power_off()


def boot(
    arch: str,
    disk: Disk | None = None,
    *,
    console: Console | None = None,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    epoch_ns: int = DEFAULT_EPOCH_NS,
    seed: int = 0,
    accelerate: bool = True,
    schedule_seed: int | None = None,
    chaos: bool = False,
    cpu_features: str = "",
    abi: str = LAST.name,
    nocr: bool = False,
) -> System:
    """A kernel on a new machine; `arch` is one of ARCHES, without `disk` the root is empty.

    `epoch_ns` is the wall clock at boot, `seed` all the chance there is: the same inputs give the
    same run, down to the bytes of an image. `accelerate` False takes the pure-Python CPU loop.
    `schedule_seed` gives runnable tasks another order; `chaos` adds short transfers, EINTR and the
    like, chosen by that seed. Both are in an image: a restarted kernel goes on with them.
    `cpu_features` says what the CPU lacks: "-altivec,-vsx". `abi` says which tree of linux-cr it is
    of: numbers, arguments and flags of its calls, and the format of its images ("v13"; see
    cr.generations). `nocr` marks tasks as PF_NOCR was to (cr.nocr). Raises ValueError, with a
    sentence.
    """
    if arch not in ARCHES:
        raise ValueError(f"no arch is called {arch!r}; there are {', '.join(ARCHES)}")
    if not 0 <= epoch_ns <= LATEST_BOOT_NS:
        raise ValueError(f"a boot {epoch_ns} ns after 1970 is none; the latest is {LATEST_BOOT_NS}")
    settings = Settings(
        arch,
        memory_bytes,
        epoch_ns,
        seed,
        accelerate,
        schedule_seed,
        chaos,
        cpu_features,
        abi=abi,
        nocr=nocr,
    )
    return boot_machine(
        settings,
        Disk.empty() if disk is None else disk,
        Console() if console is None else console,
        Machine(memory_bytes, accelerate=accelerate),
    )


def boot_machine(settings: Settings, disk: Disk, console: Console, machine: Machine) -> System:
    """A kernel on a machine that is at hand."""
    return System(settings, disk, console, machine)


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode(errors="surrogateescape")
