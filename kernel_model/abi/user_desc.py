"""struct user_desc, and the x86 segment descriptor that it stands for.

Mirrors: Linux arch/x86/include/asm/ldt.h, desc.h (fill_ldt).
"""

from __future__ import annotations

from typing import Self

from emu.layout import Record, at, hex32, record, u32

_SEG_32BIT, _CONTENTS, _READ_EXEC_ONLY, _LIMIT_IN_PAGES = 1, 6, 8, 16
_SEG_NOT_PRESENT, _USEABLE = 32, 64


@record(size=16)
class UserDesc(Record):
    """A TLS or LDT entry as a program describes it."""

    entry_number: u32 = at("index in the table; all ones lets the kernel choose")
    base_addr: hex32 = at("where the segment begins")
    limit: u32 = at("its limit, in bytes or pages")
    flags: hex32 = at("seg_32bit, contents (2 bits), read_exec_only, limit_in_pages, ...")

    def is_empty(self) -> bool:
        """Whether this asks for the slot to be cleared."""
        cleared = _READ_EXEC_ONLY | _SEG_NOT_PRESENT
        return not self.base_addr and not self.limit and self.flags & 0x7F in (cleared, 0)

    def descriptor(self) -> int:
        """The eight bytes that the CPU reads."""
        flags, base, limit = self.flags, self.base_addr, self.limit
        low = (base & 0xFFFF) << 16 | limit & 0xFFFF
        high = base & 0xFF000000 | base >> 16 & 0xFF | limit & 0xF0000 | 0x7000
        high |= ((flags & _READ_EXEC_ONLY) ^ _READ_EXEC_ONLY) << 6
        high |= (flags & _CONTENTS) << 9
        high |= ((flags & _SEG_NOT_PRESENT) ^ _SEG_NOT_PRESENT) << 10
        high |= (flags & _SEG_32BIT) << 22
        high |= (flags & _LIMIT_IN_PAGES) << 19
        high |= (flags & _USEABLE) << 14
        return high << 32 | low

    @classmethod
    def of_descriptor(cls, entry_number: int, descriptor: int) -> Self:
        """The description of a descriptor."""
        low, high = descriptor & 0xFFFFFFFF, descriptor >> 32
        flags = (
            (high >> 22 & _SEG_32BIT)
            | (high >> 9 & _CONTENTS)
            | ((high >> 6 & _READ_EXEC_ONLY) ^ _READ_EXEC_ONLY)
            | (high >> 19 & _LIMIT_IN_PAGES)
            | ((high >> 10 & _SEG_NOT_PRESENT) ^ _SEG_NOT_PRESENT)
            | (high >> 14 & _USEABLE)
        )
        return cls(
            entry_number=entry_number,
            base_addr=high & 0xFF000000 | (high & 0xFF) << 16 | low >> 16,
            limit=high & 0xF0000 | low & 0xFFFF,
            flags=flags,
        )
