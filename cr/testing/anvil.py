"""Kernels that are offered what somebody did to an image.

An `Anvil` is a kernel that runs nothing. What is struck on it must be refused with an ImageError,
and then the kernel is as it was; or be restarted, and then the kernel's dump works, a checkpoint of
it works or says why not, and it runs on for a little while without any exception that the run loop
does not announce.
"""

from __future__ import annotations

import copy
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cr.context import Refused
from cr.generations import LAST
from cr.image.errors import ImageError
from cr.image.stream import Pages
from cr.image.walk import machine_of, walk
from cr.system import Settings, System, boot_machine
from cr.until import Ended, after_time
from emu.machine import Machine
from kernel_model.clock import END_UNITS
from kernel_model.console import Console
from kernel_model.dump import dump
from kernel_model.kernel import Deadlock
from kernel_model.vfs.disk import Disk

MEMORY_BYTES = 16 << 20
RUN_ON_NS = 20_000
"""How long a restarted kernel runs on, in virtual time."""
SLOWEST_S = 1.0
MEMORY_HEADROOM_BYTES = 2 << 30
"""How much more address space than before a test may use, all inputs together."""


@dataclass(frozen=True)
class Specimen:
    """A real image, and the disk as it was then."""

    name: str
    arch: str
    image: bytes
    disk: Disk = field(repr=False)

    @property
    def edges(self) -> list[int]:
        """Where records begin, and the end."""
        return [item.offset for item in walk(self.image)] + [len(self.image)]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """(begin, end) of all records but buffers of pages."""
        return [
            (item.offset, item.offset + item.length)
            for item in walk(self.image)
            if not isinstance(item.value, Pages)
        ]


class Anvil:
    """A kernel on which images are struck."""

    def __init__(self, specimen: Specimen) -> None:
        self.specimen = specimen
        self.slowest_s = 0.0
        """Processor time of the slowest image: what else the machine does must not count."""
        self.accepted = 0
        self.refused = 0
        self.went_on = ""
        """How the last image that was restarted went on."""
        self.watchful = True
        """Look at the whole kernel after each refusal; else only where somebody asks."""
        self._abi = _tree_of(specimen.image)
        self._machine = Machine(MEMORY_BYTES)
        self._boot()

    def _boot(self) -> None:
        settings = Settings(self.specimen.arch, memory_bytes=MEMORY_BYTES, abi=self._abi)
        disk = copy.deepcopy(self.specimen.disk)
        self.kernel: System = boot_machine(settings, disk, Console(), self._machine)
        for abi in self.kernel.abis:
            if abi.vdso:
                self.kernel.vdso_page(abi)
        self.untouched = state_of(self.kernel)

    def _reboot(self) -> None:
        ram = self.kernel.machine.power_off()
        self._machine = Machine(ram=ram, memory_bytes=0)
        self._boot()

    def strike(self, image: bytes | memoryview) -> ImageError | None:
        """Offer an image to the kernel: the error that refused it, or None if it ran on."""
        begin = time.process_time()
        self.went_on = ""
        try:
            self.kernel.restart(image)
        except ImageError as refused:
            self.refused += 1
            self._note(begin)
            assert refused.sentence and str(refused)
            if self.watchful:
                self.assert_untouched()
            return refused
        self.accepted += 1
        self.went_on = run_on(self.kernel)
        self._note(begin)
        assert_all_given_back(self.kernel, self.untouched)
        self._reboot()
        return None

    def _note(self, begin: float) -> None:
        self.slowest_s = max(self.slowest_s, time.process_time() - begin)

    def assert_untouched(self) -> None:
        """Nothing that was refused has left a trace."""
        found = state_of(self.kernel)
        assert found == self.untouched, difference(self.untouched, found)

    def close(self) -> None:
        """Give the machine back."""
        self.kernel.machine.power_off()


def _tree_of(image: bytes) -> str:
    """The abi of the kernel that restarts an image: its own, if it says so."""
    try:
        return machine_of(image) or LAST.name
    except ImageError:  # of an older dialect: it is upgraded
        return LAST.name


def run_on(kernel: System) -> str:
    """A restarted kernel has a dump, can be checkpointed or says why not, and runs on.

    What became of it, in words.
    """
    dump(kernel)
    words = ["checkpointed"]
    try:
        kernel.checkpoint()
    except Refused as refused:
        words = [str(refused)]
    try:
        ended = kernel.run(after_time(RUN_ON_NS))
        over = kernel.clock.units >= END_UNITS
        assert ended in (Ended.REACHED, Ended.EXITED) or over, ended
        words.append(ended.value)
    except Deadlock as deadlock:
        words.append(str(deadlock))
    dump(kernel)
    words += [f"{task.exit_code:#x}" for task in kernel.tasks.values() if task.exited]
    return "; ".join(words)


_RESOURCES = ("free frames", "page table nodes", "nameless", "opens", "writers", "mappings")


def assert_all_given_back(kernel: System, fresh: State) -> None:
    """Kill what still runs: every frame, table, open file and timer is free again.

    Segments of shared memory outlive their users, as in Linux, so they are removed by name.
    """
    for task in list(kernel.tasks.values()):
        if not task.exited:
            task.exit_group(9)
    kernel.nsproxy.ipc.remove_all()
    kernel.vfs.shrink()
    found = state_of(kernel)
    given = (*_RESOURCES, "executions", "timers", "ptys")
    kept = [name for name in given if found[name] != fresh[name]]
    assert not kept, f"not given back: {kept}: {difference(fresh, found)}"


State = dict[str, object]


def state_of(kernel: System) -> State:
    """All of a kernel that a refused image could have changed."""
    vfs = kernel.vfs
    inodes = list(vfs.rootfs.inodes.values())
    return {
        "dump": dump(kernel),
        "free frames": kernel.ram.free_frames,
        "page table nodes": kernel.machine.tables._next - len(kernel.machine.tables._free),
        "next inode": vfs.numbers(),
        "bytes on the disk": kernel.disk.used_bytes,
        "nameless": [inode.node.ino for inode in inodes if not inode.node.nlink],
        "opens": sum(inode.opens for inode in inodes),
        "writers": sum(inode.writers for inode in inodes),
        "mappings": sum(len(inode.mappings) for inode in inodes),
        "executions": sum(inode.executions for inode in inodes),
        "timers": len(kernel.clock._timers),
        "sockets": _sockets_of(kernel),
        "waiters": len(kernel.console.queue.waiters),
        "ptys": sorted(vfs.devpts.slaves),
        "console": kernel.console.tty is None,
        "tasks": sorted(kernel.tasks),
        "calls": kernel.completed_calls,
    }


def _sockets_of(kernel: System) -> tuple[object, ...]:
    """Names and ports that are taken, files on their way, sockets behind names."""
    net = kernel.nsproxy.net
    named = [inode for inode in kernel.vfs.rootfs.inodes.values() if inode.socket is not None]
    taken = sorted(net.abstract), len(net.bound), len(net.in_flight.counts), len(named)
    return (*taken, net.next_port, net.next_autobind, net.loopback_up)


def difference(before: State, after: State) -> str:
    """Which of the things in a state changed."""
    return "; ".join(
        f"{name}: {value!r} became {after[name]!r}"
        for name, value in before.items()
        if after[name] != value
    )


class TookTooLong(Exception):
    """One input kept the host busy for many times what is allowed."""


@contextmanager
def bounded(seconds: float = 300.0, headroom_bytes: int = MEMORY_HEADROOM_BYTES) -> Iterator[None]:
    """Nothing here may loop for ever or allocate without bound."""

    def expired(signo: int, frame: object) -> None:
        raise TookTooLong(f"{seconds} s are over")

    old_handler = signal.signal(signal.SIGALRM, expired)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        now_bytes = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now_bytes + headroom_bytes, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def time_for_one() -> None:
    """Inside `bounded`: from now on, the time that one input may take. Outside: no limit."""
    if signal.getsignal(signal.SIGALRM) in (signal.SIG_DFL, signal.SIG_IGN, None):
        return  # nobody would catch it: the process would die
    signal.setitimer(signal.ITIMER_REAL, 10 * SLOWEST_S)
