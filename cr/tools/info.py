"""What is in an image, in words: `summarize` reads it, `render` and `to_json` print it.

Everything is taken from the bytes of the image alone, by the walk of `cr.image`; no kernel is
needed, and none of the architectures has to be available. An image that is no image, or is cut,
or lies, ends in an ImageError with one sentence.

Mirrors:  user-cr ckptinfo.
Deviates: ckptinfo prints record after record; this puts the records of one task together.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NoReturn

from cr.image import types as t
from cr.image.arch.formats import FORMATS
from cr.image.calls import GenerationName
from cr.image.dialects.table import NATIVE
from cr.image.errors import ImageError
from cr.image.extensions import Machine
from cr.image.files import File, FileDesc
from cr.image.header import Header, Objref
from cr.image.memory import Mm, Vma
from cr.image.security import Cred
from cr.image.signals import Sighand, SignalTask, Sigpending
from cr.image.stream import Pages, byte_order
from cr.image.task import RestartBlock, Task, TaskCreds, TaskObjs
from cr.image.tree import PidNumbers, Pids, TaskPids
from cr.image.walk import Item, walk
from emu.layout import LITTLE, Bytes
from emu.printable import printable

PROTECTION = ((0x1, "r"), (0x2, "w"), (0x4, "x"), (0x8, "s"))
STATES = {0: "running", 1: "sleeping", 2: "uninterruptible", 4: "stopped", 8: "traced"}
EXIT_STATES = {16: "zombie", 32: "dead"}
SIG_IGN = 1


@dataclass(frozen=True, slots=True)
class Area:
    """One memory area."""

    start: int
    end: int
    protection: str
    kind: str
    file: str
    saved_pages: int


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One open file descriptor."""

    fd: int
    kind: str
    name: str
    flags: int
    position: int
    close_on_exec: bool


@dataclass(frozen=True, slots=True)
class TaskInfo:
    """One task."""

    pid: int
    ppid: int
    tgid: int
    pgid: int
    sid: int
    comm: str
    state: str
    exit_code: int = 0
    uid: int | None = None
    program_counter: int | None = None
    restart_block: str = ""
    executable: str = ""
    areas: tuple[Area, ...] = ()
    descriptors: tuple[Descriptor, ...] = ()
    blocked: tuple[int, ...] = ()
    pending: tuple[int, ...] = ()
    pending_shared: tuple[int, ...] = ()
    ignored: tuple[int, ...] = ()
    handled: tuple[int, ...] = ()
    shares: tuple[str, ...] = ()
    """Which of its objects it shares with an earlier task."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One image."""

    size_bytes: int
    arch: str
    byte_order: str
    kernel: str
    release: str
    revision: int
    time: int
    flags: int
    clock_ns: int | None
    objects: dict[str, int]
    extensions: dict[str, int]
    tasks: tuple[TaskInfo, ...]
    dialect: str = NATIVE
    """What the image was before it was upgraded to be looked at."""
    abi: str = ""
    """Of a whole machine: which tree its kernel was of; empty: the last one, or not said."""


class _Collector:
    """Puts the items of a walk where a person looks for them."""

    def __init__(self) -> None:
        self.header: Header
        self.release = ""
        self.clock_ns: int | None = None
        self.abi = ""
        self.objects: Counter[str] = Counter()
        self.extensions: Counter[str] = Counter()
        self.pid_offset = 0
        self.pids: tuple[PidNumbers, ...] = ()
        self.tree: tuple[TaskPids, ...] = ()
        self.of_task: dict[tuple[int | None, type | str], object] = {}
        self.areas: dict[int, list[Area]] = {}
        self.of_object: dict[tuple[int | None, type | str], object] = {}
        self.descriptors: dict[int, list[FileDesc]] = {}
        self.last_item: Item

    def take(self, item: Item) -> None:
        """Sort in one item."""
        self.last_item, value = item, item.value
        if item.type_no in t.EXTENSION_TYPES:
            self.extensions[item.name] += 1
        match value:
            case Header():
                self.header = value
            case Machine():
                self.clock_ns = value.clock_units // 4
            case GenerationName():
                self.abi = value.name.decode("latin-1")
            case Objref():
                self.objects[t.object_name(value.objtype)] += 1
            case Pids():
                self.pid_offset = value.offset
            case Vma() if item.objref is not None:
                self.areas.setdefault(item.objref, []).append(self._area(value))
            case Pages() if item.objref in self.areas:
                areas = self.areas[item.objref]
                areas[-1] = _with_pages(areas[-1], len(value))
            case FileDesc() if item.objref is not None:
                self.descriptors.setdefault(item.objref, []).append(value)
            case File():
                self.of_object[item.objref, File] = value
            case Mm() | Sighand() | Cred():
                self.of_object[item.objref, type(value)] = value
            case Sigpending():
                self.of_task[item.task, item.role] = value
            case Task() | TaskCreds() | TaskObjs() | RestartBlock() | SignalTask():
                self.of_task[item.task, type(value)] = value
            case memoryview():
                self._text(item, bytes(value))
            case tuple() if item.role == "pids":
                self.pids = tuple(r for r in value if isinstance(r, PidNumbers))
            case tuple() if item.role == "tree":
                self.tree = tuple(r for r in value if isinstance(r, TaskPids))
            case _ if item.type_no == t.HDR_CPU and not isinstance(value, tuple | Pages):
                arch = FORMATS[self.header.arch_id]
                self.of_task[item.task, "pc"] = arch.program_counter(value)

    def _text(self, item: Item, content: bytes) -> None:
        if item.role == "release":
            self.release = printable(content)
        elif item.role == "comm":
            self.of_task[item.task, "comm"] = printable(content)
        elif item.role == "path":
            self.of_object[item.objref, "path"] = printable(content)

    def _area(self, vma: Vma) -> Area:
        bits = "".join(letter if vma.vm_flags & bit else "-" for bit, letter in PROTECTION)
        name = str(self.of_object.get((vma.vma_objref, "path"), ""))
        return Area(vma.vm_start, vma.vm_end, bits, t.vma_name(vma.vma_type), name, 0)

    def summary(self, image: Bytes) -> Summary:
        """All of it, after the last item."""
        h = self.header
        seen: dict[str, set[int]] = {}
        return Summary(
            size_bytes=len(image),
            arch=t.arch_name(h.arch_id).lower(),
            byte_order="little-endian" if byte_order(image) == LITTLE else "big-endian",
            kernel=f"{h.major}.{h.minor}.{h.patch}",
            release=self.release,
            revision=h.rev,
            time=h.time,
            flags=h.uflags,
            clock_ns=self.clock_ns,
            objects=dict(sorted(self.objects.items())),
            extensions=dict(sorted(self.extensions.items())),
            tasks=tuple(self._task(i, pids, seen) for i, pids in enumerate(self.tree)),
            abi=self.abi,
        )

    def _task(self, index: int, pids: TaskPids, seen: dict[str, set[int]]) -> TaskInfo:
        task = self.of_task[index, Task]
        assert isinstance(task, Task), "the walk gives every task its record"
        state = EXIT_STATES.get(task.exit_state) or STATES.get(task.state, f"state {task.state:#x}")
        dead = TaskInfo(
            pid=self._number(pids.vpid),
            ppid=self._number(pids.vppid) if pids.vppid else 0,
            tgid=self._number(pids.vtgid),
            pgid=self._number(pids.vpgid),
            sid=self._number(pids.vsid),
            comm=str(self.of_task[index, "comm"]),
            state=state,
            exit_code=task.exit_code,
        )
        return dead if task.exit_state else self._live(index, dead, seen)

    def _live(self, index: int, dead: TaskInfo, seen: dict[str, set[int]]) -> TaskInfo:
        objs, creds = self.of_task[index, TaskObjs], self.of_task[index, TaskCreds]
        block, blocked = self.of_task[index, RestartBlock], self.of_task[index, SignalTask]
        assert isinstance(objs, TaskObjs) and isinstance(creds, TaskCreds)
        assert isinstance(block, RestartBlock) and isinstance(blocked, SignalTask)
        mm, cred = self.of_object.get((objs.mm_objref, Mm)), self._of(creds.cred_ref, Cred)
        sighand, program_counter = self._of(objs.sighand_objref, Sighand), self.of_task[index, "pc"]
        actions = sighand.action if isinstance(sighand, Sighand) else ()
        handlers = {n: action.sa_handler for n, action in enumerate(actions, 1)}
        own = {"files": objs.files_objref, "mm": objs.mm_objref, "fs": objs.fs_objref}
        own |= {"sighand": objs.sighand_objref, "signal": objs.signal_objref}
        shares = tuple(name for name, number in own.items() if number in seen.get(name, ()))
        for name, number in own.items():
            seen.setdefault(name, set()).add(number)
        exe = mm.exe_objref if isinstance(mm, Mm) else 0
        values = {name: getattr(dead, name) for name in TaskInfo.__slots__}
        values |= {
            "uid": cred.uid if isinstance(cred, Cred) else None,
            "program_counter": program_counter,
            "restart_block": t.restart_block_name(block.function_type).lower(),
            "executable": str(self.of_object.get((exe, "path"), "")),
            "areas": tuple(self.areas.get(objs.mm_objref, ())),
            "descriptors": tuple(
                map(self._descriptor, self.descriptors.get(objs.files_objref, []))
            ),
            "blocked": blocked.blocked.numbers,
            "pending": self._pending(index, "private"),
            "pending_shared": self._pending(index, "shared"),
            "ignored": tuple(n for n, handler in handlers.items() if handler == SIG_IGN),
            "handled": tuple(n for n, handler in handlers.items() if handler > SIG_IGN),
            "shares": shares,
        }
        return TaskInfo(**values)

    def _of(self, objref: int, kind: type) -> object:
        """An object that a task names: it must be in the image."""
        if (objref, kind) not in self.of_object:
            self._refuse(f"object {objref} is named, but no {kind.__name__} has that number")
        return self.of_object[objref, kind]

    def _pending(self, index: int, role: str) -> tuple[int, ...]:
        pending = self.of_task.get((index, role))
        return pending.signal.numbers if isinstance(pending, Sigpending) else ()

    def _descriptor(self, desc: FileDesc) -> Descriptor:
        file = self._of(desc.fd_objref, File)
        assert isinstance(file, File)
        return Descriptor(
            fd=desc.fd_descriptor,
            kind=t.file_name(file.f_type).lower(),
            name=str(self.of_object.get((desc.fd_objref, "path"), "")),
            flags=file.f_flags,
            position=file.f_pos,
            close_on_exec=bool(desc.fd_close_on_exec),
        )

    def _number(self, objref: int) -> int:
        """The pid behind a pid object number; 0 for a pid that is not there."""
        if objref in (0, t.PID_NULL):
            return 0
        if objref == t.PID_ROOT:
            objref = self.tree[0].vpid
        index = objref - self.pid_offset
        if not 0 <= index < len(self.pids):
            self._refuse(f"the tree names pid object {objref}, which PIDS does not have")
        return self.pids[index].numbers[0]

    def _refuse(self, sentence: str) -> NoReturn:
        raise ImageError(self.last_item.offset, self.last_item.name, sentence)


def summarize(image: Bytes) -> Summary:
    """Read a whole image; ImageError if it cannot be one."""
    collector = _Collector()
    for item in walk(image):
        collector.take(item)
    return collector.summary(image)


def to_json(summary: Summary) -> str:
    """The summary for programs."""
    return json.dumps(asdict(summary), indent=2)


def render(summary: Summary) -> str:
    """The summary for people."""
    return "\n".join(_lines(summary)) + "\n"


def _lines(s: Summary) -> Iterator[str]:
    yield f"checkpoint image, {s.size_bytes} bytes, {s.arch}, {s.byte_order}, revision {s.revision}"
    if s.dialect != NATIVE:
        yield f"dialect {s.dialect}; what it does not say has the values of an upgrade to {NATIVE}"
    yield f"written by Linux {s.release or s.kernel} at {s.time} s, flags {s.flags:#x}"
    if s.clock_ns is not None:
        yield f"virtual clock {s.clock_ns} ns"
    if s.abi:
        yield f"a machine whose kernel's abi is {s.abi}"
    yield "objects: " + (", ".join(f"{n} {name}" for name, n in s.objects.items()) or "none")
    if s.extensions:
        named = ", ".join(f"{n} {name}" for name, n in s.extensions.items())
        yield f"records of ours: {named}"
    for task in s.tasks:
        yield ""
        yield from _task_lines(task)


def _task_lines(task: TaskInfo) -> Iterator[str]:
    yield (
        f"task {task.pid} {task.comm!r}: {task.state}, parent {task.ppid}, group {task.tgid}, "
        f"process group {task.pgid}, session {task.sid}"
    )
    if task.program_counter is None:
        yield f"  exited with code {task.exit_code:#x}"
        return
    yield f"  user {task.uid}, at {task.program_counter:#x}, restart block {task.restart_block}"
    if task.executable:
        yield f"  executable {task.executable}"
    if task.shares:
        yield f"  shares {', '.join(task.shares)} with an earlier task"
    for area in task.areas:
        saved = f", {area.saved_pages} pages saved" if area.saved_pages else ""
        words = f"{area.kind.lower()} {area.file}".rstrip()
        yield f"  memory {area.start:#010x}-{area.end:#010x} {area.protection} {words}{saved}"
    for d in task.descriptors:
        cloexec = ", closed on exec" if d.close_on_exec else ""
        words = f"{d.kind} {d.name}".rstrip()
        yield f"  fd {d.fd}: {words}, flags {d.flags:#o}, position {d.position}{cloexec}"
    for word, numbers in (
        ("blocked", task.blocked),
        ("pending", task.pending),
        ("pending for the group", task.pending_shared),
        ("ignored", task.ignored),
        ("handled", task.handled),
    ):
        if numbers:
            yield f"  signals {word}: {' '.join(map(str, numbers))}"


def _with_pages(area: Area, pages: int) -> Area:
    saved = area.saved_pages + pages
    return Area(area.start, area.end, area.protection, area.kind, area.file, saved)
