"""The minimal subset of v21 that was posted on 14 December 2010, patch 7 of 19: a name.

Its `sys_checkpoint` saved of the caller what it is called and the two addresses of its thread, and
its `sys_restart` gave them to whoever called it. No memory, no registers, no files are in such an
image, so nothing can be started from it: it is read for its own sake, and not upgraded. A native
image has a program in it; to write its name alone is a choice that must be made (`--lossy`).

Image grammar, 363 bytes without a gap, whatever the machine:

    image  =  HEADER  BUFFER release  BUFFER version  BUFFER machine
              CONTAINER  TASK  STRING comm  TAIL

Mirrors:  linux-cr, "c/r: basic infrastructure" as posted on 14 December 2010: the numbers of the
          records, revision 3, and the order of the checks in restore_read_header.
Deviates: an unsuccessful checkpoint's ERROR is honoured where the reader of then honoured it, in
          place of a BUFFER or STRING, with its own payload behind the first byte.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from cr.image import types as t
from cr.image.dialects.frames import places
from cr.image.dialects.probe import probe
from cr.image.dialects.shape import Converted, Dialect
from cr.image.errors import ImageError
from cr.image.header import Header
from cr.image.stream import byte_order
from cr.image.task import Task
from cr.image.types import FRAME_BYTES, HEADER_MAGIC, TAIL_MAGIC, TASK_COMM_BYTES, UTS_BYTES, Framed
from cr.image.walk import walk
from emu.layout import Bytes, LayoutError, Order, Record, at, hex32, hex64, record, u16, u32, u64
from emu.printable import printable

NAME = "v21-minimal"
REV = 3
HEADER, CONTAINER, BUFFER, STRING, TASK = 1, 2, 3, 4, 101
IMAGE_BYTES = 363
EIO, EPIPE = 5, 32
_NAMES = {
    HEADER: "HEADER",
    CONTAINER: "CONTAINER",
    BUFFER: "BUFFER",
    STRING: "STRING",
    TASK: "TASK",
    t.HDR_TAIL: "TAIL",
    t.HDR_ERROR: "ERROR",
}
R = TypeVar("R", bound=Record)


@record(size=8)
class ConstantsMinimal(Record):
    """Sizes that the writing kernel was compiled with."""

    task_comm_len: u16 = at("bytes in a task's comm", default=TASK_COMM_BYTES)
    uts_release_len: u16 = at("bytes in the UTS field of this name", default=UTS_BYTES)
    uts_version_len: u16 = at("as above", default=UTS_BYTES)
    uts_machine_len: u16 = at("as above", default=UTS_BYTES)


CONSTANTS = ConstantsMinimal()


@record(size=56)
class HeaderMinimal(Framed):
    """First record of an image. It does not say which architecture it is of."""

    TYPE = HEADER

    magic: hex64 = at("the magic that all dialects share", default=HEADER_MAGIC)
    pad: u16 = at("where arch_id was", default=0)
    major: u16 = at("kernel version, first number")
    minor: u16 = at("kernel version, second number")
    patch: u16 = at("kernel version, third number")
    rev: u16 = at("3", default=REV)
    pad_rev: u16 = at("alignment", default=0)
    pad_constants: u32 = at("alignment", default=0)
    constants: ConstantsMinimal = at("sizes of the writing kernel", default=CONSTANTS)
    time: u64 = at("seconds since the epoch when the checkpoint was taken")
    uflags: hex64 = at("no flag was known: 0", default=0)


@record(size=8)
class ContainerMinimal(Framed):
    """The frame says it all."""

    TYPE = CONTAINER


@record(size=40)
class TaskMinimal(Framed):
    """The caller. Only the two addresses were restored."""

    TYPE = TASK

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("EXIT_*")
    exit_code: hex32 = at("as wait() reports it")
    exit_signal: u32 = at("signal to the parent")
    set_child_tid: hex64 = at("address of CLONE_CHILD_SETTID")
    clear_child_tid: hex64 = at("address of CLONE_CHILD_CLEARTID")


@record(size=16)
class TailMinimal(Framed):
    """Last record."""

    TYPE = t.HDR_TAIL

    magic: hex64 = at("what ends an image", default=TAIL_MAGIC)


@dataclass(frozen=True, slots=True)
class Minimal:
    """All that such an image says."""

    header: HeaderMinimal
    release: bytes
    version: bytes
    machine: bytes
    task: TaskMinimal
    comm: bytes
    """As task_struct has it, without zeros."""


def pack(minimal: Minimal, order: Order) -> bytes:
    """An image of IMAGE_BYTES bytes. Raises ImageError if a text has no room in it."""
    texts = (minimal.release, minimal.version, minimal.machine)
    if len(minimal.comm) >= TASK_COMM_BYTES or any(len(text) >= UTS_BYTES for text in texts):
        raise ImageError(0, NAME, "a name that is too long")
    parts = [(HEADER, minimal.header.pack(order))]
    parts += [(BUFFER, text.ljust(UTS_BYTES, b"\0")) for text in texts]
    parts += [
        (CONTAINER, b""),
        (TASK, minimal.task.pack(order)),
        (STRING, minimal.comm.ljust(TASK_COMM_BYTES, b"\0")),
        (t.HDR_TAIL, TailMinimal().pack(order)),
    ]
    frame = struct.Struct(f"{order}II")
    framed = (frame.pack(kind, FRAME_BYTES + len(content)) + content for kind, content in parts)
    return b"".join(framed)


def unpack(image: Bytes, order: Order, kernel: tuple[int, int, int] | None = None) -> Minimal:
    """What an image says; `kernel` is the version that must have written it, None: any.

    What is behind TAIL is not looked at. Raises ImageError with the errno of the restart of then:
    EPIPE where the image is cut, EIO where it holds an ERROR, else EINVAL.
    """
    source = _Source(memoryview(image), order)
    header = source.read(HeaderMinimal)
    versions = (header.major, header.minor, header.patch)
    if (header.magic, header.rev) != (HEADER_MAGIC, REV) or kernel not in (None, versions):
        source.refuse("incompatible kernel version")
    if header.uflags:
        source.refuse("incompatible restart user flags")
    if header.constants != CONSTANTS:
        source.refuse("incompatible kernel constants")
    release, version, machine = (source.blob(BUFFER, UTS_BYTES) for _ in range(3))
    source.read(ContainerMinimal)
    task = source.read(TaskMinimal)
    comm = source.blob(STRING, TASK_COMM_BYTES)[:-1]  # the last byte is a zero, whatever it was
    if source.read(TailMinimal).magic != TAIL_MAGIC:
        source.refuse("the magic of TAIL is wrong")
    release, version, machine, comm = (
        text.split(b"\0")[0] for text in (release, version, machine, comm)
    )
    return Minimal(header, release, version, machine, task, comm)


class _Source:
    """Takes records out of an image, as the readers of then did."""

    def __init__(self, view: memoryview, order: Order) -> None:
        self._view, self._order = view, order
        self._shape = struct.Struct(f"{order}II")
        self._at = self._start = 0
        self._name = "frame"

    def refuse(self, sentence: str, errno: int = 22) -> NoReturn:
        """The record read last is wrong."""
        error = ImageError(self._start, self._name, sentence)
        error.errno = errno
        raise error from None

    def _take(self, size: int) -> memoryview:
        left = len(self._view) - self._at
        if size > left:
            self.refuse(f"the image is cut: {size} bytes are needed, {left} are left", EPIPE)
        self._at += size
        return self._view[self._at - size : self._at]

    def _frame(self) -> tuple[int, int]:
        self._start, self._name = self._at, "frame"
        kind, length = self._shape.unpack(self._take(FRAME_BYTES))
        self._name = _NAMES.get(kind, f"type {kind}")
        return kind, length

    def read(self, cls: type[R]) -> R:
        """A record of exactly this type and length."""
        assert issubclass(cls, Framed)
        kind, length = self._frame()
        if (kind, length) != (cls.TYPE, cls.SIZE):
            self.refuse(f"{_NAMES[cls.TYPE]} of {cls.SIZE} bytes is expected, not {length}")
        try:
            return cls.unpack(self._take(length - FRAME_BYTES), self._order)
        except LayoutError as error:
            self.refuse(str(error))

    def blob(self, type_no: int, size: int) -> bytes:
        """Bytes of exactly this type and number; an ERROR in their place is told."""
        kind, length = self._frame()
        if kind == t.HDR_ERROR and length >= FRAME_BYTES:
            text = bytes(self._take(length - FRAME_BYTES))[1:].rstrip(b"\0")
            self.refuse(f"the checkpoint failed: {printable(text)}", EIO)
        if (kind, length) != (type_no, FRAME_BYTES + size):
            wanted = FRAME_BYTES + size
            self.refuse(f"{_NAMES[type_no]} of {wanted} bytes is expected, not {length}")
        return bytes(self._take(size))


def recognizes(image: Bytes) -> bool:
    """HEADER of 56 bytes, revision 3, and the BUFFER behind it is 3."""
    found = probe(image)
    if found is None or found.revision() != REV:
        return False
    first = found.frames(2)
    return first == [(HEADER, HeaderMinimal.SIZE), (BUFFER, FRAME_BYTES + UTS_BYTES)]


def read(image: Bytes) -> bytes:
    """Never: there is no memory in it, so no native image can be made of it. Raises ImageError."""
    found = unpack(image, byte_order(image))
    name = printable(found.comm)
    sentence = (
        f"{NAME} saved the name {name!r} and two addresses (set_child_tid "
        f"{found.task.set_child_tid:#x}, clear_child_tid {found.task.clear_child_tid:#x}), "
        "no memory and no registers: there is nothing that could be restarted"
    )
    raise ImageError(0, NAME, sentence)


def tell(image: Bytes) -> dict[str, str | int]:
    """What it says, by name. Raises ImageError."""
    found = unpack(image, byte_order(image))
    header, task = found.header, found.task
    texts = {"release": found.release, "version": found.version, "machine": found.machine}
    return {
        "dialect": NAME,
        "kernel": f"{header.major}.{header.minor}.{header.patch}",
        "time": header.time,
        **{name: printable(text) for name, text in texts.items()},
        "comm": printable(found.comm),
        "state": task.state,
        "exit_state": task.exit_state,
        "exit_code": task.exit_code,
        "exit_signal": task.exit_signal,
        "set_child_tid": task.set_child_tid,
        "clear_child_tid": task.clear_child_tid,
    }


def write(image: Bytes) -> Converted:
    """Never: whatever runs has memory, and that would be lost. Raises ImageError."""
    sentence = f"{NAME} has no place for memory, registers and files: it saved a name alone"
    raise ImageError(0, NAME, sentence)


def excerpt(image: Bytes) -> Converted:
    """Native -> the name and the two addresses of its first task; all the rest is left out."""
    header: Header | None = None
    task: Task | None = None
    texts: dict[str, bytes] = {}
    nr_tasks = 0
    for item in walk(image):
        if isinstance(item.value, Header):
            header = item.value
        elif isinstance(item.value, Task):
            task = task or item.value
            nr_tasks += 1
        elif isinstance(item.value, memoryview):
            texts.setdefault(item.role, bytes(item.value).split(b"\0")[0])
    if header is None or task is None:
        raise ImageError(0, NAME, "there is no task in it")
    minimal = Minimal(
        HeaderMinimal(major=header.major, minor=header.minor, patch=header.patch, time=header.time),
        texts["release"],
        texts["version"],
        texts["machine"],
        TaskMinimal(
            state=task.state,
            exit_state=task.exit_state,
            exit_code=task.exit_code,
            exit_signal=task.exit_signal,
            set_child_tid=task.set_child_tid,
            clear_child_tid=task.clear_child_tid,
        ),
        texts["comm"],
    )
    lost = ["memory, registers, open files and all else: it cannot be restarted"]
    if nr_tasks > 1:
        lost.append(f"every task but the first: {nr_tasks - 1} more")
    return Converted(pack(minimal, byte_order(image)), tuple(lost))


DIALECT = Dialect(
    name=NAME,
    title="the minimal subset of v21, December 2010: a name, and no memory",
    recognizes=recognizes,
    read=read,
    write=write,
    places=places,
    frame_bits=32,
    records=(ConstantsMinimal, HeaderMinimal, ContainerMinimal, TaskMinimal, TailMinimal),
    refuses="every program: with --lossy, the name and two addresses of its first task are written",
    defaults="nothing: without memory it is not upgraded, and what it says is told",
    excerpt=excerpt,
    tell=tell,
)
