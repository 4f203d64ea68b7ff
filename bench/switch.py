"""What it costs the machine to run one task after another on the same CPU.

Two tasks of one system call each take turns; what one of them costs alone is subtracted. The
units in use are those that a program has touched: floating point and vectors cost more on PowerPC.
"""

from __future__ import annotations

from bench.measure import Row, median_seconds
from emu.arch.modes import MODES
from emu.arch.spec import Registers
from emu.machine import Machine
from emu.pagetable import EXEC, READ, RESIDENT, PageTable

_TRAP = {"x86_32": "cd80", "x86_64": "0f05", "ppc32": "44000002", "ppc64": "44000002"}
_CODE = 0x10000
_TURNS = 5000
REACH_US = 10.0


class _Task:
    def __init__(self, machine: Machine, mode: str, *, units: bool) -> None:
        self.machine = machine
        self.registers = Registers(MODES[mode])
        if units:
            self.registers.units = {**self.registers.spec.fresh_units, **self.registers.units}
        self.table = PageTable(machine.tables)
        frame = machine.ram.alloc()
        machine.ram.write(frame, 0, bytes.fromhex(_TRAP[mode]))
        self.table.set(_CODE >> 12, frame, RESIDENT | READ | EXEC)

    def run(self) -> None:
        """One run up to the system call."""
        self.registers.words[0] = _CODE
        self.machine.run(self.registers, self.table, 1 << 40, 0)


def costs_us(mode: str, *, units: bool) -> tuple[float, float]:
    """(a run alone, the switch to another task before it) in microseconds."""
    machine = Machine(1 << 20)
    first, second = (_Task(machine, mode, units=units) for _ in range(2))

    def alone() -> None:
        for _ in range(2 * _TURNS):
            first.run()

    def in_turn() -> None:
        for _ in range(_TURNS):
            first.run()
            second.run()

    plain = median_seconds(alone) / _TURNS / 2 * 1e6
    return plain, median_seconds(in_turn) / _TURNS / 2 * 1e6 - plain


def rows() -> list[Row]:
    """Two rows per mode at most."""
    table = []
    for mode in _TRAP:
        plain, switch = costs_us(mode, units=False)
        x86 = mode.startswith("x86")
        reach = f"at most {REACH_US:.0f} us" if x86 else ""
        table.append(Row(f"run to a trap and back, {mode}", f"{plain:.2f} us"))
        met = switch <= REACH_US if x86 else None
        table.append(Row(f"switch of tasks, {mode}", f"{switch:.1f} us", reach, met))
        if not x86:
            _, full = costs_us(mode, units=True)
            table.append(Row(f"switch of tasks, {mode}, all units in use", f"{full:.1f} us"))
    return table
