"""The machine: memory, page tables, and one CPU for each execution mode.

`run` executes guest code until something happens and says what: the Stop. The CPU never calls the
kernel. All time in the machine is the count of executed code in bytes, which depends on the path
of instructions alone: not on faults, translation or the host.
"""

from __future__ import annotations

import ctypes

from emu.accel import load_accelerator
from emu.arch.modes import MODES
from emu.arch.spec import Registers
from emu.memory import Ram
from emu.pagetable import PageTable, PageTables
from emu.stops import Stop
from emu.unicorn_cpu import UnicornCpu

_MACHINE_FRAMES_PER_CPU = 2


class Machine:
    """`memory_bytes` of RAM, and a CPU for each mode that is asked for.

    `accelerate` False runs the pure-Python twin of the C accelerator: same results, slower.
    """

    def __init__(self, memory_bytes: int, *, accelerate: bool = True, ram: Ram | None = None):
        self.ram = ram if ram is not None else Ram(memory_bytes)
        self.tables = PageTables(self.ram)
        self.accelerate = accelerate
        self._library: ctypes.PyDLL | None = load_accelerator() if accelerate else None
        self._cpus: dict[str, UnicornCpu] = {}

    def cpu(self, mode: str) -> UnicornCpu:
        """The CPU of a mode (a name in emu.arch.modes); switched on at its first use."""
        cpu = self._cpus.get(mode)
        if cpu is None:
            frame = self.ram.frame_count + _MACHINE_FRAMES_PER_CPU * len(self._cpus)
            cpu = UnicornCpu(MODES[mode], self.tables, frame, self._library)
            self._cpus[mode] = cpu
        return cpu

    def run(
        self,
        registers: Registers,
        table: PageTable,
        budget: int,
        now: int,
        *,
        resumed: bool = False,
    ) -> tuple[Stop, int]:
        """Run a task's code; the Stop, and the bytes of code executed.

        `budget` is in bytes of code and may be overrun up to the next taken branch. `now` is the
        virtual time in the same unit (what time stamp counters show). `resumed`
        says that the task's last stop was a fault, so its block goes on.
        """
        if self.ram.stale_code or self.tables.stale:
            self._flush()
        cpu = self._cpus.get(registers.spec.name) or self.cpu(registers.spec.name)
        return cpu.run(registers, table, budget, now, resumed=resumed)

    def _flush(self) -> None:
        for cpu in self._cpus.values():
            if self.ram.stale_code:
                cpu.flush_code()
            cpu.flush_tlb()
        self.ram.stale_code = False
        self.tables.stale = False

    def power_off(self) -> Ram:
        """Take the machine apart; its memory may be given to the next one, cleared."""
        for cpu in self._cpus.values():
            cpu.close()
        self._cpus.clear()
        self.tables.close()
        self.ram.reset()
        return self.ram
