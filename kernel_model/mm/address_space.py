"""The address space of a process: its mappings, its page table, its layout.

Mirrors: Linux mm_struct and mm/mmap.c. Addresses are bytes, page numbers are `addr >> 12`.
Deviates: no address-space randomisation; a run is a function of its inputs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from emu.memory import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, OutOfFrames
from emu.pagetable import (
    DIRTY,
    FLAGS_MASK,
    RESIDENT,
    RIGHTS,
    WRITE,
    OutOfNodes,
    PageTable,
    PageTables,
)
from kernel_model.abi.errno import EINVAL, ENOMEM
from kernel_model.mm.gaps import Gaps
from kernel_model.mm.vma import (
    VM_DONTCOPY,
    VM_MAYEXEC,
    VM_MAYREAD,
    VM_MAYWRITE,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
    Vma,
)

if TYPE_CHECKING:
    from kernel_model.mm.backing import Backing
    from kernel_model.vfs.openfile import OpenFile

MAX_MAP_COUNT = 65530


@dataclass
class Layout:
    """Where things lie: the eleven numbers that linux-cr's MM record carries."""

    start_code: int = 0
    end_code: int = 0
    start_data: int = 0
    end_data: int = 0
    start_brk: int = 0
    brk: int = 0
    start_stack: int = 0
    arg_start: int = 0
    arg_end: int = 0
    env_start: int = 0
    env_end: int = 0


class AddressSpace:
    """Mappings sorted by address, and the page table below them.

    `task_size` is the first address a user cannot have; `mmap_base` is where mmap begins to
    search downwards.
    """

    def __init__(self, tables: PageTables, task_size: int, mmap_base: int) -> None:
        self.tables = tables
        self.ram = tables.ram
        self.table = PageTable(tables)
        self.task_size = task_size
        self.gaps = Gaps(mmap_base)
        self.vmas: list[Vma] = []
        self.layout = Layout()
        self.auxv: tuple[int, ...] = ()
        self.exe: OpenFile | None = None
        self.def_flags = 0
        self.flags = 0
        self.dumpable = 1
        """PR_SET_DUMPABLE: 0 no, 1 yes."""
        """MMF_*: the two lowest bits say whether a core may be written (prctl)."""
        self.barriers = 0
        """What membarrier was registered for."""
        self.vdso = 0
        self.users = 1
        self.limit_bytes: int | None = None
        """RLIMIT_AS of the task that maps; None is no limit."""

    # ---- finding

    def find(self, addr: int) -> Vma | None:
        """The mapping that holds `addr`."""
        index = bisect_right(self.vmas, addr, key=_start) - 1
        if index >= 0:
            vma = self.vmas[index]
            if addr < vma.end:
                return vma
        return None

    def find_above(self, addr: int) -> Vma | None:
        """The lowest mapping that ends above `addr` (Linux's find_vma)."""
        index = bisect_right(self.vmas, addr, key=_start) - 1
        if index >= 0 and addr < self.vmas[index].end:
            return self.vmas[index]
        return self.vmas[index + 1] if index + 1 < len(self.vmas) else None

    def overlapping(self, start: int, end: int) -> list[Vma]:
        """The mappings that share a byte with [start, end)."""
        low = bisect_right(self.vmas, start, key=_start) - 1
        if low < 0 or self.vmas[low].end <= start:
            low += 1
        high = low
        while high < len(self.vmas) and self.vmas[high].start < end:
            high += 1
        return self.vmas[low:high]

    def find_gap(self, length: int, hint: int = 0) -> int:
        """A free range of `length` bytes: at `hint` if free, else the highest below mmap_base."""
        if hint and hint + length <= self.task_size and not self.overlapping(hint, hint + length):
            return hint
        addr = self.gaps.highest(self.vmas, length)
        if addr >= PAGE_SIZE * 16:
            return addr
        raise ENOMEM(f"no free range of {length} bytes")

    @property
    def total_bytes(self) -> int:
        """Bytes mapped."""
        return sum(vma.end - vma.start for vma in self.vmas)

    # ---- changing

    def insert(self, vma: Vma, *, join: bool = True) -> Vma:
        """Add a mapping over a free range, joined with its neighbours where it continues them.

        Restart does not join: it makes the mappings as they were.
        """
        self._hold(vma)
        index = bisect_right(self.vmas, vma.start, key=_start)
        self.vmas.insert(index, vma)
        return self._join(index) if join else vma

    def _join(self, index: int) -> Vma:
        vmas = self.vmas
        if index + 1 < len(vmas) and vmas[index + 1].continues(vmas[index]):
            vmas[index].end = vmas[index + 1].end
            self._release(vmas.pop(index + 1))
        if index > 0 and vmas[index].continues(vmas[index - 1]):
            vmas[index - 1].end = vmas[index].end
            self._release(vmas.pop(index))
            index -= 1
        return vmas[index]

    def _hold(self, vma: Vma) -> None:
        if len(self.vmas) >= MAX_MAP_COUNT:
            raise ENOMEM(f"more than {MAX_MAP_COUNT} mappings")
        if vma.file is not None:
            vma.file.grab()
        if vma.backing is not None:
            vma.backing.add_mapping(self)

    def _release(self, vma: Vma) -> None:
        if vma.backing is not None:
            vma.backing.remove_mapping(self)
        if vma.file is not None:
            vma.file.drop()

    def split(self, addr: int) -> None:
        """Make `addr` a border between mappings."""
        vma = self.find(addr)
        if vma is None or vma.start == addr:
            return
        upper = vma.piece(addr, vma.end)
        self._hold(upper)
        vma.end = addr
        self.vmas.insert(bisect_right(self.vmas, addr, key=_start), upper)

    def unmap(self, start: int, end: int) -> None:
        """Remove whatever is mapped in [start, end)."""
        doomed = self.overlapping(start, end)
        if not doomed:
            return
        self.split(start)
        self.split(end)
        for vma in self.overlapping(start, end):
            self.zap(vma.first_page, vma.last_page)
            self._remove(vma)

    def _remove(self, vma: Vma) -> None:
        self.vmas.remove(vma)
        self.gaps.freed(vma)
        self._release(vma)

    def zap(self, first: int, last: int) -> None:
        """Forget the pages [first, last): their next use is a fault."""
        self.ram.drop_all(self.table.take_all(first, last))

    def unmap_file_range(self, backing: Backing, first: int, last: int) -> None:
        """A file was cut: forget the pages that show [first, last) of it (in pages)."""
        for vma in self.vmas:
            if vma.backing is not backing:
                continue
            low = max(first, vma.offset)
            high = min(last, vma.offset + vma.last_page - vma.first_page)
            if low < high:
                base = vma.first_page - vma.offset
                self.zap(base + low, base + high)

    def protect(self, start: int, end: int, access: int) -> None:
        """Give [start, end), all of it mapped, the rights `access` (VM_READ ...)."""
        self.split(start)
        self.split(end)
        for vma in self.overlapping(start, end):
            flags = vma.flags & ~7 | access
            if flags == vma.flags:
                continue
            vma.flags = flags
            self._lower_rights(vma)
        index = bisect_right(self.vmas, start, key=_start) - 1
        for position in range(min(len(self.vmas) - 1, index + 64), max(-1, index - 2), -1):
            if self.vmas[position].start <= end:
                self._join_back(position)

    def _join_back(self, index: int) -> None:
        if index > 0 and self.vmas[index].continues(self.vmas[index - 1]):
            self.vmas[index - 1].end = self.vmas[index].end
            self._release(self.vmas.pop(index))

    def _lower_rights(self, vma: Vma) -> None:
        # A right that is gained is not given here: the next fault decides about copy-on-write.
        allowed = vma.rights()
        for page_no, entry in list(self.table.entries(vma.first_page, vma.last_page)):
            flags = entry & FLAGS_MASK
            rights = allowed & ~WRITE | flags & allowed & WRITE
            self.table.set(page_no, entry >> PAGE_SHIFT, flags & ~RIGHTS | rights)

    def move(self, vma: Vma, new_start: int, new_length: int) -> Vma:
        """mremap: the mapping, with its pages, to a free range elsewhere."""
        old_first, old_last = vma.first_page, vma.last_page
        fresh = vma.piece(vma.start, vma.end)
        fresh.start, fresh.end = new_start, new_start + new_length
        shift = (new_start >> PAGE_SHIFT) - old_first
        count = new_length >> PAGE_SHIFT
        for page_no, entry in list(self.table.entries(old_first, min(old_last, old_first + count))):
            self.table.clear(page_no)
            self.table.set(page_no + shift, entry >> PAGE_SHIFT, entry & FLAGS_MASK)
        self._hold(fresh)
        self.zap(old_first, old_last)
        self._remove(vma)
        index = bisect_right(self.vmas, fresh.start, key=_start)
        self.vmas.insert(index, fresh)
        return self._join(index)

    def set_brk(self, addr: int) -> int:
        """The end of the heap; the old one when `addr` cannot be had."""
        layout = self.layout
        if addr < layout.start_brk:
            return layout.brk
        old_end = page_up(layout.brk)
        new_end = page_up(addr)
        if new_end < old_end:
            self.unmap(new_end, old_end)
        elif new_end > old_end:
            if new_end > self.task_size or self.overlapping(old_end, new_end + PAGE_SIZE):
                return layout.brk
            if self.limit_bytes is not None and (
                self.total_bytes + new_end - old_end > self.limit_bytes
            ):
                return layout.brk
            flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | self.def_flags
            self.insert(Vma(old_end, new_end, flags))
        layout.brk = addr
        return addr

    # ---- life

    def grab(self) -> None:
        """One more task."""
        self.users += 1

    def drop(self) -> None:
        """One task less; the last one takes the whole space down."""
        self.users -= 1
        if not self.users:
            self.clear()
            self.table.release()
            if self.exe is not None:
                self.exe.inode.allow_write()
                self.exe.drop()
                self.exe = None

    def execute(self, file: OpenFile) -> None:
        """This is the program; nobody may write it as long as the space lives.

        The caller's use of the file goes over to the space. Raises ETXTBSY.
        """
        file.inode.deny_write()
        self.exe = file

    def clear(self) -> None:
        """Unmap everything."""
        for vma in list(self.vmas):
            self.zap(vma.first_page, vma.last_page)
            self._remove(vma)

    def fork(self) -> AddressSpace:
        """A copy that shares every page: private ones become copy-on-write on both sides.

        Raises OutOfNodes, with everything given back.
        """
        child = AddressSpace(self.tables, self.task_size, self.gaps.top)
        try:
            self._copy_to(child)
        except BaseException:
            child.drop()
            raise
        return child

    def _copy_to(self, child: AddressSpace) -> None:
        child.layout = replace(self.layout)
        child.auxv, child.def_flags, child.flags = self.auxv, self.def_flags, self.flags
        child.dumpable, child.barriers = self.dumpable, self.barriers
        child.vdso, child.limit_bytes = self.vdso, self.limit_bytes
        if self.exe is not None:
            child.execute(self.exe.grab())
        for vma in self.vmas:
            if vma.flags & VM_DONTCOPY:
                continue
            twin = replace(vma)
            child._hold(twin)
            child.vmas.append(twin)
            lost = 0 if vma.flags & VM_SHARED else WRITE
            self.table.share_all(child.table, vma.first_page, vma.last_page, lost)

    def resident_private(self, vma: Vma) -> list[tuple[int, int]]:
        """(page number, frame) of the pages of a private mapping that are its own.

        Not those that were only read: the zero frame, and the page cache's frames.
        """
        entries = self.table.entries(vma.first_page, vma.last_page)
        own = [(page_no, entry >> PAGE_SHIFT) for page_no, entry in entries if entry >> PAGE_SHIFT]
        if vma.backing is None:
            return own
        cached, shift = vma.backing.pages, vma.offset - vma.first_page
        return [(page_no, frame) for page_no, frame in own if cached.get(page_no + shift) != frame]

    def contents(self, frames: list[int]) -> list[memoryview]:
        """The bytes of page frames, to read from: neighbours in one piece."""
        view = self.ram.view
        return [
            view[frames[begin] << PAGE_SHIFT : (frames[end - 1] + 1) << PAGE_SHIFT]
            for begin, end in _runs(frames)
        ]

    def place_pages(self, vma: Vma, numbers: list[int], content: memoryview) -> None:
        """Restart: give these pages of a private mapping, absent so far, a content of their own.

        Neighbours are moved in one piece. Raises ENOMEM.
        """
        try:
            frames = self.ram.alloc_run(len(numbers))
        except OutOfFrames as full:
            raise ENOMEM(str(full)) from full
        for begin, end in _runs(frames):
            start = frames[begin] << PAGE_SHIFT
            piece = content[begin << PAGE_SHIFT : end << PAGE_SHIFT]
            self.ram.view[start : start + len(piece)] = piece
        flags = RESIDENT | DIRTY | vma.rights()
        done = 0
        try:
            for begin, end in _runs(numbers):
                self.table.set_run(numbers[begin], frames[begin:end], flags)
                done = end
        except OutOfNodes as full:
            for page_no, frame in zip(numbers[done:], frames[done:]):
                if self.table.get(page_no) >> PAGE_SHIFT != frame:
                    self.ram.drop(frame)
            raise ENOMEM(str(full)) from full


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """(begin, end) positions of the stretches in which each number follows the one before."""
    begin = 0
    for position in range(1, len(numbers) + 1):
        if position == len(numbers) or numbers[position] != numbers[position - 1] + 1:
            yield begin, position
            begin = position


def _start(vma: Vma) -> int:
    return vma.start


def page_up(addr: int) -> int:
    """The next page border at or above."""
    return (addr + PAGE_MASK) & ~PAGE_MASK


def check_aligned(addr: int) -> None:
    """EINVAL unless `addr` is a page border."""
    if addr & PAGE_MASK:
        raise EINVAL(f"{addr:#x} is not page aligned")
