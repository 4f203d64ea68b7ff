"""Mappings and pages after a restart."""

from itertools import pairwise

import pytest

import cr
from cr.system import System
from cr.tools.image_bytes import Image
from emu.memory import PAGE_SIZE
from kernel_model.mm.address_space import AddressSpace
from kernel_model.mm.backing import SharedMemory
from kernel_model.mm.vma import VM_MAYREAD, VM_MAYWRITE, VM_READ, VM_SHARED, VM_WRITE, Vma
from kernel_model.task import Task
from tests.harness.tiny_tasks import pausing, restarted

BASE = 0x10000000
READ_WRITE = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE


def mm_of(task: Task) -> AddressSpace:
    assert task.mm is not None
    return task.mm


def shared_twice(kernel: System, task: Task) -> SharedMemory:
    """Four pages of shared memory, mapped whole and, from its second page on, again."""
    memory = SharedMemory(kernel.ram, 4)
    for start, offset in ((BASE, 0), (BASE + 0x100000, 1)):
        end = start + (4 - offset) * PAGE_SIZE
        mm_of(task).insert(Vma(start, end, READ_WRITE | VM_SHARED, offset, memory))
    return memory


def pages_in(image: Image) -> int:
    return sum(len(item.value) for item in image.records if item.role == "pages")  # type: ignore[arg-type]


def test_shared_memory_is_written_once_and_stays_shared() -> None:
    kernel, task = pausing("x86_64")
    without = pages_in(kernel.checkpoint())
    shared_twice(kernel, task)
    task.user.write(BASE + PAGE_SIZE, b"common")
    assert pages_in(kernel.checkpoint()) == without + 1
    kernel, task = restarted(kernel)
    assert task.user.read(BASE + 0x100000, 6) == b"common"
    task.user.write(BASE + 0x100000, b"COMMON")
    assert task.user.read(BASE + PAGE_SIZE, 6) == b"COMMON"


def test_private_pages_and_layout() -> None:
    kernel, task = pausing("x86_64")
    mm_of(task).insert(Vma(BASE, BASE + 16 * PAGE_SIZE, READ_WRITE))
    for page in (0, 3, 15):
        task.user.write(BASE + page * PAGE_SIZE, b"page %d" % page)
    task.user.read(BASE + 7 * PAGE_SIZE, 1)
    mm_of(task).layout.brk = mm_of(task).layout.start_brk + 123
    layout, auxv = mm_of(task).layout, mm_of(task).auxv
    _, task = restarted(kernel)
    for page in (0, 3, 15):
        assert task.user.cstring(BASE + page * PAGE_SIZE) == b"page %d" % page
    vma = mm_of(task).find(BASE)
    assert vma is not None and len(mm_of(task).resident_private(vma)) == 3
    assert (mm_of(task).layout, mm_of(task).auxv) == (layout, auxv)


def test_neighbours_stay_apart() -> None:
    kernel, task = pausing("x86_64")
    for start, end in pairwise((BASE, BASE + 0x2000, BASE + 0x3000)):
        mm_of(task).insert(Vma(start, end, READ_WRITE), join=False)
    count = len(mm_of(task).vmas)
    _, task = restarted(kernel)
    assert len(mm_of(task).vmas) == count


def test_an_image_larger_than_memory() -> None:
    kernel, task = pausing("x86_64")
    mm_of(task).insert(Vma(BASE, BASE + 512 * PAGE_SIZE, READ_WRITE))
    for page in range(512):
        task.user.write(BASE + page * PAGE_SIZE, b"x")
    image = kernel.checkpoint()
    small = cr.boot("x86_64", kernel.disk, memory_bytes=1 << 20)
    free_frames = small.ram.free_frames
    with pytest.raises(cr.ImageError) as refused:
        small.restart(image)
    assert refused.value.errno == 12 and "page frames wanted" in refused.value.sentence
    assert small.ram.free_frames == free_frames
