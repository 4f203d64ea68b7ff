"""Images of 2008: plain processes -> bytes, and back. What differs is in `CrVersion`.

Image grammar:

    image  =  HEAD  [ HEAD_ARCH ]  [ TREE  pids ]  { task }  TAIL
    task   =  TASK  STRING  mm  files  THREAD  [ tls ]  CPU  [ fpu ]
    mm     =  MM  { VMA  [ FNAME ]  { PGARR n  addresses  pages }  PGARR 0 }  MM_CONTEXT  [ ldt ]
    files  =  FILES  { FD_ENT  [ FD_DATA  FNAME ] }

What is in small letters has no frame. An address is a word of the writing kernel.

Mirrors:  linux-cr v13, checkpoint/checkpoint.c, ckpt_mem.c, ckpt_file.c and their rstr_ twins.
Deviates: an area that the kernel of then marked VM_ALWAYSDUMP is its vdso; it had no type for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from cr.image import memory as native
from cr.image import types as t
from cr.image.arch.shape import ArchFormat
from cr.image.dialects import cr_records as old
from cr.image.dialects import plain
from cr.image.dialects.cr_shape import CrArch, CrVersion
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import (
    PlainArea,
    PlainDescriptor,
    PlainFile,
    PlainImage,
    PlainMemory,
    PlainTask,
)
from cr.image.dialects.plain_native import native_of
from cr.image.dialects.plain_taken import plain_of
from cr.image.dialects.shape import Converted, Place
from cr.image.errors import ImageError
from cr.image.stream import byte_order
from cr.image.task import Task
from emu.layout import Bytes, LayoutError

VM_ALWAYSDUMP = 0x04000000
O_DIRECTORY = {"<": 0o200000, ">": 0o40000}
"""By byte order: the little-endian machines that there are, and the big-endian ones."""
CHUNK_PAGES = 4096
MAX_TASKS = 32768
LAYOUT = (
    "start_code end_code start_data end_data start_brk brk start_stack "
    "arg_start arg_end env_start env_end"
).split()


def write(image: Bytes, version: CrVersion, writing: type[Writing] | None = None) -> Converted:
    """Native image -> an image of that version. Raises ImageError where it has no place."""
    found, lost = plain_of(image, version.name)
    arch = arch_of(version, found)
    writer = CrWriter(found.order)
    try:
        (writing or Writing)(writer, version, arch, found).image()
    except LayoutError as error:
        raise ImageError(0, version.name, str(error)) from None
    return Converted(bytes(writer.out), lost)


def arch_of(version: CrVersion, image: PlainImage) -> CrArch:
    """How that version has the architecture of an image. Raises ImageError if it has it not."""
    for arch in version.arches:
        if image.arch in arch.formats.values():
            return arch
    sentence = f"{version.name} has no place for {image.arch.name}: {version.other_arches}"
    raise ImageError(0, "HEADER", sentence)


class Writing:
    """Writes one image; a version that differs in more than numbers extends it."""

    def __init__(
        self, writer: CrWriter, version: CrVersion, arch: CrArch, image: PlainImage
    ) -> None:
        self._out, self._numbers, self._arch, self._image = writer, version.numbers, arch, image
        self._numbered: dict[int, int] = {}
        """Open files get numbers from 1, in the order in which they are met."""
        self._version = version

    def image(self) -> None:
        """All of it."""
        image, numbers, out = self._image, self._numbers, self._out
        header = image.header
        out.write(
            numbers.head,
            old.Head(
                major=header.major,
                minor=header.minor,
                patch=header.patch,
                time=header.time,
                release=image.release,
                version=image.version,
                machine=image.machine,
            ),
        )
        self._arch.write_head(out, numbers, image)
        if numbers.tree:
            out.write(numbers.tree, old.Tree(tasks_nr=len(image.tasks)))
            for task in image.tasks:
                one = old.Pids(vpid=task.pid, vtgid=task.pid, vppid=task.ppid)
                out.raw(one.pack(out.order))
        elif len(image.tasks) > 1:
            sentence = f"{self._version.name} has no place for more than one process"
            raise ImageError(0, "TREE", sentence)
        for task in image.tasks:
            self._task(task)
        out.write(numbers.tail, old.Tail())

    def _task(self, task: PlainTask) -> None:
        self.write_struct(task)
        self._memory(task)
        self._files(task)
        self._arch.write_state(self._out, self._numbers, self._image, task)

    def write_struct(self, task: PlainTask) -> None:
        """TASK and the name."""
        record = old.Task(
            state=task.record.state,
            exit_state=0,
            exit_code=0,
            exit_signal=task.record.exit_signal,
            task_comm_len=t.TASK_COMM_BYTES,
        )
        self._out.write(self._numbers.task, record)
        name = task.comm.ljust(t.TASK_COMM_BYTES, b"\0")
        self._out.write_blob(self._numbers.string, name)

    def _memory(self, task: PlainTask) -> None:
        out, numbers, memory = self._out, self._numbers, task.memory
        layout = {name: getattr(memory.record, name) for name in LAYOUT}
        out.write(numbers.mm, old.Mm(map_count=len(memory.areas), **layout), task.pid)
        for area in memory.areas:
            self.write_area(area)
        self._arch.write_context(out, numbers, memory)

    def write_area(self, area: PlainArea) -> None:
        """VMA, the name of its file, its pages."""
        out, numbers, vma = self._out, self._numbers, area.record
        is_vdso = vma.vma_type == t.VMA_VDSO
        if is_vdso and not self._arch.has_vdso:
            sentence = f"{self._version.name} has no place for a vdso on this architecture"
            raise ImageError(0, "VMA", sentence)
        record = old.Vma(
            vma_type=old.VMA_FILE if area.name is not None else old.VMA_ANON,
            vm_start=vma.vm_start,
            vm_end=vma.vm_end,
            vm_page_prot=vma.vm_page_prot,
            vm_flags=vma.vm_flags | (VM_ALWAYSDUMP if is_vdso else 0),
            vm_pgoff=vma.vm_pgoff,
        )
        out.write(numbers.vma, record)
        if area.name is not None:
            out.write_blob(numbers.fname, area.name + b"\0")
        for first in range(0, len(area.pages), CHUNK_PAGES):
            chunk = area.pages[first : first + CHUNK_PAGES]
            out.write(numbers.pgarr, old.PageArray(nr_pages=len(chunk)))
            self.write_pages(chunk)
        out.write(numbers.pgarr, old.PageArray(nr_pages=0))

    def write_pages(self, pages: list[tuple[int, Bytes]]) -> None:
        """Addresses, and then the pages."""
        letter = "Q" if self._image.arch.word_bytes == 8 else "I"
        addresses = [address for address, _ in pages]
        self._out.raw(struct.pack(f"{self._out.order}{len(pages)}{letter}", *addresses))
        for _, content in pages:
            self._out.raw(content)

    def _files(self, task: PlainTask) -> None:
        out, numbers = self._out, self._numbers
        out.write(numbers.files, old.Files(nfds=len(task.descriptors)), task.pid)
        for one in task.descriptors:
            is_new = one.objref not in self._numbered
            objref = self._numbered.setdefault(one.objref, len(self._numbered) + 1)
            record = old.FdEnt(objref=objref, fd=one.fd, close_on_exec=int(one.close_on_exec))
            out.write(numbers.fd_ent, record)
            if is_new:
                self._file(self._image.files[one.objref], objref)

    def _file(self, file: PlainFile, objref: int) -> None:
        out, numbers = self._out, self._numbers
        is_directory = file.flags & O_DIRECTORY[out.order]
        data = old.FdData(
            fd_type=old.FD_DIR if is_directory else old.FD_FILE,
            f_mode=file.mode,
            f_flags=file.flags,
            f_pos=file.position,
            f_version=file.version,
        )
        out.write(numbers.fd_data, data, objref)
        out.write_blob(numbers.fname, file.name + b"\0")


def read(image: Bytes, version: CrVersion, reading: type[Reading] | None = None) -> bytes:
    """An image of that version -> native image. Raises ImageError."""
    reader = CrReader(image, byte_order(image), version.numbers.names())
    try:
        return native_of((reading or Reading)(reader, version).image())
    except LayoutError as error:
        raise ImageError(reader.position, version.name, str(error)) from None


def places(image: Bytes, version: CrVersion, reading: type[Reading] | None = None) -> list[Place]:
    """Where the records of an image of that version lie, up to where it makes no sense."""
    reader = CrReader(image, byte_order(image), version.numbers.names())
    with suppress(ImageError, LayoutError):
        (reading or Reading)(reader, version).image()
    return reader.places


class Reading:
    """Reads one image; a version that differs in more than numbers extends it."""

    def __init__(self, reader: CrReader, version: CrVersion) -> None:
        self._in, self._version, self._numbers = reader, version, version.numbers
        self._arch: CrArch
        self._format: ArchFormat
        self._files_met: dict[int, PlainFile] = {}
        self._header_arch: t.Framed

    def image(self) -> PlainImage:
        """All of it."""
        source, numbers = self._in, self._numbers
        head = source.read(numbers.head, old.Head)
        self._choose_arch(head)
        self._header_arch = self._arch.read_head(source, numbers)
        tasks = []
        for index, one in enumerate(list(self._tree())):
            source.task = index
            tasks.append(self._task(one))
        source.task = None
        source.read(numbers.tail, old.Tail)
        return PlainImage(
            order=source.order,
            header=plain.native_header(head, self._format),
            release=head.release,
            version=head.version,
            machine=head.machine,
            arch=self._format,
            header_arch=self._header_arch,
            tasks=tasks,
            files=self._files_met,
        )

    def _choose_arch(self, head: old.Head) -> None:
        name = head.machine.decode("latin-1")
        for arch in self._version.arches:
            if arch.order == self._in.order and name in arch.formats:
                self._arch, self._format = arch, arch.formats[name]
                return
        self._in.refuse(f"a machine {name!r}: {self._version.other_arches}")

    def _tree(self) -> Iterator[old.Pids]:
        source, numbers = self._in, self._numbers
        if not numbers.tree:
            # The one process has its number in the frames of its parts.
            yield old.Pids(vpid=1, vtgid=1, vppid=0)
            return
        count = source.read(numbers.tree, old.Tree).tasks_nr
        if not 0 < count <= MAX_TASKS:
            source.refuse(f"{count} processes")
        raw = source.raw(count * old.Pids.SIZE, "pids")
        seen: set[int] = set()
        for at in range(0, len(raw), old.Pids.SIZE):
            one = source.unpack(old.Pids, raw[at : at + old.Pids.SIZE])
            if one.vpid != one.vtgid or one.vpid in seen or one.vpid <= 0:
                source.refuse(f"process {one.vpid} is a thread, or comes twice")
            if seen and one.vppid not in seen:
                source.refuse(f"the parent of {one.vpid} is not before it")
            seen.add(one.vpid)
            yield one

    def _task(self, pids: old.Pids) -> PlainTask:
        source, numbers = self._in, self._numbers
        record, comm = self.read_struct()
        pid = pids.vpid
        if not numbers.tree:
            pid = source.parent_of_next()
            if not 0 < pid < 1 << 22:
                source.refuse(f"there is no process {pid}")
        memory = self._memory()
        descriptors = self._files()
        state = self._arch.read_state(source, numbers, self._format, self._header_arch)
        self._header_arch = state.header_arch
        return PlainTask(
            pid=pid,
            ppid=pids.vppid,
            record=record,
            comm=comm,
            thread=state.thread,
            cpu=state.cpu,
            memory=memory,
            units=state.units,
            descriptors=descriptors,
        )

    def read_struct(self) -> tuple[Task, bytes]:
        """TASK and the name."""
        source = self._in
        record = source.read(self._numbers.task, old.Task)
        payload = bytes(source.read_blob(self._numbers.string))
        if len(payload) != record.task_comm_len or len(payload) != t.TASK_COMM_BYTES:
            source.refuse(f"a name of {len(payload)} bytes, not {t.TASK_COMM_BYTES}")
        return self.checked(record), payload[:-1].split(b"\0")[0]

    def checked(self, record: old.Task) -> Task:
        """The native record of a live process."""
        if record.exit_state or record.state not in (0, 1):
            self._in.refuse("a process that is dead or stopped")
        if record.exit_signal > t.NSIG:
            self._in.refuse(f"there is no signal {record.exit_signal}")
        return plain.plain_task(record.state, record.exit_signal)

    def read_name(self) -> bytes:
        """A path, without its zero."""
        payload = bytes(self._in.read_blob(self._numbers.fname))
        name, zero, _ = payload.partition(b"\0")
        if not zero or len(payload) > t.PATH_LIMIT:
            self._in.refuse("this name has no zero byte at its end, or is too long")
        return name

    def _memory(self) -> PlainMemory:
        source = self._in
        record = source.read(self._numbers.mm, old.Mm, None)
        areas, vdso = [], 0
        for _ in range(record.map_count):
            area = self.read_area()
            if area.record.vma_type == t.VMA_VDSO:
                vdso = area.record.vm_start
            areas.append(area)
        context, units = self._arch.read_context(source, self._numbers, vdso)
        layout = {name: getattr(record, name) for name in LAYOUT}
        mm = native.Mm(map_count=0, exe_objref=0, def_flags=0, flags=0, **layout)
        return PlainMemory(mm, context, areas, units)

    def read_area(self) -> PlainArea:
        """VMA, the name of its file, its pages."""
        vma = self._in.read(self._numbers.vma, old.Vma)
        name = self.read_name() if vma.vma_type == old.VMA_FILE else None
        return self.area_of(vma, name, list(self._pages()))

    def area_of(
        self, vma: old.Vma, name: bytes | None, pages: list[tuple[int, Bytes]]
    ) -> PlainArea:
        """An area of these values."""
        record = native.Vma(
            vma_type=t.VMA_FILE if name is not None else t.VMA_ANON,
            vma_objref=0,
            ino_objref=0,
            ino_size=0,
            vm_start=vma.vm_start,
            vm_end=vma.vm_end,
            vm_page_prot=vma.vm_page_prot,
            vm_flags=vma.vm_flags,
            vm_pgoff=vma.vm_pgoff,
            hugetlb_shift=0,
        )
        area = PlainArea(record, name, pages)
        if name is None and vma.vm_flags & VM_ALWAYSDUMP and self._arch.has_vdso:
            flags = vma.vm_flags & ~VM_ALWAYSDUMP
            area = PlainArea(replace(record, vma_type=t.VMA_VDSO, vm_flags=flags))
        return area

    def _pages(self) -> Iterator[tuple[int, Bytes]]:
        while count := self._in.read(self._numbers.pgarr, old.PageArray).nr_pages:
            yield from self.pages_of(count)

    def pages_of(self, count: int) -> Iterator[tuple[int, Bytes]]:
        """So many addresses, and then the pages."""
        source, word_bytes = self._in, self._format.word_bytes
        letter = "Q" if word_bytes == 8 else "I"
        raw = source.raw(count * word_bytes, "page addresses")
        addresses = struct.unpack(f"{source.order}{count}{letter}", raw)
        content = source.raw(count * t.PAGE_SIZE, "pages")
        for index, address in enumerate(addresses):
            yield address, content[index * t.PAGE_SIZE : (index + 1) * t.PAGE_SIZE]

    def _files(self) -> list[PlainDescriptor]:
        source, numbers = self._in, self._numbers
        found = []
        for _ in range(source.read(numbers.files, old.Files, None).nfds):
            one = source.read(numbers.fd_ent, old.FdEnt)
            if one.objref not in self._files_met:
                data = source.read(numbers.fd_data, old.FdData, one.objref)
                if data.fd_type == old.FD_LINK:
                    source.refuse("an open symbolic link cannot be opened again")
                self._files_met[one.objref] = PlainFile(
                    self.read_name(), data.f_mode, data.f_flags, data.f_pos, data.f_version
                )
            found.append(PlainDescriptor(one.fd, bool(one.close_on_exec), one.objref))
        return found
