"""System calls that change an address space.

Mirrors: Linux mm/mmap.c, mm/mprotect.c, mm/mremap.c, mm/madvise.c, mm/mincore.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.memory import PAGE_MASK, PAGE_SHIFT, OutOfFrames
from emu.pagetable import OutOfNodes
from kernel_model.abi.errno import (
    EACCES,
    EFAULT,
    EINVAL,
    ENOMEM,
    EOVERFLOW,
    EPERM,
)
from kernel_model.abi.limits import MMAP_MIN_ADDR, RLIMIT_DATA
from kernel_model.abi.mount import MS_NOEXEC
from kernel_model.mm.address_space import AddressSpace, check_aligned, page_up
from kernel_model.mm.backing import Backing, SharedMemory
from kernel_model.mm.vma import (
    VM_ACCESS,
    VM_ACCOUNT,
    VM_DONTCOPY,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_LOCKED,
    VM_MAYEXEC,
    VM_MAYREAD,
    VM_MAYSHARE,
    VM_MAYWRITE,
    VM_SHARED,
    VM_WRITE,
    Vma,
)
from kernel_model.syscalls.declare import Flags, Int, Ptr, Size, syscall
from kernel_model.vfs.devices import ZeroFile
from kernel_model.vfs.inode import F_SEAL_WRITE
from kernel_model.vfs.openfile import OpenFile

if TYPE_CHECKING:
    from kernel_model.task import Task

MAP_SHARED, MAP_PRIVATE, MAP_TYPE, MAP_FIXED, MAP_ANONYMOUS = 1, 2, 0xF, 0x10, 0x20
MAP_GROWSDOWN = 0x100
MAP_HUGETLB = 0x40000
_MAY_ALL = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
PROT_SEM = 8  # for atomic operations: no processor here needs telling
PROT_GROWSDOWN, PROT_GROWSUP = 0x01000000, 0x02000000
MREMAP_MAYMOVE, MREMAP_FIXED = 1, 2
_MADV_DONTNEED, _MADV_DONTFORK, _MADV_DOFORK = 4, 10, 11
_MADV_HINTS = {0, 1, 2, 3, 12, 13, 14, 15, 16, 17}


@syscall()
def brk(task: Task, addr: Ptr) -> int:
    """Move the end of the heap; the end as it then is, whether moved or not."""
    assert task.mm is not None
    layout, limit = task.mm.layout, task.signal.rlimits[RLIMIT_DATA][0]
    if addr - layout.start_brk + layout.end_data - layout.start_data > limit:
        return layout.brk
    return task.mm.set_brk(addr)


def map_memory(
    task: Task, addr: int, length: int, prot: int, flags: int, fd: int, page_offset: int
) -> int:
    """What every mmap does; `page_offset` is in pages."""
    mm = task.mm
    assert mm is not None
    file = None if flags & MAP_ANONYMOUS else task.files.get(fd)
    if not length:
        raise EINVAL("a mapping of no bytes")
    size = page_up(length)
    if size > mm.task_size:
        raise ENOMEM(f"{length} bytes do not fit in the address space")
    if flags & MAP_TYPE not in (MAP_SHARED, MAP_PRIVATE):
        raise EINVAL("neither MAP_SHARED nor MAP_PRIVATE")
    if flags & MAP_HUGETLB and flags & MAP_ANONYMOUS:
        raise ENOMEM("no huge pages are set aside")
    if file is not None and flags & MAP_GROWSDOWN:
        raise EINVAL("a file does not grow downwards")
    vm_flags = (prot & VM_ACCESS) | _MAY_ALL | mm.def_flags
    shared = flags & MAP_TYPE == MAP_SHARED
    backing: Backing | None = None
    if file is not None:
        if page_offset + (size >> PAGE_SHIFT) > 1 << 52:
            raise EOVERFLOW("the mapping ends beyond the largest offset")
        vm_flags = _file_flags(file, prot, vm_flags, shared)
        if isinstance(file, ZeroFile):
            file = None
        else:
            backing = file.mmap_inode()
    elif shared:
        vm_flags |= VM_SHARED | VM_MAYSHARE
    if file is None and shared:
        page_offset = 0
    if flags & MAP_FIXED:
        check_aligned(addr)
        if addr + size > mm.task_size:
            raise ENOMEM("the mapping ends behind user space")
        if addr < MMAP_MIN_ADDR and not task.cred.cap("CAP_SYS_RAWIO"):
            raise EPERM("the first page cannot be mapped")
        replaced = sum(
            min(v.end, addr + size) - max(v.start, addr) for v in mm.overlapping(addr, addr + size)
        )
        _check_limit(mm, size - replaced)
        mm.unmap(addr, addr + size)
    else:
        hint = page_up(addr) if addr >= MMAP_MIN_ADDR else 0
        addr = mm.find_gap(size, hint) if hint else _free_range(task, mm, size)
        _check_limit(mm, size)
    if file is None and shared:
        backing = SharedMemory(mm.ram, size >> PAGE_SHIFT)
    if flags & MAP_GROWSDOWN and backing is None:
        vm_flags |= VM_GROWSDOWN
    if vm_flags & VM_WRITE and not shared:
        vm_flags |= VM_ACCOUNT
    offset = page_offset if backing is not None else 0
    mm.insert(Vma(addr, addr + size, vm_flags, offset, backing, file))
    return addr


def _free_range(task: Task, mm: AddressSpace, size: int) -> int:
    """Where a mapping goes that may go anywhere: the highest gap, or by chance a bit lower."""
    addr = mm.find_gap(size)
    lower = addr - task.kernel.chaos.pages_down(task)
    return lower if lower > MMAP_MIN_ADDR and not mm.overlapping(lower, addr) else addr


def _file_flags(file: OpenFile, prot: int, vm_flags: int, shared: bool) -> int:
    if not file.may_read:
        raise EACCES("a mapped file must be open for reading")
    if file.path is not None and file.path.mount.flags & MS_NOEXEC:
        if prot & VM_EXEC:
            raise EPERM("nothing is executed on a mount with noexec")
        vm_flags &= ~VM_MAYEXEC
    if shared:
        if prot & VM_WRITE and not file.may_write:
            raise EACCES("a file mapped shared and writable must be open for writing")
        vm_flags |= VM_SHARED | VM_MAYSHARE
        if not file.may_write:
            vm_flags &= ~(VM_MAYWRITE | VM_SHARED)
        if file.inode.seals and file.inode.seals & F_SEAL_WRITE:
            if prot & VM_WRITE:
                raise EPERM("the file is sealed against writing")
            vm_flags &= ~VM_MAYWRITE
    return vm_flags


def _check_limit(mm: AddressSpace, more_bytes: int) -> None:
    if mm.limit_bytes is not None and mm.total_bytes + more_bytes > mm.limit_bytes:
        raise ENOMEM("RLIMIT_AS")


@syscall()
def mmap(
    task: Task, addr: Ptr, length: Size, prot: Flags, flags: Flags, fd: Int, offset: Size
) -> int:
    """Map a file or memory; `offset` in bytes."""
    check_aligned(offset)
    return map_memory(task, addr, length, prot, flags, fd, offset >> PAGE_SHIFT)


@syscall()
def mmap2(
    task: Task, addr: Ptr, length: Size, prot: Flags, flags: Flags, fd: Int, offset: Size
) -> int:
    """Map a file or memory; `offset` in units of 4096 bytes."""
    return map_memory(task, addr, length, prot, flags, fd, offset)


@syscall()
def munmap(task: Task, addr: Ptr, length: Size) -> int:
    """Unmap a range; what is not mapped there is no error."""
    mm = task.mm
    assert mm is not None
    check_aligned(addr)
    if not length or addr > mm.task_size or length > mm.task_size - addr:
        raise EINVAL("no such range in user space")
    mm.unmap(addr, addr + page_up(length))
    return 0


def hole_in(mm: AddressSpace, start: int, end: int) -> int:
    """Where the first hole of a range begins; `end` if there is none."""
    at = start
    for vma in mm.overlapping(start, end):
        if vma.start > at:
            break
        at = vma.end
    return min(at, end)


def whole_range(mm: AddressSpace, start: int, end: int) -> list[Vma]:
    """The mappings of a range without holes. Raises ENOMEM."""
    hole = hole_in(mm, start, end)
    if hole < end:
        raise ENOMEM(f"nothing is mapped at {hole:#x}")
    return mm.overlapping(start, end)


def range_end(task: Task, addr: int, length: int) -> int:
    """Behind the last page of a range, a word of the kernel: it may have come round."""
    mask = (1 << 8 * task.kernel.abis[0].word_bytes) - 1
    return (addr + page_up(length)) & mask


@syscall()
def mprotect(task: Task, addr: Ptr, length: Size, prot: Flags) -> int:
    """Change the rights of a range."""
    mm = task.mm
    assert mm is not None
    check_aligned(addr)
    if prot & PROT_GROWSDOWN and prot & PROT_GROWSUP:
        raise EINVAL("it can grow only one way")
    if not length:
        return 0
    end = range_end(task, addr, length)
    if end <= addr:
        raise ENOMEM("the range begins again at 0")
    if prot & ~(VM_ACCESS | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP):
        raise EINVAL(f"unknown protection bits in {prot:#x}")
    if prot & PROT_GROWSDOWN:
        vma = mm.find(addr)
        if vma is None or not vma.flags & VM_GROWSDOWN:
            raise EINVAL("PROT_GROWSDOWN for what does not grow")
        addr = vma.start
    hole = hole_in(mm, addr, end)
    for vma in mm.overlapping(addr, hole):
        if prot & VM_ACCESS & ~(vma.flags >> 4):
            raise EACCES("the file was not opened for that")
        mm.protect(max(addr, vma.start), min(hole, vma.end), prot & VM_ACCESS)
    if hole < end:
        raise ENOMEM(f"nothing is mapped at {hole:#x}")
    return 0


@syscall()
def mremap(
    task: Task, old_addr: Ptr, old_length: Size, new_length: Size, flags: Flags, new_addr: Ptr
) -> int:
    """Shrink, grow or move a mapping."""
    mm = task.mm
    assert mm is not None
    if flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED) or flags == MREMAP_FIXED:
        raise EINVAL("unknown mremap flags, or MREMAP_FIXED without MREMAP_MAYMOVE")
    check_aligned(old_addr)
    old_size, new_size = page_up(old_length), range_end(task, 0, new_length)
    if old_size > max(new_size, mm.task_size - old_addr):
        raise EINVAL("the old range is not in user space")
    if not new_size:
        raise EINVAL("a mapping of no bytes")
    if new_size > mm.task_size:
        raise ENOMEM("longer than user space")
    if flags & MREMAP_FIXED:
        check_aligned(new_addr)
        if new_addr + new_size > mm.task_size:
            raise EINVAL("the new place is not in user space")
        if new_addr < old_addr + old_size and old_addr < new_addr + new_size:
            raise EINVAL("the old and the new place overlap")
        mm.unmap(new_addr, new_addr + new_size)
    if old_size >= new_size:
        if old_size > new_size:
            mm.unmap(old_addr + new_size, old_addr + old_size)
        if not flags & MREMAP_FIXED:
            return old_addr
        old_size = new_size
    return _grow_or_move(mm, old_addr, old_size, new_size, flags, new_addr)


def _grow_or_move(
    mm: AddressSpace, old_addr: int, old_size: int, new_size: int, flags: int, new_addr: int
) -> int:
    vma = mm.find(old_addr)
    if vma is None or old_addr + old_size > vma.end:
        raise EFAULT("the old range is not one mapping")
    if not old_size:
        return _duplicate(mm, vma, old_addr, new_size, flags, new_addr)
    _check_limit(mm, new_size - old_size)
    old_end, new_end = old_addr + old_size, old_addr + new_size
    if not flags & MREMAP_FIXED and old_end == vma.end:
        if new_end <= mm.task_size and not mm.overlapping(old_end, new_end):
            tail = vma.piece(old_addr, old_end)
            tail.offset = vma.page_offset(old_end >> PAGE_SHIFT) if vma.backing else 0
            tail.start, tail.end = old_end, new_end
            mm.insert(tail)
            return old_addr
    if not flags & MREMAP_MAYMOVE:
        raise ENOMEM("no room to grow in place")
    mm.split(old_addr)
    mm.split(old_end)
    vma = mm.find(old_addr)
    assert vma is not None
    target = new_addr if flags & MREMAP_FIXED else mm.find_gap(new_size)
    try:
        mm.move(vma, target, new_size)
    except (OutOfFrames, OutOfNodes) as full:
        raise ENOMEM(str(full)) from full
    return target


def _duplicate(
    mm: AddressSpace, vma: Vma, old_addr: int, new_size: int, flags: int, new_addr: int
) -> int:
    """An old size of 0 leaves the old mapping and shows the same shared pages once more."""
    if not vma.shared or not flags & MREMAP_MAYMOVE:
        raise EINVAL("only a shared mapping can be duplicated")
    _check_limit(mm, new_size)
    target = new_addr if flags & MREMAP_FIXED else mm.find_gap(new_size)
    twin = vma.piece(old_addr & ~PAGE_MASK, vma.end)
    twin.start, twin.end = target, target + new_size
    mm.insert(twin)
    return target


@syscall(partial="hints are accepted and change nothing; MADV_REMOVE and the like are refused")
def madvise(task: Task, addr: Ptr, length: Size, advice: Int) -> int:
    """Advice about a range; DONTNEED drops its pages, DONTFORK and DOFORK change inheritance."""
    mm = task.mm
    assert mm is not None
    check_aligned(addr)
    end = addr + page_up(length)
    if end < addr or end > mm.task_size:
        raise EINVAL("the range ends behind user space")
    if advice not in _MADV_HINTS | {_MADV_DONTNEED, _MADV_DONTFORK, _MADV_DOFORK}:
        raise EINVAL(f"advice {advice} is unknown")
    if end == addr:
        return 0
    if advice in (_MADV_DONTFORK, _MADV_DOFORK):
        whole_range(mm, addr, end)
        mm.split(addr)
        mm.split(end)
    for vma in mm.overlapping(addr, end):
        if advice == _MADV_DONTNEED:
            if vma.flags & VM_LOCKED:
                raise EINVAL("the range is locked")
            low, high = max(addr, vma.start), min(end, vma.end)
            mm.zap(low >> PAGE_SHIFT, high >> PAGE_SHIFT)
        elif advice == _MADV_DONTFORK:
            vma.flags |= VM_DONTCOPY
        elif advice == _MADV_DOFORK:
            vma.flags &= ~VM_DONTCOPY
    whole_range(mm, addr, end)
    return 0


@syscall()
def mincore(task: Task, addr: Ptr, length: Size, vector: Ptr) -> int:
    """Tell which pages are in memory: a byte each."""
    mm = task.mm
    assert mm is not None
    check_aligned(addr)
    end = addr + page_up(length)
    if end > mm.task_size:
        raise ENOMEM("the range ends behind user space")
    task.user.check_range(vector, (end - addr) >> PAGE_SHIFT)
    whole_range(mm, addr, end)
    pages = range(addr >> PAGE_SHIFT, end >> PAGE_SHIFT)
    task.user.write(vector, bytes(1 if mm.table.get(page_no) else 0 for page_no in pages))
    return 0


@syscall()
def msync(task: Task, addr: Ptr, length: Size, flags: Flags) -> int:
    """Bring stores through shared mappings to their files."""
    mm = task.mm
    assert mm is not None
    check_aligned(addr)
    if flags & ~7 or flags & 5 == 5:
        raise EINVAL(f"msync flags {flags:#x}")
    end = range_end(task, addr, length)
    if end < addr:
        raise ENOMEM("the range begins again at 0")
    for vma in whole_range(mm, addr, end) if end > addr else []:
        if vma.shared and vma.file is not None:
            vma.file.inode.sync()
    return 0
