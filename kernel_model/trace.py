"""The trace: one stream of typed events, handed to whoever listens.

Events are values; the sinks turn them into strace-like text, a log, or a list for a test. Without
a sink nothing is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi.errno import LinuxError, NotModelled

if TYPE_CHECKING:
    from kernel_model.signals import SigInfo
    from kernel_model.task import Task


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at `time_ns` of virtual time, to the task `pid`."""

    time_ns: int
    pid: int


@dataclass(frozen=True, slots=True)
class SyscallEntered(Event):
    """A system call begins, with its argument registers as they are."""

    name: str
    arguments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SyscallReturned(Event):
    """A system call ends: a result, or a negative errno (also the ERESTART ones)."""

    name: str
    result: int


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A call failed; the sentence says why."""

    errno: int
    sentence: str
    not_modelled: bool


@dataclass(frozen=True, slots=True)
class SignalDelivered(Event):
    """A handler is entered, or a default action taken."""

    signo: int
    code: int
    addr: int


@dataclass(frozen=True, slots=True)
class Faulted(Event):
    """An instruction was refused, and becomes a signal: where it is, and its bytes."""

    mode: str
    pc: int
    instruction: bytes


Sink = Callable[[Event], None]


class Trace:
    """Events of one kernel. `not_modelled` counts what a guest asked for in vain."""

    def __init__(self) -> None:
        self.sinks: list[Sink] = []
        self.not_modelled: dict[str, int] = {}

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self.sinks)

    def emit(self, event: Event) -> None:
        """Hand an event to every sink."""
        for sink in self.sinks:
            sink(event)

    def entered(self, task: Task, number: int) -> None:
        """A system call begins."""
        words, mask = task.regs.words, task.abi.mask
        arguments = tuple(words[k] & mask for k in task.abi.arguments)
        name = task.kernel.calls.name(task.abi, number)
        self.emit(SyscallEntered(task.kernel.clock.now_ns(), task.pid, name, arguments))

    def returned(self, task: Task, number: int, result: int) -> None:
        """A system call ends."""
        name = task.kernel.calls.name(task.abi, number)
        self.emit(SyscallReturned(task.kernel.clock.now_ns(), task.pid, name, result))

    def delivered(self, task: Task, info: SigInfo) -> None:
        """A signal is acted upon."""
        now = task.kernel.clock.now_ns()
        self.emit(SignalDelivered(now, task.pid, info.signo, info.code, info.addr))

    def faulted(self, task: Task) -> None:
        """The instruction at the program counter was refused."""
        pc = task.regs.words[task.abi.pc]
        code = task.user.read(pc, task.user.readable(pc, 16))
        now = task.kernel.clock.now_ns()
        self.emit(Faulted(now, task.pid, task.abi.mode, pc, code))

    def refused(self, task: Task, error: LinuxError) -> None:
        """A call failed with an errno."""
        missing = isinstance(error, NotModelled)
        if missing:
            sentence = str(error)
            self.not_modelled[sentence] = self.not_modelled.get(sentence, 0) + 1
        if self.sinks:
            now = task.kernel.clock.now_ns()
            self.emit(Refused(now, task.pid, error.errno, str(error), missing))
