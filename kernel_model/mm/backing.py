"""What lies behind a mapping that is not private anonymous memory.

A file's inode is one (its page cache); `SharedMemory` is the other: memory without a name, shared
by those who inherited the mapping.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from emu.memory import OutOfFrames, Ram
from kernel_model.abi.errno import ENOMEM

if TYPE_CHECKING:
    from kernel_model.mm.address_space import AddressSpace


class Backing(Protocol):
    """Pages by number, and who maps them. Inodes and SharedMemory are backings."""

    pages: dict[int, int]
    """The frames of the pages that are in memory."""

    @property
    def page_count(self) -> int:
        """Pages behind it do not exist: touching them is SIGBUS."""
        ...

    def page(self, page_no: int, *, write: bool = False) -> int:
        """The frame of a page, brought in if need be; the backing keeps its own user.

        `write` announces stores through a shared mapping. Raises LinuxError (SIGBUS).
        """
        ...

    def add_mapping(self, mapper: AddressSpace, /) -> None:
        """One more vma of `mapper` shows this."""
        ...

    def remove_mapping(self, mapper: AddressSpace, /) -> None:
        """One vma less."""
        ...


class SharedMemory:
    """Shared anonymous memory: frames by page number, `page_count` pages at most.

    Mirrors: Linux mm/shmem.c, shmem_zero_setup.
    """

    def __init__(self, ram: Ram, page_count: int) -> None:
        self.ram = ram
        self.page_count = page_count
        self.pages: dict[int, int] = {}
        self.users = 0
        """How many vmas show it; the last one frees the memory."""

    def page(self, page_no: int, *, write: bool = False) -> int:
        """The frame of a page, zero-filled at first."""
        frame = self.pages.get(page_no)
        if frame is None:
            frame = self.pages[page_no] = self.ram.alloc()
        return frame

    def place_page(self, page_no: int, content: memoryview) -> None:
        """Restart: give a page its content. Raises ENOMEM."""
        try:
            self.ram.write(self.page(page_no), 0, content)
        except OutOfFrames as full:
            raise ENOMEM(str(full)) from full

    def add_mapping(self, mapper: AddressSpace, /) -> None:
        """One more vma."""
        self.users += 1

    def remove_mapping(self, mapper: AddressSpace, /) -> None:
        """One vma less."""
        self.users -= 1
        if not self.users:
            self.free_pages()

    def free_pages(self) -> None:
        """Give the memory back."""
        for frame in self.pages.values():
            self.ram.drop(frame)
        self.pages.clear()


class VdsoPage:
    """The one page of code that the kernel lends to every program of an ABI."""

    page_count = 1

    def __init__(self, ram: Ram, code: bytes) -> None:
        frame = ram.alloc()
        ram.write(frame, 0, code)
        self.pages: dict[int, int] = {0: frame}

    def page(self, page_no: int, *, write: bool = False) -> int:
        """The frame; it is never written."""
        return self.pages[page_no]

    def add_mapping(self, mapper: AddressSpace, /) -> None:
        """Mappings are not counted: the page lives as long as the kernel."""

    def remove_mapping(self, mapper: AddressSpace, /) -> None:
        """See add_mapping."""
