"""One mapping of an address space, and the flags that it carries.

The flag values are Linux's own, because the image holds them.
Mirrors: Linux include/linux/mm.h (2.6.3x).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from emu.memory import PAGE_SHIFT
from emu.pagetable import EXEC, READ, WRITE

if TYPE_CHECKING:
    from kernel_model.mm.backing import Backing
    from kernel_model.vfs.openfile import OpenFile

VM_READ, VM_WRITE, VM_EXEC, VM_SHARED = 0x1, 0x2, 0x4, 0x8
VM_MAYREAD, VM_MAYWRITE, VM_MAYEXEC, VM_MAYSHARE = 0x10, 0x20, 0x40, 0x80
VM_GROWSDOWN = 0x100
VM_LOCKED = 0x2000
VM_DONTCOPY = 0x20000
VM_DONTEXPAND = 0x40000
VM_ACCOUNT = 0x100000
VM_NORESERVE = 0x200000
VM_ALWAYSDUMP = 0x4000000
VM_ACCESS = VM_READ | VM_WRITE | VM_EXEC

PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4


@dataclass(eq=False, slots=True)
class Vma:
    """[start, end) with one set of rights and one backing.

    `backing` is None for private anonymous memory. `file` is the open file that was mapped.
    `offset` is where in the backing `start` lies, in pages. `name` is for mappings that are
    neither: [stack], [heap] are derived, [vdso] is set here.
    """

    start: int
    end: int
    flags: int
    offset: int = 0
    backing: Backing | None = None
    file: OpenFile | None = None
    name: bytes = b""

    @property
    def first_page(self) -> int:
        """Page number of `start`."""
        return self.start >> PAGE_SHIFT

    @property
    def last_page(self) -> int:
        """Page number of `end`: one past the last page."""
        return self.end >> PAGE_SHIFT

    @property
    def shared(self) -> bool:
        """Whether stores are seen by others."""
        return bool(self.flags & VM_SHARED)

    def rights(self) -> int:
        """Page-table rights that the mapping allows (reading is implied by the others)."""
        flags = self.flags
        rights = READ if flags & VM_ACCESS else 0
        if flags & VM_WRITE:
            rights |= WRITE
        if flags & VM_EXEC:
            rights |= EXEC
        return rights

    def page_offset(self, page_no: int) -> int:
        """Where in the backing a page lies, in pages."""
        return page_no - self.first_page + self.offset

    def piece(self, start: int, end: int) -> Vma:
        """The part between two addresses, as a mapping of its own."""
        moved = self.offset + ((start - self.start) >> PAGE_SHIFT)
        anonymous = self.backing is None
        return replace(self, start=start, end=end, offset=self.offset if anonymous else moved)

    def continues(self, before: Vma) -> bool:
        """Whether this mapping could be the tail of the one `before` it."""
        return (
            before.end == self.start
            and before.flags == self.flags
            and before.file is self.file
            and before.backing is self.backing
            and before.name == self.name
            and (self.backing is None or before.page_offset(self.first_page) == self.offset)
        )
