"""One TLB fill: a walk of the page table that the engine asks for."""

from __future__ import annotations

from bench.measure import Row, median_seconds
from emu.accel import FIELDS
from emu.arch.modes import MODES
from emu.arch.spec import Registers
from emu.machine import Machine
from emu.pagetable import EXEC, READ, RESIDENT, PageTable

_CODE, _DATA, _PAGES = 0x10000, 0x1000000, 4096
# loop: mov (%rdi), %eax; add $4096, %rdi; cmp %rsi, %rdi; jb loop; syscall
_TOUCH = bytes.fromhex("8b07 4881c700100000 4839f7 72f2 0f05")


def fill_ns(*, accelerate: bool) -> float:
    """Nanoseconds for a fill, over pages that are touched once after a flush."""
    machine = Machine((_PAGES + 16) << 12, accelerate=accelerate)
    registers, table = Registers(MODES["x86_64"]), PageTable(machine.tables)
    frame = machine.ram.alloc()
    machine.ram.write(frame, 0, _TOUCH)
    table.set(_CODE >> 12, frame, RESIDENT | READ | EXEC)
    for page in range(_PAGES):
        table.set((_DATA >> 12) + page, machine.ram.alloc(), RESIDENT | READ)

    def touch() -> None:
        registers["rip"], registers["rdi"] = _CODE, _DATA
        registers["rsi"] = _DATA + (_PAGES << 12)
        machine.run(registers, table, 1 << 40, 0)

    def cold() -> None:
        for _ in range(10):
            machine.cpu("x86_64").words[FIELDS["fills_limit"]] = 1 << 40
            machine.tables.stale = True
            touch()

    touch()
    return median_seconds(cold) / (10 * _PAGES) * 1e9


def rows() -> list[Row]:
    """With the accelerator and with its twin."""
    return [
        Row("TLB fill", f"{fill_ns(accelerate=True):.0f} ns"),
        Row("TLB fill by the twin in Python", f"{fill_ns(accelerate=False):.0f} ns"),
    ]
