"""What differs from one version of 2008 to the next, and from one architecture to the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cr.image.arch.shape import ArchFormat
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import PlainImage, PlainMemory, PlainTask
from cr.image.types import Framed
from emu.layout import Bytes, Order


@dataclass(frozen=True, slots=True)
class Numbers:
    """The record types of one version; 0: it has none such."""

    string: int
    fname: int
    task: int
    thread: int
    cpu: int
    head: int = 1
    head_arch: int = 0
    buffer: int = 0
    tree: int = 0
    mm: int = 201
    vma: int = 202
    pgarr: int = 203
    mm_context: int = 204
    files: int = 301
    fd_ent: int = 302
    fd_data: int = 303
    tail: int = 5001

    def names(self) -> dict[int, str]:
        """Number -> name."""
        found = {getattr(self, name): name.upper() for name in self.__dataclass_fields__}
        return {number: name for number, name in found.items() if number}


@dataclass(frozen=True, slots=True)
class State:
    """The native records of one process."""

    thread: Framed
    cpu: Framed
    units: list[Framed | Bytes]
    header_arch: Framed
    """What read_head gave, or what only the registers tell of the writing machine."""


@dataclass(frozen=True, slots=True)
class CrArch:
    """One architecture in one version: native records <-> what that version wrote."""

    order: Order
    formats: dict[str, ArchFormat]
    """By the name of the machine: HEAD.machine says which word size the image has."""
    write_head: Callable[[CrWriter, Numbers, PlainImage], None]
    read_head: Callable[[CrReader, Numbers], Framed]
    write_context: Callable[[CrWriter, Numbers, PlainMemory], None]
    read_context: Callable[[CrReader, Numbers, int], tuple[Framed, list[Bytes]]]
    """The last argument is the address of the vdso; 0: none."""
    write_state: Callable[[CrWriter, Numbers, PlainImage, PlainTask], None]
    read_state: Callable[[CrReader, Numbers, ArchFormat, Framed], State]
    has_vdso: bool
    """Is an area marked VM_ALWAYSDUMP the kernel's own page?"""


@dataclass(frozen=True, slots=True)
class CrVersion:
    """One version."""

    name: str
    numbers: Numbers
    arches: tuple[CrArch, ...]
    other_arches: str
    """What is said of an architecture that it does not have."""
    has_links: bool = False
    """Can a descriptor be an open symbolic link?"""
