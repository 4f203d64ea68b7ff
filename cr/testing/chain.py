"""A run as a chain of hashes: one link for each event and each turn of the scheduler.

A link says what happened, to which task, when, and holds two hashes. `state` is of how it was then:
its registers; at the end of a turn, before an exec, a signal or an exit all registers of the task
and every page that it has made its own or shares (those it only read are the file's). `chain` is of
this link and all before it: two runs are equal if their last ones are. The first link that differs
is where they part. `main` makes the chain of a subject in a process of its own; with a number of
links it goes just so far and tells everything.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from bisect import bisect_left
from dataclasses import dataclass

from cr.system import System
from cr.testing import snapshot
from cr.testing.snapshot import Snapshot
from cr.testing.subject import Subject
from cr.until import AfterTurns, Ended
from kernel_model.dump import dump
from kernel_model.kernel import Deadlock
from kernel_model.mm.backing import SharedMemory
from kernel_model.task import Task
from kernel_model.trace import Event, Faulted, Refused, SignalDelivered
from kernel_model.trace import SyscallEntered as Entered
from kernel_model.trace import SyscallReturned as Returned

TURN = "the end of a turn"
_DIGEST_BYTES = 8


@dataclass(frozen=True)
class Link:
    """What happened, in words; to whom; when (bytes of code); and the hashes of how it was."""

    what: str
    pid: int
    units: int
    state: str
    chain: str = ""
    enters: bool = False
    """A system call begins here."""


@dataclass(frozen=True)
class Chain:
    """A whole run; `moment` is the kernel at the last link, if it was asked for."""

    links: tuple[Link, ...]
    status: int
    console: tuple[tuple[int, bytes], ...]
    final: str
    moment: Snapshot | None = None
    ended: bool = True
    """Whether every task has exited."""

    def parts_from(self, other: Chain) -> int | None:
        """The first link that differs, counted from 0; None when the runs are equal."""
        pairs = list(zip(self.links, other.links))
        # A link's hash is of all before it too: once different, different to the end.
        position = bisect_left(pairs, True, key=lambda pair: pair[0].chain != pair[1].chain)
        if position < len(pairs) or len(self.links) != len(other.links):
            return position
        same = (self.status, self.console, self.final) == (other.status, other.console, other.final)
        return None if same else len(self.links)

    def call_at(self, position: int) -> tuple[str, int]:
        """The system call that the task of a link was in, or made last; and the how many-th."""
        before = self.links[: position + 1]
        for number in range(len(before) - 1, -1, -1):
            if before[number].enters and before[number].pid == before[-1].pid:
                return before[number].what, sum(link.enters for link in before[: number + 1])
        return "", 0


class _Enough(Exception):
    """The link that was wanted is made."""


class _Maker:
    """Collects links; a sink of the trace."""

    def __init__(self, kernel: System, most: int | None) -> None:
        self.kernel = kernel
        self.most = most
        self.links: list[Link] = []
        self._chain = b""

    def event(self, event: Event) -> None:
        """Something happened to a task."""
        task = self.kernel.tasks.get(event.pid)
        enters = isinstance(event, Entered)
        state: list[bytes | memoryview] = []
        if task is not None and not task.exited:
            state = _state_of(task) if _may_be_the_last(event) else [bytes(task.regs.words)]
        self.add(in_words(event), event.pid, state, enters=enters)

    def turn(self, pid: int) -> None:
        """A turn is over: the registers and pages of whoever had it."""
        task = self.kernel.tasks.get(pid)
        self.add(TURN, pid, _state_of(task) if task is not None and not task.exited else [])

    def add(
        self, what: str, pid: int, state: list[bytes | memoryview], *, enters: bool = False
    ) -> None:
        """One more link. Raises _Enough behind the last one that is wanted."""
        units = self.kernel.clock.units
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        for piece in state:
            digest.update(piece)
        whole = f"{what}/{pid}/{units}/{digest.hexdigest()}".encode()
        self._chain = hashlib.blake2b(self._chain + whole, digest_size=_DIGEST_BYTES).digest()
        self.links.append(Link(what, pid, units, digest.hexdigest(), self._chain.hex(), enters))
        if len(self.links) == self.most:
            raise _Enough


def _may_be_the_last(event: Event) -> bool:
    """What the task has in memory may be gone at the end of the turn."""
    if isinstance(event, Entered):
        return event.name in ("exit", "exit_group", "execve")
    return isinstance(event, SignalDelivered)


def in_words(event: Event) -> str:
    """An event as a person would say it, all of it: two events are equal iff their words are."""
    if isinstance(event, Entered):
        return f"{event.name}({', '.join(f'{word:#x}' for word in event.arguments)})"
    if isinstance(event, Returned):
        return f"{event.name} = {event.result}"
    if isinstance(event, SignalDelivered):
        return f"signal {event.signo} (code {event.code}, addr {event.addr:#x})"
    if isinstance(event, Refused):
        return f"errno {event.errno}: {event.sentence}"
    if isinstance(event, Faulted):
        return f"fault at {event.pc:#x} ({event.instruction.hex()})"
    return repr(event)


def _state_of(task: Task) -> list[bytes | memoryview]:
    regs = task.regs
    pieces: list[bytes | memoryview] = [bytes(regs.words)]
    pieces += [regs[name].to_bytes(8, "big") for name in regs.spec.system]
    pieces += [bytes(state) for _, state in sorted(regs.units.items())]
    for vma in task.mm.vmas if task.mm is not None else ():
        if isinstance(vma.backing, SharedMemory):
            pages, ram = sorted(vma.backing.pages.items()), vma.backing.ram
        elif not vma.shared and task.mm is not None:
            pages, ram = task.mm.resident_private(vma), task.mm.ram
        else:
            continue
        for page_no, frame in pages:
            pieces += [page_no.to_bytes(8, "big"), ram.page(frame)]
    return pieces


def make(subject: Subject, most: int | None = None) -> Chain:
    """The chain of a run; with `most`, only so many links, and the kernel as it is then."""
    kernel, recorder = subject.boot()
    maker = _Maker(kernel, most)
    kernel.trace.sinks.append(maker.event)
    root = kernel.tasks[min(kernel.tasks)]
    ended = Ended.REACHED
    try:
        while ended is Ended.REACHED and kernel.clock.now_ns() < subject.max_time_ns:
            order, _ = kernel.sched.order()
            ended = kernel.run(AfterTurns(1), max_time_ns=subject.max_time_ns)
            maker.turn(order[0].pid if order else 0)
    except Deadlock as problem:
        maker.most = None
        maker.add(str(problem), 0, [])
    except _Enough:
        pass
    moment = snapshot.take(kernel, recorder.written) if most is not None else None
    final = hashlib.blake2b(dump(kernel).encode(), digest_size=_DIGEST_BYTES).hexdigest()
    over = ended is Ended.EXITED
    written = tuple(recorder.written)
    chain = Chain(tuple(maker.links), root.exit_status, written, final, moment, over)
    kernel.trace.sinks.clear()
    kernel.power_off()
    return chain


def main() -> None:
    """A subject and a number from standard input; its chain to standard output. Both pickled."""
    subject, most = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(make(subject, most)))
