"""Flat segments, and the way into ring 3, for both x86 modes.

Unicorn starts in ring 0. Writing CS does not change the privilege level, so each CPU executes one
`iret` from a stub, with a descriptor table in a page that only the machine can write. From then on
`hlt`, `cli` and friends fault, as in a real process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.memory import PAGE_SHIFT

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

KERNEL_CS, KERNEL_DS = 1, 2
_CR0 = 0x33  # PE MP ET NE
_CR4_SSE = 0x600  # OSFXSR OSXMMEXCPT
_EFLAGS_START = 0x202
_INT_80 = b"\xcd\x80"
_IRET = b"\xcf"
_IRETQ = b"\x48\xcf"

CODE32, CODE64, DATA = 0x00CF9A000000FFFF, 0x00AF9A000000FFFF, 0x00CF92000000FFFF
DPL3 = 0x0000600000000000
_ACCESSED = 0x0000010000000000


def write_descriptor(cpu: UnicornCpu, index: int, descriptor: int) -> None:
    """Fill one slot of the global descriptor table."""
    if descriptor:
        # Else the CPU would set the bit itself when it loads the segment, and fault.
        descriptor |= _ACCESSED
    if cpu.descriptors.get(index, 0) != descriptor:
        cpu.descriptors[index] = descriptor
        cpu.table_write(8 * index, descriptor.to_bytes(8, "little"))


def enter_ring3(cpu: UnicornCpu, code: int, data: int, *, long_mode: bool) -> None:
    """Set up control registers and descriptors, and leave ring 0 for good.

    `code` and `data` are the user selectors; their descriptors are written here.
    """
    window = cpu.spec.window_page << PAGE_SHIFT
    write_descriptor(cpu, KERNEL_CS, CODE64 if long_mode else CODE32)
    write_descriptor(cpu, KERNEL_DS, DATA)
    write_descriptor(cpu, code >> 3, (CODE64 if long_mode else CODE32) | DPL3)
    write_descriptor(cpu, data >> 3, DATA | DPL3)
    cpu.show_table()
    cpu.reg_write("UC_X86_REG_GDTR", (0, (cpu.spec.window_page - 1) << PAGE_SHIFT, 0xFFF, 0))
    if not long_mode:
        cpu.reg_write("UC_X86_REG_CR0", _CR0)
        cpu.reg_write("UC_X86_REG_CS", KERNEL_CS << 3)
        cpu.reg_write("UC_X86_REG_SS", KERNEL_DS << 3)
    cpu.reg_write("UC_X86_REG_CR4", cpu.reg_read("UC_X86_REG_CR4") | _CR4_SSE)
    width = 8 if long_mode else 4
    frame = (window + 0x20, code, _EFLAGS_START, window + 0x800, data)
    cpu.window_write(0x400, b"".join(word.to_bytes(width, "little") for word in frame))
    cpu.window_write(0, (_IRETQ if long_mode else _IRET).ljust(0x20, b"\xf4") + _INT_80)
    stack = "UC_X86_REG_RSP" if long_mode else "UC_X86_REG_ESP"
    cpu.reg_write(stack, window + 0x400)
    cpu.run_stub(0)
    if cpu.reg_read("UC_X86_REG_CS") != code:
        raise AssertionError(f"{cpu.spec.name}: the CPU did not enter ring 3")
