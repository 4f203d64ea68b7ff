"""What an architecture must say about its part of an image.

Above this floor nobody asks which architecture it is: `arch_format(arch_id)` gives a value, and
the value answers. Records whose number and length depend on other records (an FPU image, a
local descriptor table, vector registers) are told as Units by a pure function.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cr.image.types import Framed
from emu.layout import Record


@dataclass(frozen=True, slots=True)
class Unit:
    """One record that must follow: a record class, or raw bytes of a known length."""

    type_no: int
    record: type[Framed] | None = None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ArchFormat:
    """One architecture's part of the format."""

    arch_id: int
    name: str
    word_bytes: int
    program_counter: Callable[[Record], int]
    """(Cpu) -> where the task goes on."""
    header_arch: type[Framed]
    thread: type[Framed]
    cpu: type[Framed]
    mm_context: type[Framed]
    cpu_units: Callable[[Record, Record], tuple[Unit, ...]]
    """(HeaderArch, Cpu) -> what follows this CPU record."""
    mm_units: Callable[[Record], tuple[Unit, ...]]
    """(MmContext) -> what follows it."""
