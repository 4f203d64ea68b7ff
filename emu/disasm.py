"""Instructions as text, wherever a person sees one (capstone, imported late)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MODES = {
    "x86_32": ("CS_ARCH_X86", "CS_MODE_32"),
    "x86_64": ("CS_ARCH_X86", "CS_MODE_64"),
    "ppc32": ("CS_ARCH_PPC", "CS_MODE_32|CS_MODE_BIG_ENDIAN"),
    "ppc64": ("CS_ARCH_PPC", "CS_MODE_64|CS_MODE_BIG_ENDIAN"),
}


def instruction_at(mode: str, code: bytes, addr: int) -> str:
    """The first instruction of `code`, which lies at `addr`; its bytes when it is none."""
    for instruction in _decoder(mode).disasm(code, addr, 1):
        return f"{instruction.mnemonic} {instruction.op_str}".strip()
    return f"({code[:4].hex()})" if code else "(no code)"


def instructions(mode: str, code: bytes, addr: int) -> Iterator[tuple[int, str]]:
    """(address, text) of the instructions of `code`, up to the first that is none."""
    for instruction in _decoder(mode).disasm(code, addr):
        yield instruction.address, f"{instruction.mnemonic} {instruction.op_str}".strip()


def _decoder(mode: str) -> Any:
    import capstone

    arch, names = _MODES[mode.split(" ")[0]]
    flags = 0
    for name in names.split("|"):
        flags |= getattr(capstone, name)
    return capstone.Cs(getattr(capstone, arch), flags)
