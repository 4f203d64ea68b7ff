"""Plain processes -> a native image. What nobody gave is in `cr.image.dialects.plain`."""

from __future__ import annotations

from dataclasses import replace

from cr.image import types as t
from cr.image.dialects import plain
from cr.image.dialects.plain import PlainArea, PlainFile, PlainImage, PlainMemory, PlainTask
from cr.image.files import FileDesc, FileGeneric, FileTable
from cr.image.header import Container, Tail
from cr.image.security import Groupinfo, User
from cr.image.stream import Writer
from cr.image.task import TaskCreds, TaskNs, TaskObjs
from cr.image.tree import PidNumbers, Pids, TaskPids, Tree

_LSM_NAME, _LSM_INFO = b"lsm_none", b"dummy"
_MAPPED_FILE_MODE = 0x1D
"""FMODE_READ and what goes with it."""


def native_of(image: PlainImage) -> bytes:
    """A native image of these processes."""
    out = bytearray()
    _Builder(Writer(out, image.order), image).build()
    return bytes(out)


class _Builder:
    """Hands out object numbers and writes record after record."""

    def __init__(self, writer: Writer, image: PlainImage) -> None:
        self._out, self._image = writer, image
        self._last_objref = 0
        self._cred = 0
        self._files: dict[int, int] = {}
        """Number of a file in the old image -> in this one."""
        self._mapped: dict[bytes, int] = {}
        """The files of the memory that is being written."""

    def build(self) -> None:
        """All of it."""
        self._header()
        numbers = {task.pid: self._new() for task in self._image.tasks}
        self._tree(numbers)
        for task in self._image.tasks:
            self._task(task)
        self._out.write(t.HDR_TAIL, Tail())

    def _new(self) -> int:
        self._last_objref += 1
        return self._last_objref

    def _begin(self, kind: int) -> int:
        objref = self._new()
        self._out.write_objref(kind, objref)
        return objref

    def _header(self) -> None:
        image, out = self._image, self._out
        out.write(t.HDR_HEADER, image.header)
        for text in (image.release, image.version, image.machine):
            out.write_string(t.HDR_BUFFER, text, t.UTS_BYTES)
        out.write(t.HDR_HEADER_ARCH, image.header_arch)
        out.write(t.HDR_CONTAINER, Container())
        out.write_blob(t.HDR_BUFFER, _LSM_NAME.ljust(t.LSM_NAME_BYTES, b"\0"))
        out.write_blob(t.HDR_LSM_INFO, _LSM_INFO)

    def _tree(self, numbers: dict[int, int]) -> None:
        out = self._out
        out.write(t.HDR_PIDS, Pids(nr_pids=len(numbers), nr_vpids=0, offset=1))
        out.write_records([PidNumbers(depth=0, numbers=(pid,)) for pid in numbers])
        out.write(t.HDR_TREE, Tree(nr_tasks=len(numbers)))
        first = self._image.tasks[0].pid
        out.write_records(
            [
                TaskPids(
                    vpid=numbers[task.pid],
                    vppid=numbers.get(task.ppid, 0),
                    vtgid=numbers[task.pid],
                    vpgid=numbers[first],
                    vsid=numbers[first],
                    depth=0,
                )
                for task in self._image.tasks
            ]
        )

    def _task(self, task: PlainTask) -> None:
        out = self._out
        out.write(t.HDR_TASK, task.record)
        out.write_string(t.HDR_STRING, task.comm, t.TASK_COMM_BYTES)
        out.write(t.HDR_THREAD, task.thread)
        out.write(t.HDR_RESTART_BLOCK, plain.NO_RESTART)
        out.write(t.HDR_CPU, task.cpu)
        for unit in task.units:
            if isinstance(unit, t.Framed):
                out.write(unit.TYPE, unit)
            else:
                out.write_blob(t.HDR_CPU_FPU, unit)
        if not self._cred:
            self._credentials()
        out.write(t.HDR_TASK_CREDS, TaskCreds(cred_ref=self._cred, ecred_ref=self._cred))
        out.write(t.HDR_TASK_NS, TaskNs(ns_objref=0))
        files = self._file_table(task)
        mm = self._memory(task.memory)
        fs = self._begin(t.OBJ_FS)
        out.write(t.HDR_FS, plain.DEFAULT_FS)
        out.write_string(t.HDR_FILE_NAME, b"/")
        out.write_string(t.HDR_FILE_NAME, b"/")
        sighand = self._begin(t.OBJ_SIGHAND)
        out.write(t.HDR_SIGHAND, plain.DEFAULT_SIGHAND)
        objs = TaskObjs(
            files_objref=files,
            mm_objref=mm,
            fs_objref=fs,
            sem_undo_objref=0,
            sighand_objref=sighand,
            signal_objref=self._new(),
        )
        out.write(t.HDR_TASK_OBJS, objs)
        out.write(t.HDR_SIGNAL, plain.DEFAULT_SIGNAL)
        out.write(t.HDR_SIGPENDING, plain.NOT_PENDING)
        out.write(t.HDR_SIGPENDING, plain.NOT_PENDING)
        out.write(t.HDR_SIGNAL_TASK, plain.NOT_BLOCKED)

    def _credentials(self) -> None:
        out = self._out
        self._cred = self._begin(t.OBJ_CRED)
        user = self._begin(t.OBJ_USER)
        out.write(t.HDR_USER, User(uid=0, userns_ref=0))
        groups = self._begin(t.OBJ_GROUPINFO)
        out.write(t.HDR_GROUPINFO, Groupinfo(ngroups=0, groups=()))
        out.write(t.HDR_CRED, plain.root_cred(user, groups))

    def _file(self, file: PlainFile) -> int:
        objref = self._begin(t.OBJ_FILE)
        record = FileGeneric(
            f_type=t.FILE_GENERIC,
            f_mode=file.mode,
            f_flags=file.flags,
            f_credref=self._cred,
            f_pos=file.position,
            f_version=file.version,
            f_secref=0,
        )
        self._out.write(t.HDR_FILE, record)
        self._out.write_string(t.HDR_FILE_NAME, file.name)
        return objref

    def _file_table(self, task: PlainTask) -> int:
        objref = self._begin(t.OBJ_FILE_TABLE)
        self._out.write(t.HDR_FILE_TABLE, FileTable(fdt_nfds=len(task.descriptors)))
        for one in task.descriptors:
            if one.objref not in self._files:
                self._files[one.objref] = self._file(self._image.files[one.objref])
            record = FileDesc(
                fd_objref=self._files[one.objref],
                fd_descriptor=one.fd,
                fd_close_on_exec=int(one.close_on_exec),
            )
            self._out.write(t.HDR_FILE_DESC, record)
        return objref

    def _memory(self, memory: PlainMemory) -> int:
        out = self._out
        objref = self._begin(t.OBJ_MM)
        self._mapped = {}
        start = memory.record.start_code
        named = [area for area in memory.areas if area.name is not None]
        exe = [area for area in named if area.record.vm_start <= start < area.record.vm_end]
        record = replace(
            memory.record,
            map_count=len(memory.areas),
            exe_objref=self._mapped_file(exe[0]) if exe else 0,
        )
        out.write(t.HDR_MM, record)
        out.write_blob(t.HDR_BUFFER, bytes(plain.AUXV_BYTES))
        for area in memory.areas:
            file = self._mapped_file(area) if area.name is not None else 0
            out.write(t.HDR_VMA, replace(area.record, vma_objref=file))
            if area.record.vma_type in t.VMA_TYPES_WITH_PAGES:
                if area.pages:
                    addresses = [address for address, _ in area.pages]
                    contents = [content for _, content in area.pages]
                    out.write_pages(addresses, contents, self._image.arch.word_bytes)
                out.end_pages()
        out.write(t.HDR_MM_CONTEXT, memory.context)
        for unit in memory.units:
            out.write_blob(t.HDR_MM_CONTEXT_LDT, unit)
        return objref

    def _mapped_file(self, area: PlainArea) -> int:
        assert area.name is not None
        if area.name not in self._mapped:
            file = PlainFile(area.name, _MAPPED_FILE_MODE, 0, 0, 0)
            self._mapped[area.name] = self._file(file)
        return self._mapped[area.name]
