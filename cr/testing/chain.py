"""A run as a chain of hashes: one link for each event and each turn of the scheduler.

A link says which task, when, and holds the hash of its registers and of the event; at the end of a
turn also of all its pages. Two runs are equal if their chains are, and the first link that differs
is where they part. `main` makes the chain of a subject in a process of its own; with a number of
links it goes just so far and tells everything.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from dataclasses import dataclass

from cr.system import AfterTurns, Ended, System
from cr.testing import snapshot
from cr.testing.snapshot import Snapshot
from cr.testing.subject import Subject
from kernel_model.dump import dump
from kernel_model.kernel import Deadlock
from kernel_model.trace import Event


@dataclass(frozen=True)
class Link:
    """What happened: a word, to whom, when (bytes of code), and the hash of how it was then."""

    what: str
    pid: int
    units: int
    digest: str


@dataclass(frozen=True)
class Chain:
    """A whole run; `moment` is the kernel at the last link, if it was asked for."""

    links: tuple[Link, ...]
    status: int
    console: tuple[tuple[int, bytes], ...]
    final: str
    moment: Snapshot | None = None


class _Enough(Exception):
    """The link that was wanted is made."""


class _Maker:
    """Collects links; a sink of the trace."""

    def __init__(self, kernel: System, most: int | None) -> None:
        self.kernel = kernel
        self.most = most
        self.links: list[Link] = []

    def event(self, event: Event) -> None:
        """Something happened to a task."""
        self._add(type(event).__name__, event.pid, repr(event))

    def turn(self) -> None:
        """A turn is over: the pages of whoever had it."""
        task = self.kernel.sched.current
        if task is None:
            self._add("idle", 0, "")
            return
        pages = hashlib.blake2b(digest_size=8)
        if task.mm is not None:
            for vma in task.mm.vmas:
                for page_no, frame in task.mm.resident_private(vma):
                    pages.update(page_no.to_bytes(8, "big"))
                    pages.update(task.mm.ram.page(frame))
        self._add("turn", task.pid, pages.hexdigest())

    def _add(self, what: str, pid: int, detail: str) -> None:
        task = self.kernel.tasks.get(pid)
        words = bytes(task.regs.words) if task is not None else b""
        total = hashlib.blake2b(words + detail.encode(), digest_size=8)
        self.links.append(Link(what, pid, self.kernel.clock.units, total.hexdigest()))
        if len(self.links) == self.most:
            raise _Enough


def make(subject: Subject, most: int | None = None) -> Chain:
    """The chain of a run; with `most`, only so many links, and the kernel as it is then."""
    kernel, recorder = subject.boot()
    maker = _Maker(kernel, most)
    kernel.trace.sinks.append(maker.event)
    root = kernel.tasks[min(kernel.tasks)]
    moment = None
    try:
        while kernel.run(AfterTurns(1), max_time_ns=subject.max_time_ns) is not Ended.EXITED:
            maker.turn()
            if kernel.clock.now_ns() >= subject.max_time_ns:
                break
    except Deadlock:
        maker.links.append(Link("deadlock", 0, kernel.clock.units, ""))
    except _Enough:
        moment = snapshot.take(kernel, recorder.written)
    final = hashlib.blake2b(dump(kernel).encode(), digest_size=8).hexdigest()
    chain = Chain(tuple(maker.links), root.exit_status, tuple(recorder.written), final, moment)
    kernel.trace.sinks.clear()
    kernel.power_off()
    return chain


def main() -> None:
    """A subject and a number from standard input; its chain to standard output. Both pickled."""
    subject, most = pickle.load(sys.stdin.buffer)
    sys.stdout.buffer.write(pickle.dumps(make(subject, most)))
