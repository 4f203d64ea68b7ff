"""Where a new mapping goes: the highest free range below mmap_base that is long enough.

A program that maps again and again, lower and lower, would have every search begin at the top.
What a search has seen is remembered instead: above `below` no free range is of `length` bytes.
That is knowledge, not state: an address never depends on it, and no image has it.

Mirrors: Linux arch_get_unmapped_area_topdown; its free_area_cache is the same idea, but there the
         answer depends on it.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.mm.vma import Vma


class Gaps:
    """The free ranges below `top`."""

    __slots__ = ("below", "length", "top")

    def __init__(self, top: int) -> None:
        self.top = top
        self.below = top
        self.length = 0

    def highest(self, vmas: list[Vma], length: int) -> int:
        """Where the highest free range of `length` bytes begins; negative when there is none."""
        end = self.below if length >= self.length else self.top
        index = bisect_left(vmas, end, key=_start) - 1
        while index >= 0:
            vma = vmas[index]
            if vma.end + length <= end:
                break
            end = min(end, vma.start)
            index -= 1
        self.below, self.length = end, length
        return end - length

    def freed(self, vma: Vma) -> None:
        """A mapping is gone: look from the top again, if it has made room there."""
        if vma.end > self.below:
            self.below, self.length = self.top, 0


def _start(vma: Vma) -> int:
    return vma.start
