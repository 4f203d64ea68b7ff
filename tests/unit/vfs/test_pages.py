"""Mappings, read and write see the same bytes; truncation takes pages away."""

from __future__ import annotations

import pytest

from emu.memory import PAGE_SIZE
from kernel_model.abi.errno import EFAULT, ENOSPC, ETXTBSY
from kernel_model.abi.structs import PPC32, PPC64, X86_32, X86_64, Structs
from kernel_model.syscalls import names, readwrite, stat, truncate
from kernel_model.syscalls import open as open_calls
from kernel_model.vfs.inode import Inode
from tests.unit.vfs.fakes import BASE, FakeKernel, FakeTask


class Mapper:
    """Remembers what it was told to unmap."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def unmap_file_range(self, inode: Inode, first: int, last: int, /) -> None:
        self.told.append(first)


def opened(task: FakeTask, size: int) -> tuple[int, Inode]:
    fd = task.call(open_calls.open, b"/tmp/f", 0o102, 0o644)
    task.call(readwrite.write, fd, BASE, 0)
    file = task.files.get(fd)
    file.write(bytes(range(256)) * (size // 256) + b"z" * (size % 256))
    return fd, file.inode


def test_pages_and_calls_agree() -> None:
    task = FakeTask()
    fd, inode = opened(task, 2 * PAGE_SIZE + 100)
    ram, mapper = task.kernel.ram, Mapper()
    inode.add_mapping(mapper)
    frame = inode.page(1, write=True)
    ram.grab(frame)
    ram.write(frame, 5, b"through the mapping")
    assert b"through the mapping" in inode.read_at(PAGE_SIZE, 100)
    inode.write_at(PAGE_SIZE + 5, b"THROUGH")
    assert ram.read(frame, 5, 19) == b"THROUGH the mapping"
    with pytest.raises(EFAULT):
        inode.page(3)
    task.kernel.vfs.sync()
    assert inode.node.read(PAGE_SIZE + 5, 7) == b"THROUGH"
    assert task.kernel.vfs.shrink() == 0
    task.call(truncate.ftruncate, fd, PAGE_SIZE + 10)
    assert mapper.told == [2]
    assert ram.read(frame, 5, 19) == b"THROU" + bytes(14)
    task.call(truncate.ftruncate, fd, 3)
    assert mapper.told == [2, 1] and not inode.pages
    ram.drop(frame)
    free = ram.free_frames
    inode.page(0)
    assert task.kernel.vfs.shrink() == 1 and ram.free_frames == free


def test_unlinked_but_open_keeps_its_data() -> None:
    task = FakeTask()
    fd, inode = opened(task, 5000)
    inode.page(0)
    task.call(names.unlink, b"/tmp/f")
    assert task.call(readwrite.pread64, fd, BASE, 5000, 0) == 5000
    free = task.kernel.ram.free_frames
    task.call(open_calls.close, fd)
    assert task.kernel.ram.free_frames == free + 1
    assert task.kernel.vfs.disk.used_bytes == 0


def test_a_full_disk_and_a_busy_program() -> None:
    task = FakeTask()
    fd, inode = opened(task, 100)
    task.kernel.vfs.disk.capacity_bytes = 1000
    with pytest.raises(ENOSPC):
        task.call(readwrite.pwrite64, fd, BASE, 1000, 500)
    with pytest.raises(ETXTBSY):
        inode.deny_write()
    task.call(open_calls.close, fd)
    inode.deny_write()
    with pytest.raises(ETXTBSY):
        task.call(open_calls.open, b"/tmp/f", 2, 0)


@pytest.mark.parametrize(
    ("structs", "order", "word", "size_at", "width"),
    [
        (X86_32, "<", 4, 20, 4),
        (X86_64, "<", 8, 48, 8),
        (PPC32, ">", 4, 28, 4),
        (PPC64, ">", 8, 48, 8),
    ],
)
def test_stat_layouts(structs: Structs, order: str, word: int, size_at: int, width: int) -> None:
    task = FakeTask(FakeKernel(), structs, order, word)
    fd, _ = opened(task, 5000)
    task.call(stat.fstat, fd, BASE)
    raw = task.user.read(BASE + size_at, width)
    assert int.from_bytes(raw, "little" if order == "<" else "big") == 5000
    offset = {"<4": 44, "<8": 48, ">4": 48, ">8": 48}[order + str(word)]
    task.call(stat.fstatat64, fd, b"", BASE, 0x1000)
    raw = task.user.read(BASE + offset, 8)
    assert int.from_bytes(raw, "little" if order == "<" else "big") == 5000


def test_open_flags_differ_on_powerpc() -> None:
    task = FakeTask(FakeKernel(), PPC32, ">", 4)
    fd = task.call(open_calls.open, b"/tmp", 0o40000, 0)
    assert task.files.get(fd).inode.is_dir
    bits = PPC32.open_flags
    for flags in (0o40000, 0o100000, 0o200000, 0o400000, 0o740002):
        assert bits.to_user(bits.to_kernel(flags)) == flags
