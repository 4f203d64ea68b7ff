"""The exact address of a refused access: the engine tells the page only.

The instruction at the program counter has not been executed, so its operands and the registers
say what it wanted. Asked only when a fault becomes a signal. An access that begins in the page
before is refused at the first byte of this one; so is one that cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from emu.memory import PAGE_MASK

if TYPE_CHECKING:
    from emu.arch.spec import Registers

_X_FORM, _DS_FORMS, _D_FORMS = 31, (58, 62), range(32, 56)
_PAIR_FORMS = (57, 61)
_BASE_BITS = ((16, 24, 0), (56, 8, 24))
"""(position, width, shift) of the pieces of a base in a segment descriptor."""
LONGEST_INSTRUCTION = 15


def exact_address(registers: Registers, code: bytes, page_addr: int, access: str) -> int:
    """Where in the page at `page_addr` the access of the instruction `code` begins."""
    page = page_addr & ~PAGE_MASK
    if access == "fetch":
        pc = registers.words[0]
        return pc if pc & ~PAGE_MASK == page else page
    for addr in operand_addresses(registers, code):
        if addr & ~PAGE_MASK == page:
            return addr
    return page


def operand_addresses(registers: Registers, code: bytes) -> Iterator[int]:
    """Where the operands of an instruction may lie; the likeliest first."""
    mask = (1 << 8 * registers.spec.word_bytes) - 1
    for addr in _PIECES[registers.spec.uc_arch](registers, code):
        yield addr & mask


def _powerpc(registers: Registers, code: bytes) -> Iterator[int]:
    """Primary opcodes 32 and above are loads and stores with an offset, 31 has those without."""
    if len(code) < 4:
        return
    word = int.from_bytes(code[:4], "big")
    primary, ra, rb = word >> 26, word >> 16 & 31, word >> 11 & 31
    base = registers[f"r{ra}"] if ra else 0
    if primary == _X_FORM:
        yield base + registers[f"r{rb}"]
        yield base  # the string loads with an immediate count have no rb
        return
    offset = (word & 0xFFFF ^ 0x8000) - 0x8000
    if primary in _DS_FORMS or primary in _PAIR_FORMS:
        offset &= ~3
    elif primary not in _D_FORMS:
        return
    yield base + offset


def _x86(registers: Registers, code: bytes) -> Iterator[int]:
    """Memory operands that are written down, then what lies around the stack pointer."""
    import capstone

    wide = registers.spec.word_bytes == 8
    decoder = capstone.Cs(
        capstone.CS_ARCH_X86, capstone.CS_MODE_64 if wide else capstone.CS_MODE_32
    )
    decoder.detail = True
    for instruction in decoder.disasm(code, registers.words[0], 1):
        after = registers.words[0] + len(instruction.bytes)
        for operand in instruction.operands:
            if operand.type == capstone.x86.X86_OP_MEM:
                yield _operand(registers, instruction, operand.mem, after)
    pointer = registers["rsp" if wide else "esp"]
    yield pointer - registers.spec.word_bytes
    yield pointer
    yield registers["rbp" if wide else "ebp"]


def _operand(registers: Registers, instruction: Any, place: Any, after: int) -> int:
    def value(number: int) -> int:
        if not number:
            return 0
        name = instruction.reg_name(number)
        if name in ("rip", "eip"):
            return after
        if name not in registers.spec.fast:  # an address of 32 bits in 64-bit code
            whole = "r" + name[1:] if name.startswith("e") else name.rstrip("d")
            return registers[whole] & 0xFFFFFFFF if whole in registers.spec.fast else 0
        return int(registers[name])

    total = value(place.base) + value(place.index) * place.scale + place.disp
    segment = instruction.reg_name(place.segment) if place.segment else None
    return int(total) + (_segment_base(registers, segment) if segment in ("fs", "gs") else 0)


def _segment_base(registers: Registers, segment: str) -> int:
    if registers.spec.word_bytes == 8:
        return registers[f"{segment}_base"]
    slot = (registers[segment] >> 3) - (12 if registers["cs"] >> 3 == 4 else 6)
    if not 0 <= slot < 3:
        return 0
    descriptor = registers[f"tls{slot}"]
    return sum((descriptor >> at & (1 << width) - 1) << shift for at, width, shift in _BASE_BITS)


_PIECES = {"UC_ARCH_X86": _x86, "UC_ARCH_PPC": _powerpc}
