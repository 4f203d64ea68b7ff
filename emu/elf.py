"""ELF files: bytes -> ElfImage, a pure function (pyelftools reads the headers).

Knows segments, the entry point and the interpreter's name; what to do with them is exec's.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

PT_LOAD, PT_INTERP, PT_GNU_STACK = "PT_LOAD", "PT_INTERP", "PT_GNU_STACK"
PF_X, PF_W, PF_R = 1, 2, 4


class NotAnElf(ValueError):
    """These bytes are no ELF file that can be run; the sentence says why."""


@dataclass(frozen=True)
class Segment:
    """A PT_LOAD program header."""

    vaddr: int
    offset: int
    file_bytes: int
    memory_bytes: int
    flags: int
    align: int


@dataclass(frozen=True)
class ElfImage:
    """What exec needs to know of a program."""

    machine: str  # elftools' name, such as EM_386
    elf_class: int  # 32 or 64
    order: str  # < or >
    flags: int  # e_flags; on ppc64 the low two bits are the ABI version
    position_independent: bool
    entry: int
    phdr_offset: int
    phdr_count: int
    phdr_bytes: int
    segments: tuple[Segment, ...]
    interpreter: bytes | None
    stack_executable: bool | None  # None: the file does not say


def parse(data: bytes | memoryview) -> ElfImage:
    """Read the headers. Raises NotAnElf."""
    raw = bytes(data)
    if raw[:4] != b"\x7fELF":
        raise NotAnElf("not an ELF file")
    try:
        return _parse(raw)
    except NotAnElf:
        raise
    except (ELFError, ValueError, KeyError, OverflowError, AttributeError, TypeError) as broken:
        raise NotAnElf(f"a damaged ELF file: {broken}") from broken


def _parse(raw: bytes) -> ElfImage:
    elf = ELFFile(io.BytesIO(raw))
    header = elf.header
    if header["e_type"] not in ("ET_EXEC", "ET_DYN"):
        raise NotAnElf(f"an ELF file of type {header['e_type']}, which is no program")
    if not 0 < header["e_phnum"] <= 512:
        raise NotAnElf(f"an ELF file with {header['e_phnum']} program headers")
    segments = []
    interpreter = None
    stack_executable = None
    for item in elf.iter_segments():
        kind = item["p_type"]
        if kind == PT_LOAD:
            segments.append(
                Segment(
                    item["p_vaddr"],
                    item["p_offset"],
                    item["p_filesz"],
                    item["p_memsz"],
                    item["p_flags"],
                    item["p_align"],
                )
            )
        elif kind == PT_INTERP:
            interpreter = raw[item["p_offset"] :][: item["p_filesz"]].split(b"\0")[0]
        elif kind == PT_GNU_STACK:
            stack_executable = bool(item["p_flags"] & PF_X)
    for segment in segments:
        if segment.file_bytes > segment.memory_bytes:
            raise NotAnElf("a segment with more bytes in the file than in memory")
    if not segments:
        raise NotAnElf("an ELF file with nothing to load")
    return ElfImage(
        machine=str(header["e_machine"]),
        elf_class=int(elf.elfclass),
        order="<" if elf.little_endian else ">",
        flags=header["e_flags"],
        position_independent=header["e_type"] == "ET_DYN",
        entry=header["e_entry"],
        phdr_offset=header["e_phoff"],
        phdr_count=header["e_phnum"],
        phdr_bytes=header["e_phentsize"],
        segments=tuple(segments),
        interpreter=interpreter,
        stack_executable=stack_executable,
    )


def symbols(data: bytes | memoryview) -> list[tuple[int, str]]:
    """(address, name) of the functions and variables that the file names, ascending.

    An empty name where one ends and no other begins. Raises NotAnElf.
    """
    kinds = ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE")
    try:
        elf = ELFFile(io.BytesIO(bytes(data)))
        found = [
            (symbol["st_value"], symbol["st_size"], symbol.name)
            for section in elf.iter_sections()
            if isinstance(section, SymbolTableSection)
            for symbol in section.iter_symbols()
            if symbol.name and symbol["st_value"] and symbol["st_info"]["type"] in kinds
        ]
    except (ELFError, UnicodeDecodeError, ValueError, KeyError) as broken:
        raise NotAnElf(f"its symbols cannot be read: {broken}") from broken
    begins = {addr for addr, _, _ in found}
    ends = {addr + size for addr, size, _ in found if size} - begins
    return sorted([*((addr, name) for addr, _, name in found), *((addr, "") for addr in ends)])
