"""Memory: one MM, its areas, and the pages that only the image has.

Image grammar:

    mm     =  [ OBJREF exe ]  MM  BUFFER auxv  { vma }  MM_CONTEXT  { mm-unit }
    vma    =  [ OBJREF file ]  VMA  [ pages ]                   ; pages: ANON, FILE, SHM_ANON
    huge   =  HPAGE  BUFFER page
    pages  =  { PGARR n  BUFFER ( n addresses, n pages ) }  PGARR 0

Addresses (page indices, where the memory is shared) are words of the writing kernel: four bytes
on a 32-bit one. All addresses of a BUFFER come first, then all pages.

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_hdr_mm, ckpt_hdr_vma, ckpt_hdr_pgarr, ckpt_hdr_hpage.
Deviates: how the bytes of a huge page follow its HPAGE is not known; here it is one BUFFER.
"""

from cr.image.types import HDR_HPAGE, HDR_MM, HDR_PGARR, HDR_VMA, VMA_HUGETLB_SKIP, Framed
from emu.layout import at, hex64, record, s32, u16, u32, u64


@record(size=120)
class Mm(Framed):
    """The numbers of struct mm_struct."""

    TYPE = HDR_MM

    map_count: u32 = at("how many VMA records follow")
    exe_objref: s32 = at("object number of the executable; 0: none")
    def_flags: hex64 = at("VM_* that new areas get; only VM_LOCKED can be set")
    flags: hex64 = at("dump filter")
    start_code: hex64 = at("as in /proc/PID/stat")
    end_code: hex64 = at("as above")
    start_data: hex64 = at("as above")
    end_data: hex64 = at("as above")
    start_brk: hex64 = at("begin of the heap")
    brk: hex64 = at("end of the heap")
    start_stack: hex64 = at("stack pointer at execve()")
    arg_start: hex64 = at("the argument strings")
    arg_end: hex64 = at("end of the argument strings")
    env_start: hex64 = at("the environment strings")
    env_end: hex64 = at("end of the environment strings")

    def invalid(self) -> str | None:
        return None if self.exe_objref >= 0 else "exe_objref must not be negative"


@record(size=80)
class Vma(Framed):
    """One memory area."""

    TYPE = HDR_VMA

    vma_type: u32 = at("VMA_*")
    vma_objref: s32 = at("object number of the mapped file; 0: none")
    ino_objref: s32 = at("shared memory: number of its inode; 0: none")
    pad: u32 = at("zero", default=0, must_be=0)
    ino_size: u64 = at("shared memory: size of the whole inode in bytes")
    vm_start: hex64 = at("first address")
    vm_end: hex64 = at("address after the last")
    vm_page_prot: hex64 = at("page table protection of the writing kernel; never used")
    vm_flags: hex64 = at("VM_*")
    vm_pgoff: u64 = at("offset in the file, in pages")
    hugetlb_shift: u16 = at("huge pages: log2 of their size")
    pad_shift: u16 = at("zero", default=0, must_be=0)
    pad_tail: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if not 0 < self.vma_type <= VMA_HUGETLB_SKIP:
            return f"vma_type {self.vma_type} is none of VMA_*"
        if self.vma_objref < 0 or self.ino_objref < 0:
            return "object numbers must not be negative"
        if self.vm_start >= self.vm_end:
            return f"the area {self.vm_start:#x}-{self.vm_end:#x} is empty"
        return None


@record(size=16)
class PageArray(Framed):
    """A BUFFER with this many pages follows; zero ends the pages of an area."""

    TYPE = HDR_PGARR

    nr_pages: u64 = at("number of pages")


@record(size=24)
class HugePage(Framed):
    """One huge page; its contents follow."""

    TYPE = HDR_HPAGE

    vaddr_or_index: hex64 = at("address; where the memory is shared: page index")
    shift: u16 = at("log2 of its size")
    pad: u16 = at("zero", default=0, must_be=0)
    pad_tail: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if 12 < self.shift <= 30:
            return None
        return f"there are no huge pages of two to the {self.shift} bytes"
