"""What an execution mode is, as data: names of registers, and how a CPU of it is set up.

The names of Unicorn's constants appear here as strings only: the one file that imports Unicorn
looks them up. Words are split in two groups by how often they move. `fast` registers are read
after every stop and written before every run. `system` words (segments, TLS descriptors, XER) and
`units` (x87/SSE, FPRs, AltiVec, VSX) stay in the CPU while the same task runs on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu


UNITS_PER_NS = 4
"""Bytes of code that take a nanosecond of virtual time."""


NO_INTERRUPT = 1 << 63


@dataclass(frozen=True)
class Trap:
    """What a CPU's exception number means: the kind of Stop, and how far back the culprit is."""

    kind: str
    back: int = 0


@dataclass(frozen=True, kw_only=True)
class CpuSpec:
    """One execution mode. `fast[0]` is the program counter."""

    name: str
    word_bytes: int
    order: str
    uc_arch: str
    uc_mode: str
    uc_model: str | None
    uc_const: str
    fast: tuple[str, ...]
    fast_ids: tuple[str, ...]
    system: tuple[str, ...]
    window_page: int
    """Page number of the machine's own window, out of reach of every user mapping."""
    traps: dict[int, Trap]
    unknown_trap: Trap
    """For the numbers that `traps` does not have."""
    syscall_interrupt: int
    """The exception number of the system call instruction; NO_INTERRUPT if it makes none."""
    insn_hooks: tuple[tuple[str, str], ...]
    """(hook, Unicorn's instruction) pairs."""
    time_registers: tuple[tuple[str, str], ...]
    """Where a time stamp instruction puts its result: (accelerator field, Unicorn's register)."""
    code_bits: int
    """Width of code whose instructions vary in length; 0 where all are one word."""
    forbidden: tuple[int, int, int, int] | None
    """(mask, word, mask, word) of instructions that must not run: nothing can hook what they do."""
    emulate: Callable[[int, int], tuple[int, int] | None] | None
    """What such an instruction does at a time (in units): (index of a fast register, its value).
    None: it is illegal."""
    rebase_after_exception: bool
    """The engine remembers an exception and must be put back to its base state after one."""
    unit_traps: dict[int, tuple[str, ...]]
    """Exception numbers by which the CPU asks for units that are still switched off."""
    set_up: Callable[[UnicornCpu], None]
    swap: Callable[[UnicornCpu, Registers | None, Registers], None]
    """(cpu, old, new): system words and units of one task out of the engine (None: nobody asks for
    them), those of another in."""
    store: Callable[[UnicornCpu, Registers], None]
    """System words and units out of the engine."""
    initial_system: dict[str, int]
    initial_units: dict[str, bytes]
    """State of the units that every program has from its first instruction."""
    fresh_units: dict[str, bytes]
    """State of a unit when the CPU first asks for it."""

    def index(self, name: str) -> int:
        """Position of a fast register."""
        return self.fast.index(name)

    def without(self, units: Collection[str]) -> CpuSpec:
        """The same for programs that may not use these units: no trap switches them on."""
        return replace(
            self,
            fresh_units={unit: new for unit, new in self.fresh_units.items() if unit not in units},
            unit_traps={
                number: wanted
                for number, wanted in self.unit_traps.items()
                if not set(wanted) & set(units)
            },
        )


class Registers:
    """The registers of one task, as plain data under architectural names.

    `words` holds the fast registers in the order of `spec.fast`. While a CPU runs the task, it
    owns the newest system words and units; `regs["xer"]` and `regs.units` fetch them.
    """

    __slots__ = ("_system", "_units", "cpu", "fresh", "spec", "view", "words")

    def __init__(self, spec: CpuSpec) -> None:
        self.spec = spec
        self.words = array("Q", bytes(8 * len(spec.fast)))
        self.view = memoryview(self.words)
        self._system: dict[str, int] = {**dict.fromkeys(spec.system, 0), **spec.initial_system}
        self._units: dict[str, bytes] = dict(spec.initial_units)
        self.cpu: UnicornCpu | None = None
        """The CPU that holds this task's system words and units."""
        self.fresh = True
        """`_system` and `_units` are as new as the CPU's."""

    def _fetch(self) -> None:
        if not self.fresh and self.cpu is not None:
            self.cpu.store(self)

    def leave(self) -> None:
        """Take all state out of the CPU: the next run loads everything."""
        self._fetch()
        if self.cpu is not None:
            self.cpu.resident = None
            self.cpu = None

    def __getitem__(self, name: str) -> int:
        if name in self._system:
            self._fetch()
            return self._system[name]
        return self.words[self.spec.fast.index(name)]

    def __setitem__(self, name: str, value: int) -> None:
        if name in self._system:
            self.leave()
            self._system[name] = value
        else:
            self.words[self.spec.fast.index(name)] = value

    def held_units(self) -> dict[str, bytes]:
        """For the CPU: the units as these registers hold them; not to be changed."""
        return self._units

    def held_system(self) -> dict[str, int]:
        """For the CPU: the system words as these registers hold them; not to be changed."""
        return self._system

    @property
    def units(self) -> dict[str, bytes]:
        """State of the floating-point and vector units in use; a copy."""
        self._fetch()
        return dict(self._units)

    @units.setter
    def units(self, units: dict[str, bytes]) -> None:
        self.leave()
        self._units = dict(units)

    def receive(self, system: dict[str, int], units: dict[str, bytes]) -> None:
        """For the CPU: here is what it holds."""
        self._system.update(system)
        self._units.update(units)
        self.fresh = True

    def copy(self) -> Registers:
        """The same registers for another task (fork)."""
        self._fetch()
        twin = Registers(self.spec)
        twin.view[:] = self.view
        twin._system = dict(self._system)
        twin._units = dict(self._units)
        return twin
