"""Images of real programs, and kernels that are offered what somebody did to them.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import cr
from cr.context import Refused
from cr.image.errors import ImageError
from cr.image.stream import Pages
from cr.image.walk import walk
from cr.system import Ended, Settings, System, Until, boot_machine
from emu.machine import Machine
from guests.stories import ARCHES, find_story
from kernel_model.console import Console
from kernel_model.dump import dump
from kernel_model.kernel import Deadlock
from kernel_model.vfs.disk import Disk
from tests.harness.model import MAX_TIME_NS, start

MEMORY_BYTES = 16 << 20
RUN_ON_NS = 20_000
"""How long a restarted kernel runs on, in virtual time."""
SLOWEST_S = 1.0
MEMORY_HEADROOM_BYTES = 2 << 30
"""How much more address space than before a test may use, all inputs together."""

Outcome = str


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


_PLACES: dict[str, Until] = {
    "files/pipe": cr.after_syscalls(30),
    "files/unlinked": cr.after_syscalls(12),
    "files/directory": cr.after_syscalls(20),
    "memory/shared_anonymous": cr.after_syscalls(6),
    "memory/shared_file": cr.after_syscalls(10),
    "memory/private_file": cr.after_syscalls(8),
    "processes/fork_wait": cr.after_syscalls(8),
    "processes/pipe_pingpong": cr.after_syscalls(12),
    "processes/threads": cr.after_syscalls(12),
    "processes/zombies": cr.after_syscalls(8),
    "process/identity": cr.after_syscalls(30),
    "sockets/datagram": cr.after_syscalls(35),
    "sockets/full": cr.after_syscalls(12),
    "sockets/listen_accept": cr.after_syscalls(26),
    "sockets/pass_fds": cr.after_syscalls(13),
    "sockets/seqpacket": cr.after_syscalls(16),
    "sockets/tcp_edges": cr.after_syscalls(14),
    "sockets/tcp_talk": cr.after_syscalls(24),
    "sockets/udp": cr.after_syscalls(12),
    "signals/queue": cr.after_syscalls(20),
    "signals/nested": cr.after_syscalls(8),
    "signals/restart_read": cr.after_syscalls(8),
    "jobs/shell": cr.after_syscalls(36),
    "terminals/hangup": cr.after_syscalls(32),
    "terminals/watching": cr.after_syscalls(30),
    "time/nanosleep": cr.after_time(10_000_000),
    "time/interval_timer": cr.after_syscalls(6),
    "cpu/x87_sse": cr.after_syscalls(5),
    "cpu/fpr": cr.after_syscalls(5),
    "cpu/altivec": cr.after_syscalls(5),
    "cpu/vsx": cr.after_syscalls(5),
}


def names_of(arch: str) -> list[str]:
    """The stories of which there are images on an arch."""
    return [name for name in _PLACES if arch in find_story(name).arches]


@cache
def specimen(name: str, arch: str) -> Specimen:
    """The image of a story, taken somewhere on its way."""
    place = _PLACES[name]
    story = find_story(name)
    kernel = start(story, arch, story.builds[0])
    ended = kernel.run(place, max_time_ns=MAX_TIME_NS)
    assert ended is Ended.REACHED, f"{name} on {arch}: {ended.value}"
    image = kernel.checkpoint()
    kernel.power_off()
    return Specimen(name, arch, bytes(image), kernel.disk)


class Anvil:
    """A kernel on which images are struck."""

    def __init__(self, specimen: Specimen) -> None:
        self.specimen = specimen
        self.slowest_s = 0.0
        self.accepted = 0
        self.refused = 0
        self.watchful = True
        """Look at the whole kernel after each refusal; else only where somebody asks."""
        self._machine = Machine(MEMORY_BYTES)
        self._boot()

    def _boot(self) -> None:
        settings = Settings(self.specimen.arch, memory_bytes=MEMORY_BYTES)
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
        begin = time.perf_counter()
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
        run_on(self.kernel)
        self._note(begin)
        assert_all_given_back(self.kernel, self.untouched)
        self._reboot()
        return None

    def _note(self, begin: float) -> None:
        self.slowest_s = max(self.slowest_s, time.perf_counter() - begin)

    def assert_untouched(self) -> None:
        """Nothing that was refused has left a trace."""
        found = state_of(self.kernel)
        assert found == self.untouched, difference(self.untouched, found)

    def close(self) -> None:
        """Give the machine back."""
        self.kernel.machine.power_off()


def run_on(kernel: System) -> None:
    """A restarted kernel has a dump, can be checkpointed or says why not, and runs on."""
    dump(kernel)
    try:
        kernel.checkpoint()
    except Refused:
        pass
    try:
        ended = kernel.run(cr.after_time(RUN_ON_NS))
        assert ended in (Ended.REACHED, Ended.EXITED), ended
    except Deadlock:
        pass
    dump(kernel)


_RESOURCES = ("free frames", "page table nodes", "nameless", "opens", "writers", "mappings")


def assert_all_given_back(kernel: System, fresh: State) -> None:
    """Kill what still runs: every frame, table, open file and timer is free again."""
    for task in list(kernel.tasks.values()):
        if not task.exited:
            task.exit_group(9)
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
def bounded(seconds: float = 300.0) -> Iterator[None]:
    """Nothing here may loop for ever or allocate without bound."""

    def expired(signo: int, frame: object) -> None:
        raise TookTooLong(f"{seconds} s are over")

    old_handler = signal.signal(signal.SIGALRM, expired)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        now_bytes = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now_bytes + MEMORY_HEADROOM_BYTES, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def strike_all(
    specimen: Specimen,
    inputs: Iterator[tuple[str, bytes]],
    *,
    watchful: bool = True,
    tell: Callable[[str], object] = print,
) -> Anvil:
    """Strike with every input (what was done, image); say which one broke the law."""
    with bounded():
        anvil = Anvil(specimen)
        anvil.watchful = watchful
        for what, image in inputs:
            signal.setitimer(signal.ITIMER_REAL, 10 * SLOWEST_S)
            before_s = anvil.slowest_s
            try:
                anvil.strike(image)
            except BaseException:
                tell(f"{specimen.name} on {specimen.arch}: {what}")
                raise
            if anvil.slowest_s > SLOWEST_S > before_s:
                raise AssertionError(f"{what} took {anvil.slowest_s:.1f} s")
        anvil.assert_untouched()
        anvil.close()
    return anvil


__all__ = ["ARCHES", "Anvil", "Specimen", "names_of", "specimen", "strike_all"]
