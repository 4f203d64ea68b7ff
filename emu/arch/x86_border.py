"""Where the last instruction of a piece of x86 code begins.

Needed where a block runs off the end of a page: the engine says only where the block began.
"""

from __future__ import annotations


def last_boundary(code: bytes, bits: int) -> int:
    """The offset up to which `code` consists of whole instructions."""
    import capstone  # imported late: few runs ever need it

    mode = capstone.CS_MODE_64 if bits == 64 else capstone.CS_MODE_32
    last = 0
    for address, size, _, _ in capstone.Cs(capstone.CS_ARCH_X86, mode).disasm_lite(code, 0):
        last = address + size
    return last
