"""Leak detection: is everything that a container uses used by nobody else?

Before a container is written, every shared object is visited once, and the uses found are counted.
Shared objects count their users too; where the two numbers differ, somebody outside holds the
object, and an image would silently turn sharing into copying.

When the image is there, all that was collected must be in it, and nothing that was not.

Mirrors:  linux-cr checkpoint/objhash.c -- ckpt_obj_collect, ckpt_obj_contained, ckpt_obj_visited.
Deviates: the message names the object (the original printed a kernel pointer).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cr.context import Checkpoint
from emu.printable import printable
from kernel_model.abi.errno import EBUSY
from kernel_model.ipc.sem import UndoList
from kernel_model.mm.address_space import AddressSpace
from kernel_model.mm.backing import SharedMemory
from kernel_model.net.socket import Socket
from kernel_model.net.sockfs import SocketFile
from kernel_model.net.unix import UnixSocket
from kernel_model.signals import Sighand
from kernel_model.tty.file import TtyFile
from kernel_model.tty.terminal import Tty
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.fs_struct import FsStruct
from kernel_model.vfs.openfile import OpenFile

if TYPE_CHECKING:
    from kernel_model.task import Task

T = TypeVar("T")
_COUNTED = (OpenFile, FdTable, AddressSpace, FsStruct, Sighand, UndoList)
"""Whatever of these is in an image must have been collected."""


@dataclass(frozen=True)
class Terminal:
    """One end of a pty; its users are its open files."""

    tty: Tty

    @property
    def users(self) -> int:
        """How many open files it has."""
        return len(self.tty.files)


class Collected:
    """Objects by identity, each with the uses that were found."""

    def __init__(self) -> None:
        self.files: dict[OpenFile, int] = {}
        self.tables: dict[FdTable, int] = {}
        self.spaces: dict[AddressSpace, int] = {}
        self.directories: dict[FsStruct, int] = {}
        self.handlers: dict[Sighand, int] = {}
        self.undo_lists: dict[UndoList, int] = {}
        self.memories: dict[SharedMemory, int] = {}
        """Their users are mappings."""
        self.sockets: list[Socket] = []
        """Sockets that files or other sockets lead to."""

    def kinds(self) -> tuple[tuple[str, dict[Any, int]], ...]:
        """All but the sockets and terminals, with the name of their kind."""
        return (
            ("open file", self.files),
            ("file table", self.tables),
            ("address space", self.spaces),
            ("fs struct", self.directories),
            ("table of signal handlers", self.handlers),
            ("list of semaphore undos", self.undo_lists),
            ("shared memory", self.memories),
        )

    def terminals(self) -> dict[Terminal, int]:
        """Both ends of each pty that was met, and how many of their open files."""
        counts: dict[Terminal, int] = {}
        for file in self.files:
            if isinstance(file, TtyFile) and file.tty.is_pty:
                for end in (file.tty, file.tty.link):
                    if end is not None:
                        counts.setdefault(Terminal(end), 0)
                counts[Terminal(file.tty)] += 1
        return counts

    def task(self, task: Task) -> None:
        """Count what a task uses."""
        if self._new(self.tables, task.files):
            for _, file in task.files.items():
                self._file(file)
        self._new(self.directories, task.fs)
        self._new(self.handlers, task.sighand)
        if task.sem_undo is not None:
            self._new(self.undo_lists, task.sem_undo)
        if task.mm is not None and self._new(self.spaces, task.mm):
            for vma in task.mm.vmas:
                if isinstance(vma.backing, SharedMemory):
                    self._new(self.memories, vma.backing)
            mapped = [vma.file for vma in task.mm.vmas]
            for file_or_none in (*mapped, task.mm.exe):
                if file_or_none is not None:
                    self._file(file_or_none)

    def _file(self, file: OpenFile) -> None:
        if self._new(self.files, file) and isinstance(file, SocketFile):
            self._socket(file.socket)

    def _socket(self, socket: Socket) -> None:
        """Files on their way in messages are users too; a UNIX peer belongs to its other end."""
        waiting = [socket]
        while waiting:
            each = waiting.pop()
            if each in self.sockets:
                continue
            self.sockets.append(each)
            waiting += each.pending
            if isinstance(each, UnixSocket) and each.peer is not None:
                waiting.append(each.peer)
            for message in each.queue:
                for file in message.files:
                    self._file(file)

    @staticmethod
    def _new(counts: dict[T, int], thing: T) -> bool:
        counts[thing] = counts.get(thing, 0) + 1
        return counts[thing] == 1


def check_contained(ctx: Checkpoint, tasks: list[Task]) -> Collected:
    """Refuse with EBUSY if an object is used from outside, and name it; what was found."""
    found = Collected()
    for task in tasks:
        if not task.exited:
            found.task(task)
    for socket in found.sockets:
        if socket.file is not None and socket.file not in found.files:
            ctx.refuse(
                EBUSY, "Usage leak: the other end of a UNIX socket is outside of the container"
            )
    for kind, counts in (*found.kinds(), ("terminal", found.terminals())):
        for thing, count in counts.items():
            if thing.users != count:
                ctx.refuse(
                    EBUSY,
                    f"Usage leak ({thing.users} != {count}): {kind} {_name(thing)} is also used"
                    " outside of the container",
                )
    return found


def check_visited(ctx: Checkpoint, found: Collected) -> None:
    """Behind the image: what was collected is in it, and nothing else. Refuses with EBUSY."""
    for kind, counts in found.kinds():
        for thing in counts:
            if ctx.objs.lookup(thing) is None:
                ctx.refuse(EBUSY, f"Leak: not visited: {kind} {_name(thing)}")
    known = [thing for _, counts in found.kinds() for thing in counts]
    for thing in ctx.objs.written():
        if isinstance(thing, _COUNTED) and thing not in known:
            ctx.refuse(EBUSY, f"Leak: reverse unknown: {_name(thing)}")


def _name(thing: object) -> str:
    if isinstance(thing, Terminal):
        return f"{thing.tty.kind.value} {thing.tty.index}"
    path = getattr(thing, "path", None)
    if path is not None:
        return printable(path.dentry.name)
    return type(thing).__name__
