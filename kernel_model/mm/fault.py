"""Page faults: what happens when the walk of the page table refuses an access.

Used by the CPU (a MemoryFault stop) and by the kernel's own copies (usermem) alike.

Mirrors: Linux handle_mm_fault, do_anonymous_page, do_wp_page, expand_stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.memory import PAGE_MASK, PAGE_SHIFT, ZERO_FRAME, OutOfFrames
from emu.pagetable import EXEC, READ, RESIDENT, WRITE, OutOfNodes
from kernel_model.abi.errno import LinuxError
from kernel_model.mm.address_space import AddressSpace
from kernel_model.mm.vma import VM_GROWSDOWN, Vma

if TYPE_CHECKING:
    from kernel_model.mm.backing import Backing

SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR = 1, 2, 2
_WANTED = {"read": READ, "write": WRITE, "fetch": EXEC}
_STACK_GUARD_BYTES = 1 << PAGE_SHIFT
_AROUND_PAGES = 16


class BadAccess(Exception):
    """The access is not allowed. `bus` tells SIGBUS from SIGSEGV; `code` is si_code."""

    def __init__(self, addr: int, code: int, *, bus: bool = False) -> None:
        super().__init__(f"bad access to {addr:#x}")
        self.addr = addr
        self.code = code
        self.bus = bus


class OutOfMemory(Exception):
    """Guest memory is used up: the OOM killer's moment."""


def handle_fault(mm: AddressSpace, addr: int, access: str, stack_limit: int) -> None:
    """Make one page accessible. Raises BadAccess or OutOfMemory, having changed nothing."""
    vma = mm.find(addr)
    if vma is None:
        vma = _grow_stack(mm, addr, stack_limit)
    wanted = _WANTED[access]
    if not vma.rights() & wanted:
        raise BadAccess(addr, SEGV_ACCERR)
    page_no = addr >> PAGE_SHIFT
    try:
        entry = mm.table.get(page_no)
        if not entry:
            _bring_in(mm, vma, page_no, wanted)
        elif wanted == WRITE:
            _make_writable(mm, vma, page_no, entry >> PAGE_SHIFT)
        else:
            # mprotect gave a right back that the entry did not have yet.
            frame = entry >> PAGE_SHIFT
            mm.table.set(page_no, frame, entry & ~(READ | EXEC) & 0xFFF | vma.rights() & ~WRITE)
    except (OutOfFrames, OutOfNodes) as full:
        raise OutOfMemory(str(full)) from full


def _grow_stack(mm: AddressSpace, addr: int, stack_limit: int) -> Vma:
    vma = mm.find_above(addr)
    if vma is None or not vma.flags & VM_GROWSDOWN:
        raise BadAccess(addr, SEGV_MAPERR)
    start = addr & ~PAGE_MASK
    if vma.end - start > stack_limit:
        raise BadAccess(addr, SEGV_MAPERR)
    if mm.overlapping(start - _STACK_GUARD_BYTES, vma.start):
        raise BadAccess(addr, SEGV_MAPERR)
    if mm.limit_bytes is not None and mm.total_bytes + vma.start - start > mm.limit_bytes:
        raise BadAccess(addr, SEGV_MAPERR)
    vma.start = start
    return vma


def _bring_in(mm: AddressSpace, vma: Vma, page_no: int, wanted: int) -> None:
    ram, table = mm.ram, mm.table
    rights = vma.rights()
    backing = vma.backing
    if backing is None:
        if wanted == WRITE:
            frame = ram.alloc()
        else:
            frame = ZERO_FRAME
            rights &= ~WRITE
            ram.grab(frame)
    else:
        shared_write = wanted == WRITE and vma.shared
        frame = _page_of(vma, page_no, shared_write)
        if wanted == WRITE and not vma.shared:
            frame = ram.copy(frame)
        else:
            ram.grab(frame)
            if not shared_write:
                rights &= ~WRITE
    try:
        table.set(page_no, frame, RESIDENT | rights)
    except OutOfNodes:
        ram.drop(frame)
        raise
    if backing is not None and wanted != WRITE:
        _bring_neighbours(mm, vma, page_no, backing)


def _bring_neighbours(mm: AddressSpace, vma: Vma, page_no: int, backing: Backing) -> None:
    """Map, to be read, the file's pages nearby that are in the page cache: a fault less for each.

    Linux's do_fault_around. Nobody can tell, except that a program starts faster.
    """
    ram, table, cached = mm.ram, mm.table, backing.pages
    rights = RESIDENT | vma.rights() & ~WRITE
    first = max(vma.first_page, page_no & -_AROUND_PAGES)
    # Up to the window's end: it lies within one leaf of the table, so nothing can run out.
    last = min(vma.last_page, (page_no & -_AROUND_PAGES) + _AROUND_PAGES)
    shift = vma.page_offset(first) - first
    for number in range(first, last):
        frame = cached.get(number + shift)
        if frame is not None and not table.get(number):
            ram.grab(frame)
            table.set(number, frame, rights)


def _page_of(vma: Vma, page_no: int, write: bool) -> int:
    backing = vma.backing
    assert backing is not None
    index = vma.page_offset(page_no)
    if index >= backing.page_count:
        raise BadAccess(page_no << PAGE_SHIFT, BUS_ADRERR, bus=True)
    try:
        return backing.page(index, write=write)
    except LinuxError as refused:
        raise BadAccess(page_no << PAGE_SHIFT, BUS_ADRERR, bus=True) from refused


def _make_writable(mm: AddressSpace, vma: Vma, page_no: int, frame: int) -> None:
    ram = mm.ram
    if vma.shared:
        _page_of(vma, page_no, True)
    elif frame == ZERO_FRAME or ram.users[frame] > 1:
        fresh = ram.copy(frame)
        ram.drop(frame)
        frame = fresh
    mm.table.set(page_no, frame, RESIDENT | vma.rights())
