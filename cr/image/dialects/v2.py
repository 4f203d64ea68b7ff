"""v2, 20 August 2008: the second mail. A RECONSTRUCTION, UNVERIFIED.

No full text of v2's structures is known: this is v6 with what is known of v2. The name of a process
is in TASK; an area says how many pages it has, in 16 bits, and all its addresses and pages follow
at once; a path is a STRING; what v6 calls objref is called tag. The numbers of the records are from
memory of the first posting.

Mirrors:  linux-cr v2 as its thread describes it.
"""

from __future__ import annotations

from typing import Annotated

from cr.image import types as t
from cr.image.dialects import cr_image, v13
from cr.image.dialects import cr_records as records
from cr.image.dialects.arch import x86_2008_one
from cr.image.dialects.cr_shape import CrVersion, Numbers
from cr.image.dialects.plain import PlainArea, PlainTask
from cr.image.dialects.probe import probe
from cr.image.dialects.shape import Converted, Dialect, Place
from cr.image.errors import ImageError
from cr.image.task import Task
from emu.layout import LITTLE, Bytes, Record, at, chars, hex32, hex64, record, s16, s32, u32, u64

PAGES_LIMIT = 0x7FFF


@record(size=40)
class TaskV2(Record):
    """A process with its name."""

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("0: it lives")
    exit_code: hex32 = at("0")
    exit_signal: u32 = at("signal to the parent")
    task_comm_len: s32 = at("bytes of the name", default=t.TASK_COMM_BYTES)
    comm: Annotated[bytes, chars(t.TASK_COMM_BYTES)] = at("its name")
    pad: u32 = at("alignment", default=0)


@record(size=56)
class VmaV2(Record):
    """A private area: then the path, then all addresses, then all pages."""

    how: u32 = at("1: of nothing; 2: of a file")
    pad: u32 = at("alignment", default=0)
    vm_start: hex64 = at("first address")
    vm_end: hex64 = at("address after the last")
    vm_page_prot: hex64 = at("never used")
    vm_flags: hex64 = at("VM_*")
    vm_pgoff: u64 = at("offset in the file, in pages")
    npages: s16 = at("how many pages follow")
    namelen: s16 = at("bytes of the path that follows, its zero too")
    pad_tail: u32 = at("alignment", default=0)

    def invalid(self) -> str | None:
        return "a negative length" if min(self.npages, self.namelen) < 0 else None


class _Writing(cr_image.Writing):
    """TASK and VMA are others."""

    def write_struct(self, task: PlainTask) -> None:
        record = TaskV2(
            state=task.record.state,
            exit_state=0,
            exit_code=0,
            exit_signal=task.record.exit_signal,
            comm=task.comm,
        )
        self._out.write(NUMBERS.task, record)

    def write_area(self, area: PlainArea) -> None:
        vma, pages = area.record, area.pages
        if vma.vma_type == t.VMA_VDSO:
            raise ImageError(0, "VMA", "v2 has no place for a vdso on this architecture")
        if len(pages) > PAGES_LIMIT:
            raise ImageError(0, "VMA", f"v2 has no place for more than {PAGES_LIMIT} pages")
        name = b"" if area.name is None else area.name + b"\0"
        record = VmaV2(
            how=records.VMA_ANON if area.name is None else records.VMA_FILE,
            vm_start=vma.vm_start,
            vm_end=vma.vm_end,
            vm_page_prot=vma.vm_page_prot,
            vm_flags=vma.vm_flags,
            vm_pgoff=vma.vm_pgoff,
            npages=len(pages),
            namelen=len(name),
        )
        self._out.write(NUMBERS.vma, record)
        if name:
            self._out.write_blob(NUMBERS.fname, name)
        self.write_pages(pages)


class _Reading(cr_image.Reading):
    """TASK and VMA are others."""

    def read_struct(self) -> tuple[Task, bytes]:
        found = self._in.read(NUMBERS.task, TaskV2)
        if found.task_comm_len != t.TASK_COMM_BYTES or b"\0" in found.comm:
            self._in.refuse(f"a name of {found.task_comm_len} bytes")
        older = records.Task(
            state=found.state,
            exit_state=found.exit_state,
            exit_code=found.exit_code,
            exit_signal=found.exit_signal,
            task_comm_len=found.task_comm_len,
        )
        return self.checked(older), found.comm[: t.TASK_COMM_BYTES - 1]

    def read_area(self) -> PlainArea:
        found = self._in.read(NUMBERS.vma, VmaV2)
        if (found.how == records.VMA_FILE) != bool(found.namelen):
            self._in.refuse(f"an area of kind {found.how} with {found.namelen} bytes of path")
        older = self._in.unpack(
            records.Vma,
            found.pack(self._in.order)[: records.Vma.SIZE],
        )
        name = self.read_name() if found.namelen else None
        if name is not None and len(name) + 1 != found.namelen:
            self._in.refuse(f"a path of {len(name)} bytes, not {found.namelen} with its zero")
        return self.area_of(older, name, list(self.pages_of(found.npages)))


NUMBERS = Numbers(string=2, fname=2, task=101, thread=102, cpu=103, mm_context=203, pgarr=0)
VERSION = CrVersion("v2", NUMBERS, (x86_2008_one.ARCH,), "it knows 32-bit x86 only")


def recognizes(image: Bytes) -> bool:
    """HEAD, and at once a TASK that has room for a name."""
    found = probe(image)
    if found is None or found.order != LITTLE:
        return False
    return found.cr_frames(2) == [(1, records.Head.SIZE), (NUMBERS.task, TaskV2.SIZE)]


def read(image: Bytes) -> bytes:
    """v2 -> native."""
    return cr_image.read(image, VERSION, _Reading)


def write(image: Bytes) -> Converted:
    """Native -> v2."""
    return cr_image.write(image, VERSION, _Writing)


def places(image: Bytes) -> list[Place]:
    """Where its records lie."""
    return cr_image.places(image, VERSION, _Reading)


DIALECT = Dialect(
    name="v2",
    title="v2, August 2008: a reconstruction, UNVERIFIED",
    recognizes=recognizes,
    read=read,
    write=write,
    places=places,
    frame_bits=16,
    records=(TaskV2, VmaV2),
    refuses=f"more than {PAGES_LIMIT} pages in one area; a second process; PowerPC; {v13.REFUSES}",
    defaults=f"no parent; {v13.DEFAULTS}",
)
