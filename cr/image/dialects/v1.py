"""v1, 30 July 2008: the first mail. One process, its memory and its registers; no files.

The records of memory are known: they had no alignment of their own, so they are what gcc makes of
them on i386, where a u64 is aligned to four bytes. Those of the process and of its registers are
not: TASK is v2's, THREAD and CPU are v6's, HEAD is v6's without the names of the kernel, which came
with v2. ALL OF THESE ARE UNVERIFIED, and so are the numbers of the records (v2's) and that
CR_VERSION was 1.

Open files were not saved: whoever called restart() kept its own. So the console as descriptors 0 to
2, which a first process is born with, is left out and comes back; any other descriptor is refused.

Image grammar:

    image  =  HEAD  TASK  mm  THREAD  tls  CPU  TAIL
    mm     =  MM  { VMA  [ STRING path ]  addresses  pages }  MM_CONTEXT  [ ldt ]

Mirrors:  Oren Laadan, "kernel-based memory checkpoint/restart", v1.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from cr.image import memory as native
from cr.image import types as t
from cr.image.dialects import cr_image, plain, v2
from cr.image.dialects import cr_records as records
from cr.image.dialects.arch import x86_2008_first as first
from cr.image.dialects.cr_shape import CrVersion
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import PlainArea, PlainDescriptor, PlainFile, PlainImage, PlainMemory
from cr.image.dialects.plain_native import native_of
from cr.image.dialects.plain_taken import plain_of
from cr.image.dialects.probe import probe
from cr.image.dialects.shape import Converted, Dialect, Place
from cr.image.errors import ImageError
from cr.image.task import Task
from cr.image.types import HEADER_MAGIC
from emu.layout import (
    LITTLE,
    Bytes,
    LayoutError,
    Record,
    at,
    chars,
    hex32,
    hex64,
    record,
    s16,
    s32,
    u16,
    u32,
    u64,
)

CR_VERSION = 1
FIRST = 1
"""What a tag says when an object is met for the first time."""
NUMBERS = v2.NUMBERS
VERSION = CrVersion("v1", NUMBERS, (first.ARCH,), "it knows 32-bit x86 only")
CONSOLE = "descriptors 0, 1 and 2: the console's, as a first process has them"
CONSOLE_FILES = {
    1: PlainFile(b"/dev/console.in", 1, 0, 0, 0),
    2: PlainFile(b"/dev/console.out", 2, 1, 0, 0),
    3: PlainFile(b"/dev/console.err", 2, 1, 0, 0),
}
CONSOLE_DESCRIPTORS = tuple(PlainDescriptor(fd, False, fd + 1) for fd in range(3))


@record(size=32)
class HeadV1(Record):
    """First record of an image: no names of the kernel yet."""

    magic: hex64 = at("the magic that all dialects share", default=HEADER_MAGIC)
    major: u16 = at("kernel version, first number")
    minor: u16 = at("kernel version, second number")
    patch: u16 = at("kernel version, third number")
    rev: u16 = at("CR_VERSION", default=CR_VERSION, must_be=CR_VERSION)
    time: u64 = at("seconds since the epoch when the checkpoint was taken")
    flags: u64 = at("1: a checkpoint", default=records.CTX_CKPT, must_be=records.CTX_CKPT)


@record(size=36)
class TaskV1(Record):
    """A process with its name."""

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("0: it lives")
    exit_code: hex32 = at("0")
    exit_signal: u32 = at("signal to the parent")
    task_comm_len: s32 = at("bytes of the name", default=t.TASK_COMM_BYTES)
    comm: Annotated[bytes, chars(t.TASK_COMM_BYTES)] = at("its name")


@record(size=96)
class MmV1(Record):
    """An address space."""

    tag: u32 = at("1: met for the first time", default=FIRST, must_be=FIRST)
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
    map_count: s16 = at("how many areas follow")
    pad: u16 = at("alignment", default=0)

    def invalid(self) -> str | None:
        return "a negative number of areas" if self.map_count < 0 else None


@record(size=48)
class VmaV1(Record):
    """A private area: then the path, then all addresses, then all pages."""

    how: u32 = at("1: of nothing; 2: of a file")
    vm_start: hex64 = at("first address")
    vm_end: hex64 = at("address after the last")
    vm_page_prot: hex64 = at("never used")
    vm_flags: hex64 = at("VM_*")
    vm_pgoff: u64 = at("offset in the file, in pages")
    npages: s16 = at("how many pages follow")
    namelen: s16 = at("bytes of the path that follows, its zero too")

    def invalid(self) -> str | None:
        return "a negative length" if min(self.npages, self.namelen) < 0 else None


class _Writer(CrWriter):
    """Every frame has the number of the process."""

    pid = 0

    def write_blob(self, type_no: int, content: Bytes, parent: int = 0) -> None:
        super().write_blob(type_no, content, self.pid)


class _Reader(CrReader):
    """Every frame has the number of the process, which the first one tells."""

    pid = 0

    def read_blob(self, type_no: int, parent: int | None = 0) -> memoryview:
        if not self.position:
            self.pid = self.parent_of_next()
        return super().read_blob(type_no, self.pid)


class _Writing(cr_image.Writing):
    """Other records, and no files."""

    def image(self) -> None:
        out, (task,), header = self._out, self._image.tasks, self._image.header
        head = HeadV1(major=header.major, minor=header.minor, patch=header.patch, time=header.time)
        out.write(NUMBERS.head, head)
        record = TaskV1(
            state=task.record.state,
            exit_state=0,
            exit_code=0,
            exit_signal=task.record.exit_signal,
            comm=task.comm,
        )
        out.write(NUMBERS.task, record)
        memory = task.memory
        layout = {name: getattr(memory.record, name) for name in cr_image.LAYOUT}
        out.write(NUMBERS.mm, MmV1(map_count=len(memory.areas), **layout))
        for area in memory.areas:
            self.write_area(area)
        self._arch.write_context(out, NUMBERS, memory)
        self._arch.write_state(out, NUMBERS, self._image, task)
        out.write(NUMBERS.tail, records.Tail())

    def write_area(self, area: PlainArea) -> None:
        vma, pages = area.record, area.pages
        if vma.vma_type == t.VMA_VDSO:
            raise ImageError(0, "VMA", "v1 has no place for a vdso on this architecture")
        if len(pages) > v2.PAGES_LIMIT:
            raise ImageError(0, "VMA", f"v1 has no place for more than {v2.PAGES_LIMIT} pages")
        name = b"" if area.name is None else area.name + b"\0"
        record = VmaV1(
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
            self._out.write_blob(NUMBERS.string, name)
        self.write_pages(pages)


class _Reading(cr_image.Reading):
    """Other records, and no files."""

    def image(self) -> PlainImage:
        source = self._in
        assert isinstance(source, _Reader)
        head = source.read(NUMBERS.head, HeadV1)
        if not 0 < source.pid < 1 << 22:
            source.refuse(f"there is no process {source.pid}")
        self._arch, self._format = first.ARCH, first.FORMAT
        source.task = 0
        record, comm = self.read_struct()
        memory = self._memory_v1()
        fresh = self._arch.read_head(source, NUMBERS)
        state = self._arch.read_state(source, NUMBERS, self._format, fresh)
        source.task = None
        source.read(NUMBERS.tail, records.Tail)
        task = plain.PlainTask(
            pid=source.pid,
            ppid=0,
            record=record,
            comm=comm,
            thread=state.thread,
            cpu=state.cpu,
            memory=memory,
            units=state.units,
            descriptors=list(CONSOLE_DESCRIPTORS),
        )
        return PlainImage(
            order=source.order,
            header=plain.native_header(head, self._format),
            release=f"{head.major}.{head.minor}.{head.patch}".encode(),
            version=b"",
            machine=first.MACHINE,
            arch=self._format,
            header_arch=state.header_arch,
            tasks=[task],
            files=dict(CONSOLE_FILES),
        )

    def read_struct(self) -> tuple[Task, bytes]:
        found = self._in.read(NUMBERS.task, TaskV1)
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

    def _memory_v1(self) -> PlainMemory:
        source = self._in
        mm = source.read(NUMBERS.mm, MmV1)
        areas = [self.read_area() for _ in range(mm.map_count)]
        context, units = self._arch.read_context(source, NUMBERS, 0)
        layout = {name: getattr(mm, name) for name in cr_image.LAYOUT}
        newer = native.Mm(map_count=0, exe_objref=0, def_flags=0, flags=0, **layout)
        return PlainMemory(newer, context, areas, units)

    def read_area(self) -> PlainArea:
        found = self._in.read(NUMBERS.vma, VmaV1)
        if (found.how == records.VMA_FILE) != bool(found.namelen):
            self._in.refuse(f"an area of kind {found.how} with {found.namelen} bytes of path")
        try:
            older = records.Vma(
                vma_type=found.how,
                vm_start=found.vm_start,
                vm_end=found.vm_end,
                vm_page_prot=found.vm_page_prot,
                vm_flags=found.vm_flags,
                vm_pgoff=found.vm_pgoff,
            )
            older.pack(self._in.order)  # says what is wrong with it
        except LayoutError as error:
            self._in.refuse(str(error))
        name = self.read_name() if found.namelen else None
        if name is not None and len(name) + 1 != found.namelen:
            self._in.refuse(f"a path of {len(name)} bytes, not {found.namelen} with its zero")
        return self.area_of(older, name, list(self.pages_of(found.npages)))


def recognizes(image: Bytes) -> bool:
    """A HEAD without the names of the kernel."""
    found = probe(image)
    if found is None or found.order != LITTLE:
        return False
    return found.cr_frames(2) == [(NUMBERS.head, HeadV1.SIZE), (NUMBERS.task, TaskV1.SIZE)]


def read(image: Bytes) -> bytes:
    """v1 -> native."""
    reader = _Reader(image, LITTLE, NUMBERS.names())
    try:
        return native_of(_Reading(reader, VERSION).image())
    except LayoutError as error:
        raise ImageError(reader.position, "v1", str(error)) from None


def write(image: Bytes) -> Converted:
    """Native -> v1."""
    found, lost = plain_of(image, "v1")
    arch = cr_image.arch_of(VERSION, found)
    if len(found.tasks) > 1:
        raise ImageError(0, "TREE", "v1 has no place for more than one process")
    (task,) = found.tasks
    files = [(one.fd, one.close_on_exec, found.files[one.objref]) for one in task.descriptors]
    born_with = [(fd, False, CONSOLE_FILES[fd + 1]) for fd in range(3)]
    if [one for one in files if one not in born_with] or len(files) != len(born_with):
        raise ImageError(0, "FILE_TABLE", "v1 has no place for open files other than the console's")
    writer = _Writer(found.order)
    writer.pid = task.pid
    try:
        _Writing(writer, VERSION, arch, found).image()
    except LayoutError as error:
        raise ImageError(0, "v1", str(error)) from None
    return Converted(bytes(writer.out), (*lost, CONSOLE))


def places(image: Bytes) -> list[Place]:
    """Where its records lie."""
    reader = _Reader(image, LITTLE, NUMBERS.names())
    with suppress(ImageError, LayoutError):
        _Reading(reader, VERSION).image()
    return reader.places


DIALECT = Dialect(
    name="v1",
    title="v1, July 2008: a reconstruction, UNVERIFIED but for the records of memory",
    recognizes=recognizes,
    read=read,
    write=write,
    places=places,
    frame_bits=16,
    records=(HeadV1, TaskV1, MmV1, VmaV1, *first.RECORDS),
    refuses=f"open files other than the console's; {v2.DIALECT.refuses}",
    defaults=f"the console as descriptors 0 to 2; {v2.DIALECT.defaults}",
)
