"""What the search for a free range remembers never changes where it finds one."""

from bisect import insort

from hypothesis import given
from hypothesis import strategies as st

from kernel_model.mm.gaps import Gaps
from kernel_model.mm.vma import Vma

TOP = 40
Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["map", "unmap"]), st.integers(1, 6)), max_size=60)


def search(vmas: list[Vma], length: int) -> int:
    """The same question without a memory."""
    used = {page for vma in vmas for page in range(vma.start, vma.end)}
    for start in range(TOP - length, -1, -1):
        if used.isdisjoint(range(start, start + length)):
            return start
    return -1


@given(STEPS)
def test_the_highest_range_is_found(steps: list[Step]) -> None:
    gaps, vmas = Gaps(TOP), list[Vma]()
    for what, number in steps:
        if what == "unmap" and vmas:
            vma = vmas.pop(number % len(vmas))
            gaps.freed(vma)
            continue
        addr = gaps.highest(vmas, number)
        assert max(addr, -1) == search(vmas, number)
        if addr >= 0:
            insort(vmas, Vma(addr, addr + number, 0), key=lambda vma: vma.start)
