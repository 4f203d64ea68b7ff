"""Stops that are none of the guest's business: what the engine leaves to be done in between.

The CPU switches on a unit that the program uses for the first time; runs up to a place that the
engine would not stop at by itself; reads the PowerPC's time base. The count of executed code comes
out as if the engine had done it.

Two such places. The engine translates a block whole before it runs any of it, so where x86 code
runs off a page into one that is refused, it must first run up to the border. And an instruction
that must not run as the engine does it (`forbidden` of the mode) is found when code is translated;
that block is thrown away, and the code runs up to the instruction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu import accel
from emu.accel import FIELDS
from emu.arch.spec import Registers
from emu.arch.x86_border import last_boundary
from emu.memory import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

_FETCH = 18
_STOP = FIELDS["stop"]
_UNTIL = FIELDS["until"]
_SPENT = FIELDS["spent"]
_LIMIT = FIELDS["limit"]
_BLOCK_START = FIELDS["block_start"]
_BLOCK_END = FIELDS["block_end"]
_FORBID_ADDR = FIELDS["forbid_addr"]


def goes_on(cpu: UnicornCpu, registers: Registers) -> bool:
    """Whether the task simply runs on; if not, the stop is the kernel's affair."""
    words = cpu.words
    pc, stop, until = cpu.reg_words[0], words[_STOP], words[_UNTIL]
    if until:
        words[_UNTIL] = 0
        _forget_end(cpu, until)
        if stop == accel.STOP_NONE and pc == until:
            return True
    if stop == accel.STOP_INTERRUPT:
        wanted = registers.spec.unit_traps.get(words[FIELDS["number"]])
        if wanted is not None:
            _switch_on(cpu, registers, wanted)
        return wanted is not None
    if stop == accel.STOP_FORBIDDEN:
        return _around_forbidden(cpu, pc, words[_FORBID_ADDR])
    if stop == accel.STOP_FAULT and words[FIELDS["fault_access"]] == _FETCH:
        words[_UNTIL] = _border(cpu, pc, words[FIELDS["fault_addr"]])
        return words[_UNTIL] != 0
    # PowerPC's `wait` asks for an interrupt, and there is always another one to come.
    return stop == accel.STOP_NONE and pc == words[_BLOCK_END] and not words[FIELDS["error"]]


def instruction_word(cpu: UnicornCpu, pc: int) -> int:
    """The instruction of one word at `pc`, which is resident: it has just run."""
    entry = cpu.table.get(pc >> PAGE_SHIFT)
    return int.from_bytes(cpu.ram.read(entry >> PAGE_SHIFT, pc & PAGE_MASK, 4), "big")


def _forget_end(cpu: UnicornCpu, until: int) -> None:
    # A block that begins where the run was to end would have been translated as that end. The
    # engine forgets the one before it by itself; this is for the one at the place, should any be.
    cpu.forget_code(until - 1, until + 1)


def _switch_on(cpu: UnicornCpu, registers: Registers, wanted: tuple[str, ...]) -> None:
    cpu.reg_words[0] -= 4
    cpu.give_back(cpu.reg_words[0])
    registers.view[:] = cpu.reg_words
    units = registers.units
    for unit in wanted:
        units.setdefault(unit, cpu.spec.fresh_units[unit])
    registers.units = units
    cpu.load(registers)
    registers.fresh = False
    cpu.reg_words[:] = registers.view


def _border(cpu: UnicornCpu, pc: int, fault: int) -> int:
    if not cpu.spec.code_bits or fault >> PAGE_SHIFT == pc >> PAGE_SHIFT:
        return 0
    entry = cpu.table.get(pc >> PAGE_SHIFT)
    offset = pc & PAGE_MASK
    code = cpu.ram.read(entry >> PAGE_SHIFT, offset, PAGE_SIZE - offset)
    last = last_boundary(code, cpu.spec.code_bits)
    return pc + last if last else 0


def _around_forbidden(cpu: UnicornCpu, pc: int, forbidden: int) -> bool:
    words = cpu.words
    cpu.forget_code(pc, forbidden + 4)
    if forbidden != pc:
        words[_UNTIL] = forbidden
        return True
    assert cpu.spec.emulate is not None
    value = cpu.spec.emulate(instruction_word(cpu, pc), words[FIELDS["tsc_base"]] + words[_SPENT])
    if value is None:
        return False
    if cpu.signed[_SPENT] >= cpu.signed[_LIMIT] and pc != words[_BLOCK_END]:
        words[_STOP] = accel.STOP_BUDGET
        return False
    register, content = value
    cpu.reg_words[register] = content
    cpu.reg_words[0] = pc + 4
    cpu.signed[_SPENT] += 4
    words[_BLOCK_START], words[_BLOCK_END] = pc, pc + 4
    return True
