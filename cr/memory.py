"""Checkpoint and restart of memory: the address space, its mappings, the pages only it has.

Image grammar:

    mm    =  [ OBJREF exe ]  MM  BUFFER auxv  { vma }  MM_CONTEXT  { mm-unit }  [ MM_EXTRA ]
    vma   =  [ OBJREF file ]  VMA  [ pages ]
    pages =  { PGARR n  BUFFER }  PGARR 0

What is written of a private mapping are the pages that were stored to. Pages that were only read
are the file's, or zero, and come back by themselves. Shared anonymous memory is written whole at
its first mapping; a shared file mapping is nothing but the file, a System V segment is in its
namespace (SHM_IPC_SKIP).

Mirrors:  linux-cr mm/checkpoint.c -- checkpoint_mm, private_vma_checkpoint,
          shmem_vma_checkpoint, restore_mm, generic_vma_restore, restore_memory_contents.
Deviates: the new address space is built aside; the original destroyed the caller's first.
Not modelled: huge pages: refused with ENOSYS.
"""

from __future__ import annotations

from dataclasses import fields
from stat import S_ISREG

from cr.arch.table import arch_of
from cr.context import Checkpoint, Restart
from cr.files import checkpoint_file
from cr.image import memory as image
from cr.image import types as t
from cr.image.watches import MmExtra
from kernel_model.abi.errno import EBUSY, ENODEV, ENOSYS, EPERM, LinuxError
from kernel_model.abi.limits import MMAP_MIN_ADDR
from kernel_model.exec import map_vdso_at
from kernel_model.ipc.shm import Segment
from kernel_model.mm.address_space import MAX_MAP_COUNT, AddressSpace, Layout
from kernel_model.mm.backing import SharedMemory, VdsoPage
from kernel_model.mm.vma import VM_GROWSDOWN, VM_LOCKED, VM_MAYWRITE, VM_SHARED, VM_WRITE, Vma
from kernel_model.syscalls.membarrier import REGISTRATIONS
from kernel_model.vfs.openfile import OpenFile

AT_VECTOR_SIZE = 44
PAGE_SHIFT = 12
PAGE_SIZE = t.PAGE_SIZE
PAGE_MASK = PAGE_SIZE - 1
_KNOWN_FLAGS = 0x0FFFFFFF
_REFUSED_FLAGS = 0x00004000 | 0x00400000 | 0x00800000 | 0x10000000  # IO HUGETLB NONLINEAR MIXEDMAP
_LAYOUT = tuple(field.name for field in fields(Layout))


# ---- checkpoint


def checkpoint_mm(ctx: Checkpoint, mm: AddressSpace) -> None:
    """Write an address space."""
    exe = 0
    if mm.exe is not None:
        exe = ctx.write_object(t.OBJ_FILE, mm.exe, checkpoint_file)
    layout = {name: getattr(mm.layout, name) for name in _LAYOUT}
    record = image.Mm(
        map_count=len(mm.vmas),
        exe_objref=exe,
        def_flags=mm.def_flags,
        flags=mm.flags,
        **layout,
    )
    ctx.image.write(t.HDR_MM, record)
    auxv = (mm.auxv + (0,) * AT_VECTOR_SIZE)[:AT_VECTOR_SIZE]
    order = ctx.kernel.abis[0].byte_order
    ctx.image.write_blob(t.HDR_BUFFER, b"".join(word.to_bytes(8, order) for word in auxv))
    for vma in mm.vmas:
        _checkpoint_vma(ctx, mm, vma)
    arch_of(ctx.kernel).checkpoint_mm_context(ctx, mm)
    if mm.barriers and not ctx.pure:
        ctx.image.write(t.HDR_MM_EXTRA, MmExtra(barriers=mm.barriers))


def _checkpoint_vma(ctx: Checkpoint, mm: AddressSpace, vma: Vma) -> None:
    kind, ino_objref, ino_size, first = _classify(ctx, vma)
    file_objref = 0
    if vma.file is not None:
        file_objref = ctx.write_object(t.OBJ_FILE, vma.file, checkpoint_file)
    record = image.Vma(
        vma_type=kind,
        vma_objref=file_objref,
        ino_objref=ino_objref,
        ino_size=ino_size,
        vm_start=vma.start,
        vm_end=vma.end,
        vm_page_prot=0,
        vm_flags=vma.flags,
        vm_pgoff=vma.offset if vma.backing is not None else vma.start >> PAGE_SHIFT,
        hugetlb_shift=0,
    )
    ctx.image.write(t.HDR_VMA, record)
    if kind in (t.VMA_ANON, t.VMA_FILE):
        pages = mm.resident_private(vma)
        _write_pages(ctx, mm, [(page_no << PAGE_SHIFT, frame) for page_no, frame in pages])
    elif kind == t.VMA_SHM_ANON and first:
        assert isinstance(vma.backing, SharedMemory)
        _write_pages(ctx, mm, sorted(vma.backing.pages.items()))


def _classify(ctx: Checkpoint, vma: Vma) -> tuple[int, int, int, bool]:
    backing = vma.backing
    if vma.flags & _REFUSED_FLAGS:
        ctx.refuse(ENOSYS, f"a mapping at {vma.start:#x} has flags {vma.flags:#x}")
    if isinstance(backing, VdsoPage):
        return t.VMA_VDSO, 0, 0, False
    if isinstance(backing, Segment):
        objref, first = ctx.objs.intern(backing)
        if first:
            ctx.refuse(EBUSY, f"the segment at {vma.start:#x} is in no namespace of the container")
        return t.VMA_SHM_IPC_SKIP, objref, backing.page_count << PAGE_SHIFT, False
    if isinstance(backing, SharedMemory):
        objref, first = ctx.objs.intern(backing)
        kind = t.VMA_SHM_ANON if first else t.VMA_SHM_ANON_SKIP
        return kind, objref, backing.page_count << PAGE_SHIFT, first
    if backing is None:
        return t.VMA_ANON, 0, 0, False
    return t.VMA_SHM_FILE if vma.flags & VM_SHARED else t.VMA_FILE, 0, 0, False


def _write_pages(ctx: Checkpoint, mm: AddressSpace, pages: list[tuple[int, int]]) -> None:
    """(address or index, frame) pairs."""
    if pages:
        contents = mm.contents([frame for _, frame in pages])
        word_bytes = ctx.kernel.abis[0].word_bytes
        ctx.image.write_pages([address for address, _ in pages], contents, word_bytes)
    ctx.image.end_pages()


# ---- restart


def restore_mm(ctx: Restart) -> AddressSpace:
    """Build an address space aside."""
    record = ctx.image.read(t.HDR_MM, image.Mm)
    if record.map_count > MAX_MAP_COUNT:
        ctx.refuse(f"{record.map_count} mappings are more than {MAX_MAP_COUNT}")
    if record.def_flags & ~VM_LOCKED:
        ctx.refuse(f"new mappings cannot have the flags {record.def_flags:#x}")
    mm: AddressSpace = ctx.attempt(
        lambda: ctx.kernel.new_address_space(ctx.abi, ctx.opener.stack_limit)
    )
    try:
        _fill_mm(ctx, mm, record)
    except BaseException:
        mm.drop()
        raise
    return mm


def _fill_mm(ctx: Restart, mm: AddressSpace, record: image.Mm) -> None:
    mm.layout = Layout(**{name: getattr(record, name) for name in _LAYOUT})
    if max(getattr(mm.layout, name) for name in _LAYOUT) > mm.task_size:
        ctx.refuse("the layout lies outside of user space")
    mm.def_flags, mm.flags = record.def_flags, record.flags
    raw = ctx.image.read_exact(t.HDR_BUFFER, 8 * AT_VECTOR_SIZE)
    order = ctx.abi.byte_order
    words = tuple(int.from_bytes(raw[k : k + 8], order) for k in range(0, len(raw), 8))
    last = next((k for k in range(0, AT_VECTOR_SIZE, 2) if not words[k]), AT_VECTOR_SIZE - 2)
    mm.auxv = (*words[:last], 0, 0)
    if record.exe_objref:
        program = ctx.objs.fetch(ctx, record.exe_objref, t.OBJ_FILE, OpenFile)
        if not S_ISREG(program.inode.mode):
            ctx.refuse("the program is no regular file")
        ctx.attempt(lambda: mm.execute(program))
        program.grab()
    for _ in range(record.map_count):
        _restore_vma(ctx, mm)
    arch_of(ctx.kernel).restore_mm_context(ctx, mm)
    if ctx.image.peek() == t.HDR_MM_EXTRA:
        mm.barriers = ctx.image.read(t.HDR_MM_EXTRA, MmExtra).barriers
        if mm.barriers & ~REGISTRATIONS:
            ctx.refuse(f"membarrier was registered for {mm.barriers:#x}")


def _restore_vma(ctx: Restart, mm: AddressSpace) -> None:
    record = ctx.image.read(t.HDR_VMA, image.Vma)
    start, end = record.vm_start, record.vm_end
    if start & PAGE_MASK or end & PAGE_MASK or end > mm.task_size:
        ctx.refuse(f"the mapping {start:#x}-{end:#x} is not made of user pages")
    if start < MMAP_MIN_ADDR and not ctx.opener.cred.cap("CAP_SYS_RAWIO"):
        ctx.refuse(f"a mapping at {start:#x} needs CAP_SYS_RAWIO", errno=EPERM.errno)
    if mm.overlapping(start, end):
        ctx.refuse(f"the mapping {start:#x}-{end:#x} overlaps another one")
    if record.vm_flags & ~_KNOWN_FLAGS or record.vm_flags & _REFUSED_FLAGS:
        ctx.refuse(f"a mapping with flags {record.vm_flags:#x}", errno=ENOSYS.errno)
    restore = _RESTORE.get(record.vma_type)
    if restore is None:
        ctx.refuse(f"mappings of type {record.vma_type} are not modelled", errno=ENOSYS.errno)
    restore(ctx, mm, record)


def _restore_anon(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    if record.vma_objref or record.vm_flags & VM_SHARED:
        ctx.refuse("private memory is neither a file nor shared")
    vma = mm.insert(Vma(record.vm_start, record.vm_end, record.vm_flags), join=False)
    _restore_private_pages(ctx, mm, vma)


def _mapped_file(ctx: Restart, record: image.Vma) -> OpenFile:
    file = ctx.objs.fetch(ctx, record.vma_objref, t.OBJ_FILE, OpenFile)
    if not file.may_read:
        ctx.refuse("a mapped file is not open for reading")
    return file


def _file_vma(ctx: Restart, record: image.Vma, file: OpenFile) -> Vma:
    backing = ctx.attempt(file.mmap_inode)
    if record.vm_pgoff > 1 << 51:
        ctx.refuse("a mapping behind the largest offset", errno=ENODEV.errno)
    if record.vm_flags & VM_GROWSDOWN:
        ctx.refuse("a file mapping does not grow")
    return Vma(record.vm_start, record.vm_end, record.vm_flags, record.vm_pgoff, backing, file)


def _restore_file(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    if record.vm_flags & VM_SHARED:
        ctx.refuse("a private file mapping is marked shared")
    vma = mm.insert(_file_vma(ctx, record, _mapped_file(ctx, record)), join=False)
    _restore_private_pages(ctx, mm, vma)


def _restore_shared_file(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    file = _mapped_file(ctx, record)
    if not record.vm_flags & VM_SHARED:
        ctx.refuse("a shared file mapping is not marked shared")
    if not file.may_write:
        ctx.refuse("a file mapped shared and writable is open for reading only")
    mm.insert(_file_vma(ctx, record, file), join=False)


def _shared_memory(ctx: Restart, record: image.Vma) -> SharedMemory:
    if not record.vm_flags & VM_SHARED:
        ctx.refuse("shared memory is not marked shared")
    return ctx.objs.fetch(ctx, record.ino_objref, t.OBJ_INODE, SharedMemory)


def _insert_shared(ctx: Restart, mm: AddressSpace, record: image.Vma) -> SharedMemory:
    memory = _shared_memory(ctx, record)
    vma = Vma(record.vm_start, record.vm_end, record.vm_flags, record.vm_pgoff, memory)
    mm.insert(vma, join=False)
    return memory


def _restore_shared(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    if record.ino_size & PAGE_MASK or record.ino_size >> PAGE_SHIFT > 1 << 36:
        ctx.refuse(f"shared memory of {record.ino_size} bytes")
    memory = SharedMemory(ctx.kernel.ram, record.ino_size >> PAGE_SHIFT)
    memory.add_mapping(mm)
    drop = _SharedDrop(memory, mm)
    ctx.objs.insert(ctx, record.ino_objref, t.OBJ_INODE, memory, drop)
    _insert_shared(ctx, mm, record)
    while (pages := ctx.image.read_pages()) is not None:
        for index, content in pages:
            if index >= memory.page_count:
                ctx.refuse(f"page {index} lies behind the end of its shared memory")
            try:
                memory.place_page(index, content)
            except LinuxError as full:
                ctx.refuse(str(full), errno=full.errno)


class _SharedDrop:
    """Lets go of the object table's user of shared memory."""

    def __init__(self, memory: SharedMemory, mm: AddressSpace) -> None:
        self._memory, self._mm = memory, mm

    def __call__(self) -> None:
        self._memory.remove_mapping(self._mm)


def _restore_shared_again(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    _insert_shared(ctx, mm, record)


def _restore_segment(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    segment = ctx.objs.fetch(ctx, record.ino_objref, t.OBJ_INODE, Segment)
    flags = record.vm_flags
    if not flags & VM_SHARED and flags & (VM_WRITE | VM_MAYWRITE):
        ctx.refuse("a private mapping of a segment")
    last = record.vm_pgoff + ((record.vm_end - record.vm_start) >> PAGE_SHIFT)
    if last > segment.page_count + (1 << 20):
        ctx.refuse("a mapping far behind the end of its segment")
    mm.insert(Vma(record.vm_start, record.vm_end, flags, record.vm_pgoff, segment), join=False)


def _refuse_segment(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    ctx.refuse("a segment's memory is in its namespace, not with a mapping")


def _restore_vdso(ctx: Restart, mm: AddressSpace, record: image.Vma) -> None:
    if not ctx.abi.vdso or record.vm_end - record.vm_start != PAGE_SIZE:
        ctx.refuse("this kernel has no such vdso")
    map_vdso_at(ctx.kernel, mm, ctx.abi, record.vm_start)


_RESTORE = {
    t.VMA_ANON: _restore_anon,
    t.VMA_FILE: _restore_file,
    t.VMA_SHM_FILE: _restore_shared_file,
    t.VMA_SHM_ANON: _restore_shared,
    t.VMA_SHM_ANON_SKIP: _restore_shared_again,
    t.VMA_SHM_IPC: _refuse_segment,
    t.VMA_SHM_IPC_SKIP: _restore_segment,
    t.VMA_VDSO: _restore_vdso,
}


def _restore_private_pages(ctx: Restart, mm: AddressSpace, vma: Vma) -> None:
    first, last = vma.first_page, vma.last_page
    previous = first - 1
    while (pages := ctx.image.read_pages()) is not None:
        numbers = []
        for address in pages.addresses:
            page_no = address >> PAGE_SHIFT
            if address & PAGE_MASK or not previous < page_no < last:
                ctx.refuse(f"page {address:#x} is not in its mapping, or out of order")
            numbers.append(page_no)
            previous = page_no
        try:
            mm.place_pages(vma, numbers, pages.content)
        except LinuxError as full:
            ctx.refuse(str(full), errno=full.errno)
