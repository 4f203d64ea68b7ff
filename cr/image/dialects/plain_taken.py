"""A native image -> plain processes, or a refusal that names what is not plain.

What a program cannot notice after a restart (its robust futex list, when nobody shares its memory)
or what every version of the original lost (groups and sessions, limits, the clock) is left out
and told; whatever would change what the program does next is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from cr.image import types as t
from cr.image.arch.formats import FORMATS
from cr.image.dialects import ours, plain
from cr.image.dialects.plain import (
    PlainArea,
    PlainDescriptor,
    PlainFile,
    PlainImage,
    PlainMemory,
    PlainTask,
)
from cr.image.errors import ImageError
from cr.image.files import File, FileDesc, FileGeneric
from cr.image.header import Header, Objref
from cr.image.ipc import Ipc
from cr.image.memory import Mm, Vma
from cr.image.namespaces import Ns, UtsNs
from cr.image.network import NetState
from cr.image.security import Cred, Groupinfo
from cr.image.signals import Sighand, Signal, SignalTask, Sigpending
from cr.image.stream import Pages, byte_order
from cr.image.task import Fs, RestartBlock, Task, TaskObjs
from cr.image.tree import PidNumbers, Pids, TaskPids
from cr.image.walk import Item, walk
from emu.layout import Bytes

VM_SHARED, VM_MAYSHARE = 0x8, 0x80
_KINDS = {t.VMA_ANON, t.VMA_FILE, t.VMA_VDSO}
_TOLD = {
    t.HDR_MACHINE: ours.CLOCK,
    t.HDR_NET_STATE: ours.PORTS,
    t.HDR_IPC_SEQUENCE: ours.SEQUENCE,
}
_LEFT_OUT = {*_TOLD, t.HDR_TASK_TIMES, t.HDR_CHAOS, t.HDR_GENERATION, t.HDR_NAMELESS_NUMBERS}
"""Records of ours that a restart can do without."""
_GROUPS = "process groups and sessions: all processes are in those of the first"
_LIMITS = "resource limits: those of a new process"
_FUTEXES = "addresses of a thread's own (clear_child_tid, robust futexes)"
_USED = "that a task has not called execve since fork, or has used its privileges"
_AUXV = "the auxiliary vector in /proc: the program has its own on its stack"
_UTS = "names of the machine: the restarter's"


class Taker:
    """Sorts the items of a walk; says no to what is not plain."""

    def __init__(self, native: Bytes, dialect: str) -> None:
        self._native, self._dialect = native, dialect
        self._item: Item
        self._image: PlainImage
        self._texts: dict[str, bytes] = {}
        self._header: Header
        self._header_arch: t.Framed
        self._pid_offset = 0
        self._pids: tuple[PidNumbers, ...] = ()
        self._tree: tuple[TaskPids, ...] = ()
        self._records: dict[str, object] = {}
        self._units: list[t.Framed | Bytes] = []
        self._memories: dict[int, PlainMemory] = {}
        self._areas: list[PlainArea] = []
        self._mm: Mm
        self._mapped: dict[int, bytes] = {}
        self._files: dict[int, PlainFile] = {}
        self._exe_of: dict[int, bytes] = {}
        self._tables: dict[int, list[PlainDescriptor]] = {}
        self._file: File
        self._seen: set[int] = set()
        self._uts = 0
        self.tasks: list[PlainTask] = []
        self.lost: list[str] = []

    def image(self) -> PlainImage:
        """All of it."""
        for item in walk(self._native):
            self._item = item
            self._take(item)
        return PlainImage(
            order=byte_order(self._native),
            header=self._header,
            release=self._texts["release"],
            version=self._texts["version"],
            machine=self._texts["machine"],
            arch=FORMATS[self._header.arch_id],
            header_arch=self._header_arch,
            tasks=self.tasks,
            files=self._files,
        )

    def _no(self, sentence: str) -> NoReturn:
        item = self._item
        raise ImageError(
            item.offset,
            item.name,
            f"{self._dialect} has no place for {sentence}",
            objref=item.objref,
            task=item.task,
        )

    def _lose(self, what: str) -> None:
        if what not in self.lost:
            self.lost.append(what)

    def _take(self, item: Item) -> None:
        value = item.value
        if item.type_no in t.EXTENSION_TYPES:
            if item.type_no not in _LEFT_OUT:
                self._no(f"what linux-cr never had: {item.name}")
            if isinstance(value, NetState) and not value.loopback_up:
                self._no("a loopback device that is down")
            if item.type_no in _TOLD:
                self._lose(_TOLD[item.type_no])
        match value:
            case Header():
                self._header = value
            case Pids():
                self._pid_offset = value.offset
            case tuple() if item.role == "pids":
                self._pids = tuple(one for one in value if isinstance(one, PidNumbers))
            case tuple() if item.role == "tree":
                self._take_tree(tuple(one for one in value if isinstance(one, TaskPids)))
            case memoryview():
                self._take_bytes(item, value)
            case Pages():
                self._areas[-1].pages += list(value)
            case Objref():
                self._take_object(value)
            case Task():
                self._take_struct(value)
            case RestartBlock() if value.function_type != t.RESTART_BLOCK_NONE:
                name = t.restart_block_name(value.function_type)
                self._no(f"what a call remembers that is begun again ({name})")
            case Cred() | Groupinfo() | Ns() | UtsNs() | Ipc() | Fs():
                self._take_context(value)
            case FileDesc() | File():
                self._take_file(item, value)
            case Mm():
                self._mm, self._areas = value, []
            case Vma():
                self._take_area(value)
            case Sighand() | Signal() | Sigpending() | SignalTask():
                self._take_signals(value)
            case TaskObjs():
                self._take_objs(value)
            case _:
                self._take_arch(item)

    def _take_tree(self, tree: tuple[TaskPids, ...]) -> None:
        self._tree = tree
        for one in tree:
            if one.depth:
                self._no("pid namespaces below that of the first process")
            if one.vtgid != one.vpid:
                self._no("threads")
        first = tree[0]
        if any((one.vpgid, one.vsid) != (first.vpid, first.vpid) for one in tree):
            self._lose(_GROUPS)

    def _number(self, objref: int) -> int:
        index = objref - self._pid_offset
        if not 0 <= index < len(self._pids):
            self._no(f"a task whose pid object {objref} is not there")
        return self._pids[index].numbers[0]

    def _take_bytes(self, item: Item, content: memoryview) -> None:
        text = bytes(content).split(b"\0")[0]
        match item.role:
            case "release" | "version" | "machine":
                self._texts[item.role] = text
            case "lsm name" if text != b"lsm_none":
                self._no("a security module")
            case "comm":
                self._records["comm"] = text
            case "auxv" if any(content):
                self._lose(_AUXV)
            case "path":
                self._take_path(text)
            case "pwd" | "root" if text != b"/":
                self._no(f"a directory of its own: {text.decode('latin-1')}")
            case "CPU_FPU":
                self._units.append(bytes(content))
            case "MM_CONTEXT_LDT":
                self._memory().units.append(bytes(content))

    def _take_object(self, objref: Objref) -> None:
        kinds = {
            t.OBJ_SOCK: "sockets",
            t.OBJ_TTY: "terminals",
            t.OBJ_USER_NS: "user namespaces",
            t.OBJ_NET_NS: "network namespaces",
            t.OBJ_SECURITY: "security labels",
            t.OBJ_SECURITY_PTR: "security labels",
            t.OBJ_SEM_UNDO: "semaphores to undo",
        }
        if objref.objtype in kinds:
            self._no(kinds[objref.objtype])

    def _take_struct(self, task: Task) -> None:
        if task.exit_state:
            self._no("zombies")
        if task.state not in (0, 1):
            self._no("stopped tasks")
        if task.pdeath_signal:
            self._no("a signal for the death of the parent")
        if task.sas_ss_sp:
            self._no("an alternate signal stack")
        if task.flags:
            self._lose(_USED)
        if task.clear_child_tid or task.robust_futex_list or task.compat_robust_futex_list:
            self._lose(_FUTEXES)
        kept = plain.plain_task(task.state, task.exit_signal)
        self._records, self._units = {"task": kept}, []

    def _take_context(self, value: Cred | Groupinfo | Ns | UtsNs | Ipc | Fs) -> None:
        match value:
            case Cred() if value != plain.root_cred(value.user_ref, value.groupinfo_ref):
                self._no("who a process is: it is not root with every capability")
            case Groupinfo() if value.groups:
                self._no("supplementary groups")
            case UtsNs():
                self._uts += 1
                if self._uts > 1:
                    self._no("a second UTS namespace")
                self._lose(_UTS)
            case Ipc() if value.ipc_count:
                self._no("System V objects")
            case Fs() if value != plain.DEFAULT_FS:
                self._no(f"a umask of {value.umask:#o}, which is not {plain.DEFAULT_FS.umask:#o}")

    def _take_file(self, item: Item, value: FileDesc | File) -> None:
        assert item.objref is not None
        match value:
            case FileDesc():
                table = self._tables.setdefault(item.objref, [])
                one = PlainDescriptor(
                    value.fd_descriptor, bool(value.fd_close_on_exec), value.fd_objref
                )
                table.append(one)
            case FileGeneric():
                self._file = value
            case _:
                self._no(f"open files of type {t.file_name(value.f_type)}")

    def _take_path(self, name: bytes) -> None:
        objref, file = self._item.objref, self._file
        assert objref is not None
        self._files[objref] = PlainFile(name, file.f_mode, file.f_flags, file.f_pos, file.f_version)

    def _take_area(self, vma: Vma) -> None:
        if vma.vma_type not in _KINDS or vma.vm_flags & (VM_SHARED | VM_MAYSHARE):
            self._no(f"memory that is shared: {t.vma_name(vma.vma_type)}")
        name = None
        if vma.vma_objref:
            if vma.vma_objref not in self._files:
                self._no(f"a mapping of object {vma.vma_objref}, which is no file")
            name = self._files[vma.vma_objref].name
        self._areas.append(PlainArea(replace(vma, vma_objref=0), name))

    def _memory(self) -> PlainMemory:
        objref = self._item.objref
        assert objref is not None
        return self._memories[objref]

    def _take_arch(self, item: Item) -> None:
        value = item.value
        if not isinstance(value, t.Framed):
            return
        if item.type_no == t.HDR_HEADER_ARCH:
            self._header_arch = value
        elif item.type_no == t.HDR_MM_CONTEXT:
            assert item.objref is not None
            mm = self._mm
            if mm.def_flags or mm.flags:
                self._no("flags of an address space")
            plain_mm = replace(mm, exe_objref=0)
            self._memories[item.objref] = PlainMemory(plain_mm, value, self._areas)
        elif item.type_no == t.HDR_THREAD:
            self._records["thread"] = value
        elif item.type_no == t.HDR_CPU:
            self._records["cpu"] = value
        elif item.type_no in t.ARCH_TYPES:
            self._units.append(value)

    def _take_signals(self, value: Sighand | Signal | Sigpending | SignalTask) -> None:
        match value:
            case Sighand() if value != plain.DEFAULT_SIGHAND:
                numbers = [
                    str(n) for n, a in enumerate(value.action, 1) if a != plain.DEFAULT_ACTION
                ]
                self._no(f"signal handlers: {' '.join(numbers)}")
            case Sigpending() if value.nr_pending or value.signal.mask:
                self._no("pending signals")
            case Signal():
                if value.tty_objref:
                    self._no("a controlling terminal")
                if value.rlim != plain.DEFAULT_SIGNAL.rlim:
                    self._lose(_LIMITS)
                timers = replace(plain.DEFAULT_SIGNAL, rlim=value.rlim)
                if replace(value, tty_pgrp=0, tty_old_pgrp=0) != timers:
                    self._no("interval timers")
            case SignalTask():
                if value.blocked.mask:
                    self._no("blocked signals")

    def _take_objs(self, objs: TaskObjs) -> None:
        own = (objs.files_objref, objs.mm_objref, objs.fs_objref, objs.sighand_objref)
        if self._seen & set(own) or objs.signal_objref in self._seen:
            self._no("what two tasks share")
        self._seen |= {*own, objs.signal_objref}
        if objs.mm_objref not in self._memories:
            self._no(f"memory {objs.mm_objref}, which is not there")
        table = self._tables.get(objs.files_objref, [])
        for one in table:
            if one.objref not in self._files:
                self._no(f"descriptor {one.fd}, whose open file is not there")
        pids = self._tree[len(self.tasks)]
        found = self._records
        comm, record, thread, cpu = (found[k] for k in ("comm", "task", "thread", "cpu"))
        assert isinstance(comm, bytes) and isinstance(record, Task)
        assert isinstance(thread, t.Framed) and isinstance(cpu, t.Framed)
        task = PlainTask(
            pid=self._number(pids.vpid),
            ppid=self._number(pids.vppid) if pids.vppid else 0,
            record=record,
            comm=comm,
            thread=thread,
            cpu=cpu,
            memory=self._memories[objs.mm_objref],
            units=self._units,
            descriptors=table,
        )
        self.tasks.append(task)


def plain_of(native: Bytes, dialect: str) -> tuple[PlainImage, tuple[str, ...]]:
    """The processes of a native image, and what was left out of them.

    Raises ImageError where one of them is not plain; `dialect` is who says so.
    """
    taker = Taker(native, dialect)
    image = taker.image()
    return image, tuple(taker.lost)
