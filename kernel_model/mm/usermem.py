"""The only door to guest memory for the kernel.

A copy faults pages in exactly as the CPU does, and stops at the first byte it cannot have.
Handlers that may succeed in part ask `readable` or `writable` first, then do just that much, so
that nothing is half done.

Mirrors: Linux copy_from_user, copy_to_user, strncpy_from_user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from emu.layout import Record
from emu.memory import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from emu.pagetable import DIRTY, MAX_PAGE_NO, READ, WRITE
from kernel_model.abi.errno import EFAULT, ENAMETOOLONG
from kernel_model.mm.fault import BadAccess

if TYPE_CHECKING:
    from kernel_model.task import Task

R = TypeVar("R", bound=Record)
PATH_MAX = 4096


class UserMemory:
    """Guest memory as one task sees it."""

    __slots__ = ("_task",)

    def __init__(self, task: Task) -> None:
        self._task = task

    def _frame(self, page_no: int, wanted: int) -> int:
        """The frame behind a page, faulted in; -1 when the task may not have it."""
        mm = self._task.mm
        if mm is None or not 0 <= page_no < MAX_PAGE_NO:
            # The page table would look at the low bits of the number only.
            return -1
        entry = mm.table.get(page_no)
        if not entry & wanted:
            if page_no << PAGE_SHIFT >= mm.task_size:
                return -1
            try:
                access = "write" if wanted == WRITE else "read"
                if not self._task.kernel.bring_in(self._task, page_no << PAGE_SHIFT, access):
                    return -1
            except BadAccess:
                return -1
            entry = mm.table.get(page_no)
        if wanted == WRITE and not entry & DIRTY:
            mm.table.set(page_no, entry >> PAGE_SHIFT, entry & 0xFFF | DIRTY)
        return entry >> PAGE_SHIFT

    def _accessible(self, addr: int, count: int, wanted: int) -> int:
        if 0 < count <= PAGE_SIZE - (addr & PAGE_MASK):  # nearly always
            return count if self._frame(addr >> PAGE_SHIFT, wanted) >= 0 else 0
        done = 0
        while done < count:
            if self._frame((addr + done) >> PAGE_SHIFT, wanted) < 0:
                break
            done += PAGE_SIZE - ((addr + done) & PAGE_MASK)
        return min(done, count)

    def check_range(self, addr: int, count: int) -> None:
        """Raise EFAULT if a buffer reaches beyond what any program of the kernel can have.

        Mirrors: Linux access_ok, which does not ask what is mapped.
        """
        if addr + count > self._task.kernel.abis[0].task_size:
            raise EFAULT(f"{count} bytes at {addr:#x} are not all in user space")

    def readable(self, addr: int, count: int) -> int:
        """How many of `count` bytes from `addr` can be read."""
        return self._accessible(addr, count, READ)

    def writable(self, addr: int, count: int) -> int:
        """How many of `count` bytes from `addr` can be written."""
        return self._accessible(addr, count, WRITE)

    def read(self, addr: int, count: int) -> bytes:
        """`count` bytes. Raises EFAULT if any of them cannot be read."""
        offset = addr & PAGE_MASK
        if offset + count <= PAGE_SIZE:
            frame = self._frame(addr >> PAGE_SHIFT, READ) if count else 0
            if frame < 0:
                raise EFAULT(f"cannot read {count} bytes at {addr:#x}")
            start = (frame << PAGE_SHIFT) + offset
            return self._task.kernel.ram.buffer[start : start + count]
        ram = self._task.kernel.ram
        pieces = []
        end = addr + count
        while addr < end:
            step = min(end - addr, PAGE_SIZE - (addr & PAGE_MASK))
            frame = self._frame(addr >> PAGE_SHIFT, READ)
            if frame < 0:
                raise EFAULT(f"cannot read {end - addr} bytes at {addr:#x}")
            pieces.append(ram.read(frame, addr & PAGE_MASK, step))
            addr += step
        return b"".join(pieces)

    def write(self, addr: int, data: bytes | bytearray | memoryview) -> None:
        """Store all of `data`. Raises EFAULT, with nothing stored, if any byte cannot be."""
        count = len(data)
        ram = self._task.kernel.ram
        offset = addr & PAGE_MASK
        if offset + count <= PAGE_SIZE:
            if not count:
                return
            frame = self._frame(addr >> PAGE_SHIFT, WRITE)
            if frame < 0:
                raise EFAULT(f"cannot write {count} bytes at {addr:#x}")
            ram.write(frame, offset, data)
            return
        if self.writable(addr, count) < count:
            raise EFAULT(f"cannot write {count} bytes at {addr:#x}")
        view = memoryview(data)
        done = 0
        while done < count:
            at = addr + done
            step = min(count - done, PAGE_SIZE - (at & PAGE_MASK))
            ram.write(
                self._frame(at >> PAGE_SHIFT, WRITE), at & PAGE_MASK, view[done : done + step]
            )
            done += step

    def cstring(self, addr: int, limit: int = PATH_MAX) -> bytes:
        """The C string at `addr`, without its NUL. EFAULT, or ENAMETOOLONG without a NUL."""
        ram = self._task.kernel.ram
        pieces = []
        length = 0
        while length < limit:
            frame = self._frame(addr >> PAGE_SHIFT, READ)
            if frame < 0:
                raise EFAULT(f"no string at {addr:#x}")
            step = min(limit - length, PAGE_SIZE - (addr & PAGE_MASK))
            piece = ram.read(frame, addr & PAGE_MASK, step)
            end = piece.find(0)
            if end >= 0:
                pieces.append(piece[:end])
                return b"".join(pieces)
            pieces.append(piece)
            addr += step
            length += step
        raise ENAMETOOLONG(f"a string of more than {limit} bytes")

    def word(self, addr: int) -> int:
        """An unsigned word of the ABI's size and byte order."""
        abi = self._task.abi
        order = abi.byte_order
        return int.from_bytes(self.read(addr, abi.word_bytes), order)

    def write_word(self, addr: int, value: int) -> None:
        """Store a word of the ABI's size and byte order."""
        abi = self._task.abi
        order = abi.byte_order
        mask = (1 << 8 * abi.word_bytes) - 1
        self.write(addr, (value & mask).to_bytes(abi.word_bytes, order))

    def write_int(self, addr: int, value: int) -> None:
        """Store a C int."""
        order = self._task.abi.byte_order
        self.write(addr, (value & 0xFFFFFFFF).to_bytes(4, order))

    def read_record(self, cls: type[R], addr: int) -> R:
        """A kernel struct."""
        return cls.unpack(self.read(addr, cls.fixed_bytes()), self._task.abi.order)

    def write_record(self, record: Record, addr: int) -> None:
        """Store a kernel struct."""
        self.write(addr, record.pack(self._task.abi.order))
