"""From the trap to the handler and back.

The declared kinds of a handler's parameters say how arguments come out of registers; for each ABI
that is prepared once. A handler ends in one of three ways: a result, an error, or `Sleep`.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINTR, ENOSYS, LinuxError, NotModelled
from kernel_model.syscalls.declare import Kind, Syscall, declared
from kernel_model.waitqueue import Restart, Sleep, TaskDead

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi
    from kernel_model.task import Task

COLUMNS = ("x86_32", "x86_64", "ppc32", "ppc64")
Bound = Callable[["Task"], int]
Moved = Mapping[str, Mapping[str, int | None]]
"""For an ABI: calls that have other numbers than in numbers.tbl; None: they are not there."""
NOTHING_MOVED: Moved = MappingProxyType({})


class Interrupted(Exception):
    """A handler ends its own sleep: a signal has come. `restart` says what Linux makes of it."""

    def __init__(self, restart: Restart) -> None:
        super().__init__(restart.name)
        self.restart = restart


class Replaced(Exception):
    """The task is another one now (restart): registers, and perhaps the call that it is in."""


class NoResult(Exception):
    """The handler has set the registers itself (sigreturn, execve, restart)."""


@cache
def load_numbers() -> dict[str, dict[str, int]]:
    """numbers.tbl: for each column, number by name."""
    text = importlib.resources.files("kernel_model.syscalls").joinpath("numbers.tbl").read_text()
    tables: dict[str, dict[str, int]] = {column: {} for column in COLUMNS}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, *numbers = line.split()
        for column, number in zip(COLUMNS, numbers):
            if number != "-":
                tables[column][name] = int(number)
    return tables


def _plan(call: Syscall, abi: Abi) -> list[tuple[Kind, int, int]]:
    """For each argument its kind and its registers: (low word, high word or -1)."""
    plan: list[tuple[Kind, int, int]] = []
    slot = 0
    for kind in call.kinds:
        if kind is Kind.OFF64 and abi.word_bytes == 4:
            if abi.align_pairs and slot % 2:
                slot += 1
            pair = (abi.arguments[slot], abi.arguments[slot + 1])
            low, high = pair[::-1] if abi.high_first else pair
            plan.append((kind, low, high))
            slot += 2
        else:
            plan.append((kind, abi.arguments[slot], -1))
            slot += 1
    return plan


def _signed(value: str, bits: int) -> str:
    """An expression: the value as a signed number of so many bits."""
    sign = 1 << bits - 1
    return f"(({value} & {2 * sign - 1:#x}) ^ {sign:#x}) - {sign:#x}"


def _expression(kind: Kind, low: int, high: int, abi: Abi) -> str:
    """How an argument comes out of the registers, as Python text."""
    raw = f"words[{low}]"
    if kind is Kind.INT:
        return _signed(raw, 32)
    if kind is Kind.PTR or kind is Kind.SIZE:
        return f"{raw} & {abi.mask:#x}"
    if kind is Kind.PATH:
        return f"task.user.cstring({raw} & {abi.mask:#x})"
    if kind is Kind.LONG:
        return _signed(raw, 8 * abi.word_bytes)
    if kind is Kind.OFF64:
        whole = raw if high < 0 else f"((words[{high}] & 0xFFFFFFFF) << 32 | {raw} & 0xFFFFFFFF)"
        return _signed(whole, 64)
    return f"{raw} & 0xFFFFFFFF"


def _bind(call: Syscall, abi: Abi) -> Bound:
    """The handler with its arguments taken from registers.

    Every call goes through here, so it is put together as text once: a loop over the kinds would
    take as long as many a handler.
    """
    if not call.kinds:
        return call.handler
    arguments = ", ".join(_expression(*place, abi) for place in _plan(call, abi))
    lines = ("def bound(task):", "words = task.regs.words", f"return handler(task, {arguments})")
    scope = {"handler": call.handler}
    exec("\n    ".join(lines), scope)
    return scope["bound"]


@cache
def _declared(modules: tuple[ModuleType, ...]) -> dict[str, Syscall]:
    """Handlers by name. (A pure function of its arguments, as are the two below.)"""
    return {call.name: call for module in modules for call in declared(module)}


@cache
def _bound(modules: tuple[ModuleType, ...], abi: Abi) -> dict[int, Bound]:
    """Handlers by the numbers of an ABI."""
    calls = _declared(modules)
    bound = {}
    for name, number in load_numbers()[abi.name].items():
        call = calls.get(abi.variants.get(name, name))
        if call is not None:
            bound[number] = _bind(call, abi)
    return bound


@cache
def _names(column: str) -> dict[int, str]:
    return {number: name for name, number in load_numbers()[column].items()}


class CallTable:
    """The system calls of one kernel: a number of an ABI leads to a handler.

    A call that was `moved` to the number of another one displaces it.
    """

    def __init__(
        self, modules: tuple[ModuleType, ...], abis: tuple[Abi, ...], moved: Moved = NOTHING_MOVED
    ) -> None:
        self.declared = _declared(modules)
        self._numbers = load_numbers()
        self._bound = {abi.name: _bound(modules, abi) for abi in abis}
        self._names = {abi.name: _names(abi.name) for abi in abis}
        self._vacated: dict[str, set[int]] = {abi.name: set() for abi in abis}
        for abi in abis:
            if abi.name in moved:
                self._move(abi, moved[abi.name])

    def _move(self, abi: Abi, moved: Mapping[str, int | None]) -> None:
        numbers = {n: k for n, k in self._numbers[abi.name].items() if k not in moved.values()}
        vacated = {numbers.pop(name) for name in moved if name in numbers}
        added = {name: number for name, number in moved.items() if number is not None}
        vacated -= set(added.values())
        bound, names = dict(self._bound[abi.name]), dict(self._names[abi.name])
        for number in vacated:
            bound.pop(number, None)
            names.pop(number, None)
        for name, number in added.items():
            bound[number] = _bind(self.declared[name], abi)
            names[number] = name
        self._numbers = self._numbers | {abi.name: numbers | added}
        self._bound[abi.name], self._names[abi.name] = bound, names
        self._vacated[abi.name] = vacated

    def number(self, abi: Abi, name: str) -> int:
        """The number of a call in an ABI."""
        return self._numbers[abi.name][name]

    def name(self, abi: Abi, number: int) -> str:
        """The name behind a number."""
        return self._names[abi.name].get(number, f"syscall_{number}")

    def enter(self, task: Task) -> None:
        """The task has trapped: begin the call that its registers ask for."""
        task.syscall = number = task.regs.words[task.abi.number] & 0xFFFFFFFF
        if task.kernel.trace.sinks:
            task.kernel.trace.entered(task, number)
        self._run(task, number, first=True)

    def resume(self, task: Task) -> None:
        """The task was woken inside a call: run the handler again."""
        assert task.syscall is not None
        self._run(task, task.syscall)

    def _run(self, task: Task, number: int, *, first: bool = False) -> None:
        bound = self._bound[task.abi.name].get(number)
        try:
            if bound is None:
                raise self._missing(task, number)
            result = bound(task)
        except Sleep as sleep:
            chaos = task.kernel.chaos
            # Some calls end with EINTR whatever the signal does; what was moved is never denied.
            ends = sleep.stoppable and task.has_signal()
            if not (ends or (chaos.wild and first and chaos.interrupts(task, sleep))):
                self._sleep(task, sleep)
                return
            task.waits_for = 0
            if task.saved_blocked is not None:
                task.attention = True  # no signal comes that would take the mask back
            block = task.restart_block
            result = block.result if block is not None and block.done else -EINTR.errno
        except Interrupted as interrupted:
            self.interrupt(task, interrupted.restart)
            return
        except NoResult:
            self._complete(task)
            return
        except Replaced:
            task.kernel.count_call(task)
            return
        except TaskDead:
            task.syscall = None
            task.kernel.count_call(task)
            return
        except LinuxError as error:
            task.kernel.trace.refused(task, error)
            result = -error.errno
        if task.kernel.trace.sinks:
            task.kernel.trace.returned(task, number, result)
        task.abi.set_result(task, result)
        task.syscall = None
        task.restart_block = None
        task.kernel.count_call(task)

    def _missing(self, task: Task, number: int) -> LinuxError:
        name = self.name(task.abi, number)
        if number > task.abi.last_number or number in self._vacated[task.abi.name]:
            return ENOSYS(f"system call {name} is younger than this kernel")
        return NotModelled(f"system call {name} is not modelled")

    def _complete(self, task: Task) -> None:
        task.syscall = None
        task.restart_block = None
        task.kernel.count_call(task)

    def _sleep(self, task: Task, sleep: Sleep) -> None:
        if task.has_signal() and not sleep.uninterruptible:
            self.interrupt(task, sleep.restart)
        else:
            task.sleep(sleep)

    def interrupt(self, task: Task, restart: Restart) -> None:
        """A signal ends the call that the task sleeps in."""
        # The registers stay as at the trap: signal delivery decides what becomes of the call.
        if task.kernel.trace.sinks and task.syscall is not None:
            task.kernel.trace.returned(task, task.syscall, -int(restart))
        block = task.restart_block
        if block is not None and block.done:
            task.abi.set_result(task, block.result)
            task.restart_block = None
            task.kernel.count_call(task)
        else:
            task.interrupted = restart
        task.syscall = None
        task.attention = True
