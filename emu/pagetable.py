"""Page tables: what the MMU walks, in memory that the C walker and Python both read.

A table has four levels of 512 words of 64 bits, so it covers 48 address bits on every arch. All
tables of a machine are cut from one arena of 4 KiB nodes; node 0 is never used, so the word 0
means "nothing here". An inner word is `node << 12 | RESIDENT`; a leaf word is the page-table
entry: `frame << 12 | flags`.

An entry is RESIDENT when a frame is there; the rights are separate bits, so that a PROT_NONE page
keeps its frame. The walker sets DIRTY at the first store, and lets the CPU keep a writable
translation only of dirty pages: dirty tracking costs one more fill and nothing else.

A change that takes rights away, or moves a page, leaves old translations in the CPUs: `stale`
then tells the machine to flush them before it runs guest code again. Adding rights needs no
flush, because a refused access always asks the walker again.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator

from emu.memory import PAGE_SHIFT, Ram

RESIDENT = 1
READ = 2
WRITE = 4
EXEC = 8
DIRTY = 16
RIGHTS = READ | WRITE | EXEC
FLAGS_MASK = 0xFFF

_LEVEL_BITS = 9
_LEVEL_MASK = 511
_TOP_SHIFT = 27  # of a page number: levels use bits 35..27, 26..18, 17..9, 8..0
MAX_PAGE_NO = 1 << 36
_NO_ENTRIES = memoryview(bytes(4096)).cast("Q")


class OutOfNodes(Exception):
    """No memory for page tables; the kernel model turns this into ENOMEM."""


class PageTables:
    """The arena from which all page tables of one machine are cut."""

    def __init__(self, ram: Ram) -> None:
        self.ram = ram
        self.node_count = ram.frame_count + 4096
        self.buffer = mmap.mmap(-1, self.node_count << PAGE_SHIFT)
        self.words = memoryview(self.buffer).cast("Q")
        self.stale = False
        """A translation that some CPU may hold is no longer allowed."""
        self._free: list[int] = []
        self._next = 1

    def close(self) -> None:
        """Give the memory back now: kernels die late, when a garbage collector finds them."""
        self.words.release()
        self.buffer.close()

    def new_node(self) -> int:
        """An empty node. Raises OutOfNodes."""
        if self._free:
            return self._free.pop()
        if self._next >= self.node_count:
            raise OutOfNodes(f"all {self.node_count} page-table nodes are in use")
        self._next += 1
        return self._next - 1

    def free_node(self, node: int) -> None:
        """Give a node back; it is cleared now, so that new_node need not."""
        start = node << PAGE_SHIFT
        self.buffer[start : start + 4096] = bytes(4096)
        self._free.append(node)


class PageTable:
    """The page table of one address space. Page numbers are addresses without the low 12 bits."""

    def __init__(self, arena: PageTables) -> None:
        self.arena = arena
        self._words = arena.words
        self.root = arena.new_node()
        self._cached_key = -1
        self._cached_base = 0

    def get(self, page_no: int) -> int:
        """The entry of a page, 0 when there is none."""
        key = page_no >> _LEVEL_BITS
        if key == self._cached_key:
            return self._words[self._cached_base | (page_no & _LEVEL_MASK)]
        base = self._leaf(key)
        return self._words[base | (page_no & _LEVEL_MASK)] if base else 0

    def _leaf(self, key: int) -> int:
        words = self._words
        node = words[self.root << _LEVEL_BITS | key >> 18 & _LEVEL_MASK] >> PAGE_SHIFT
        if not node:
            return 0
        node = words[node << _LEVEL_BITS | key >> 9 & _LEVEL_MASK] >> PAGE_SHIFT
        if not node:
            return 0
        node = words[node << _LEVEL_BITS | key & _LEVEL_MASK] >> PAGE_SHIFT
        if not node:
            return 0
        self._cached_key = key
        self._cached_base = node << _LEVEL_BITS
        return self._cached_base

    def _make_leaf(self, key: int) -> int:
        words = self._words
        node = self.root
        for shift in (18, 9, 0):
            index = node << _LEVEL_BITS | key >> shift & _LEVEL_MASK
            child = words[index] >> PAGE_SHIFT
            if not child:
                child = self.arena.new_node()
                words[index] = child << PAGE_SHIFT | RESIDENT
            node = child
        self._cached_key = key
        self._cached_base = node << _LEVEL_BITS
        return self._cached_base

    def set(self, page_no: int, frame: int, flags: int) -> None:
        """Map a page; the caller has counted the frame's user. Raises OutOfNodes."""
        key = page_no >> _LEVEL_BITS
        base = self._cached_base if key == self._cached_key else self._leaf(key)
        index = (base or self._make_leaf(key)) | (page_no & _LEVEL_MASK)
        old = self._words[index]
        if old and (old >> PAGE_SHIFT != frame or old & RIGHTS & ~flags):
            self.arena.stale = True
        if flags & EXEC:
            self.arena.ram.code[frame] = 1
        self._words[index] = frame << PAGE_SHIFT | flags

    def set_run(self, page_no: int, frames: list[int], flags: int) -> None:
        """Map consecutive pages that had no entry before. Raises OutOfNodes."""
        words = self._words
        code = self.arena.ram.code
        for frame in frames:
            key = page_no >> _LEVEL_BITS
            base = self._cached_base if key == self._cached_key else self._leaf(key)
            words[(base or self._make_leaf(key)) | (page_no & _LEVEL_MASK)] = (
                frame << PAGE_SHIFT | flags
            )
            if flags & EXEC:
                code[frame] = 1
            page_no += 1

    def take_all(self, first: int, last: int) -> list[int]:
        """Unmap the resident pages of [first, last): their entries. The frames are the caller's."""
        words = self._words
        taken: list[int] = []
        for low, count, _ in self._stretches(first, last):
            taken += filter(None, words[low : low + count].tolist())
            words[low : low + count] = _NO_ENTRIES[:count]
        if taken:
            self.arena.stale = True
        return taken

    def share_all(self, child: PageTable, first: int, last: int, lost: int) -> None:
        """Map the resident pages of [first, last) in `child`, too, which has none there.

        Both sides lose the rights `lost`. Every frame gets one user more. Raises OutOfNodes.
        """
        words, users = self._words, self.arena.ram.users
        kept = ~lost
        for low, count, page_no in self._stretches(first, last):
            entries = words[low : low + count].tolist()
            if not any(entries):
                continue
            key = page_no >> _LEVEL_BITS
            base = child._leaf(key) or child._make_leaf(key)
            if lost:
                entries = [entry & kept for entry in entries]
                words[low : low + count] = array("Q", entries)
                self.arena.stale = True
            to = base | (page_no & _LEVEL_MASK)
            words[to : to + count] = array("Q", entries)
            for entry in entries:
                if entry:
                    users[entry >> PAGE_SHIFT] += 1

    def _stretches(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """(index of the first word, count, first page number) for each leaf of [first, last)."""
        page_no = first
        while page_no < last:
            base = self._leaf(page_no >> _LEVEL_BITS)
            if not base:
                page_no = self._next_leaf(page_no, last)
                continue
            end = min(last, (page_no | _LEVEL_MASK) + 1)
            yield base | (page_no & _LEVEL_MASK), end - page_no, page_no
            page_no = end

    def clear(self, page_no: int) -> int:
        """Unmap a page; the old entry, 0 when there was none. Its frame is the caller's now."""
        key = page_no >> _LEVEL_BITS
        base = self._cached_base if key == self._cached_key else self._leaf(key)
        if not base:
            return 0
        index = base | (page_no & _LEVEL_MASK)
        old = self._words[index]
        if old:
            self._words[index] = 0
            self.arena.stale = True
        return old

    def entries(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(page number, entry) of the resident pages in [first, last), ascending."""
        for low, count, page_no in self._stretches(first, last):
            for offset, entry in enumerate(self._words[low : low + count].tolist()):
                if entry:
                    yield page_no + offset, entry

    def _next_leaf(self, page_no: int, last: int) -> int:
        # Skip whole empty subtrees: a sparse 47-bit space must not be walked leaf by leaf.
        words = self._words
        key = page_no >> _LEVEL_BITS
        node = self.root
        for shift in (18, 9, 0):
            child = words[node << _LEVEL_BITS | key >> shift & _LEVEL_MASK] >> PAGE_SHIFT
            if not child:
                return min(last, ((key >> shift) + 1) << (shift + _LEVEL_BITS))
            node = child
        return page_no

    def release(self) -> None:
        """Give all nodes back. The frames of its entries must have been dropped before."""
        self._free_tree(self.root, 3)
        self.root = 0
        self._cached_key = -1
        self.arena.stale = True

    def _free_tree(self, node: int, levels: int) -> None:
        if levels:
            low = node << _LEVEL_BITS
            for word in filter(None, self._words[low : low + 512].tolist()):
                self._free_tree(word >> PAGE_SHIFT, levels - 1)
        self.arena.free_node(node)
