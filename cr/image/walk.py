"""Walk over a whole image with nothing but the grammar: every record, decoded, in its place.

This is the second opinion on the format: it shares the record classes with the restart, but not
its code. Tools and tests use it; it needs no kernel and builds nothing.

    image   =  HEADER  3 * BUFFER  HEADER_ARCH  CONTAINER  BUFFER  LSM_INFO
               PIDS  BUFFER  TREE  BUFFER  [ MACHINE  BUFFER  [ CHAOS ]  [ GENERATION ] ]
               [ mounts ]  { task }  { deferred }  TAIL
    object  =  OBJREF  { object }  the records of the object

The rest of the grammar is in the modules that declare the records. Wherever a record is expected,
objects may come first; each Item says in which object and in which task it was found.

Mirrors:  linux-cr's grammar as its restart reads it, and the tool ckptinfo.
Deviates: ckptinfo prints frames; this decodes every payload.
"""

from collections.abc import Iterator

from cr.image import types as t
from cr.image.arch.formats import FORMATS
from cr.image.calls import CallState, GenerationName, SysctlValue
from cr.image.extensions import (
    Chaos,
    FreezerGroup,
    GroupExit,
    GroupNews,
    LateTimers,
    Machine,
    PidNamespace,
    PosixTimer,
    SyscallProgress,
    TaskExtra,
    TaskTimes,
)
from cr.image.header import Container, Header, Tail
from cr.image.mounts import Mount, MountData, MountFs, Mounts
from cr.image.nameless import NamelessNumbers
from cr.image.signals import Signal, SignalTask, Sigpending, WaitMask
from cr.image.stream import Reader
from cr.image.task import RestartBlock, Task, TaskCreds, TaskNs, TaskObjs
from cr.image.tree import PidNumbers, Pids, TaskPids, Tree, unpack_pid_numbers
from cr.image.walk_objects import ObjectWalk
from cr.image.walk_steps import Item
from emu.layout import Bytes, LayoutError

__all__ = ["Item", "walk"]

RANDOM_STATE_LIMIT = 1 << 16
_ANY_LENGTH = 1 << 62


def walk(image: Bytes) -> Iterator[Item]:
    """Every record of an image in order; ImageError where it stops making sense."""
    return _Walk(Reader(image)).image()


def machine_of(image: Bytes) -> str | None:
    """Of which generation the kernel was, if this is the image of a whole machine.

    Empty: of the last one; None: there is nothing of a machine in it. Raises ImageError.
    """
    found = None
    for item in walk(image):
        if isinstance(item.value, Machine):
            found = ""
        elif isinstance(item.value, GenerationName):
            found = item.value.name.decode("latin-1")
        elif isinstance(item.value, Task):
            break
    return found


class _Walk(ObjectWalk):
    """The sections of an image, and its tasks."""

    def image(self) -> Iterator[Item]:
        source = self._in
        yield from self._one(Header)
        header = self._last
        assert isinstance(header, Header)
        if header.rev != t.CHECKPOINT_VERSION:
            source.refuse(f"revision {header.rev} is not {t.CHECKPOINT_VERSION}")
        if header.arch_id not in FORMATS:
            source.refuse(f"{t.arch_name(header.arch_id)} is not an architecture of ours")
        self._arch = FORMATS[header.arch_id]
        for role, size in (
            ("release", header.constants.uts_release_len),
            ("version", header.constants.uts_version_len),
            ("machine", header.constants.uts_machine_len),
        ):
            yield from self._blob(t.HDR_BUFFER, role, exact=size)
        yield from self._one(self._arch.header_arch)
        self._header_arch = self._last
        yield from self._one(Container)
        yield from self._blob(t.HDR_BUFFER, "lsm name", exact=t.LSM_NAME_BYTES)
        yield from self._blob(t.HDR_LSM_INFO, "lsm info", limit=t.LSM_INFO_LIMIT)
        yield from self._pids()
        yield from self._one(Tree)
        tree = self._last
        assert isinstance(tree, Tree)
        yield from self._records(TaskPids, tree.nr_tasks, "tree")
        if self._next_is(t.HDR_MACHINE):
            yield from self._machine()
        while self._next_is(t.HDR_PID_NAMESPACE):
            yield from self._one(PidNamespace)
        while self._next_is(t.HDR_SYSCTL):
            yield from self._one(SysctlValue)
        while self._next_is(t.HDR_FREEZER_GROUP):
            yield from self._one(FreezerGroup)
        if self._next_is(t.HDR_MOUNTS):
            yield from self._mounts()
        for index in range(tree.nr_tasks):
            source.task = index
            yield from self._task()
        source.task = None
        yield from self._any_objects()
        yield from self._one(Tail)

    def _pids(self) -> Iterator[Item]:
        yield from self._one(Pids)
        pids = self._last
        assert isinstance(pids, Pids)
        begin = self._in.position
        payload = self._in.read_view(t.HDR_BUFFER, pids.nr_pids * (8 + 4 * 32))
        numbers: tuple[PidNumbers, ...] = ()
        try:
            numbers = tuple(unpack_pid_numbers(payload, pids.nr_pids, self._in.order))
        except LayoutError as error:
            self._in.refuse(str(error))
        for index in range(len(numbers)):
            # Pid objects have no OBJREF of their own, but their numbers are taken.
            self._objects[pids.offset + index] = t.OBJ_PID
        yield self._item(begin, t.HDR_BUFFER, numbers, "pids")

    def _machine(self) -> Iterator[Item]:
        yield from self._one(Machine)
        assert isinstance(self._last, Machine)
        if self._last.random_bytes > RANDOM_STATE_LIMIT:
            self._in.refuse(f"a random state of {self._last.random_bytes} bytes is absurd")
        yield from self._blob(t.HDR_BUFFER, "random state", exact=self._last.random_bytes)
        if self._next_is(t.HDR_CHAOS):
            yield from self._one(Chaos)
        if self._next_is(t.HDR_GENERATION):
            yield from self._one(GenerationName)
        if self._next_is(t.HDR_NAMELESS_NUMBERS):
            yield from self._one(NamelessNumbers)

    def _mounts(self) -> Iterator[Item]:
        yield from self._one(Mounts)
        mounts = self._last
        assert isinstance(mounts, Mounts)
        for _ in range(mounts.nr_file_systems):
            yield from self._one(MountFs)
            assert isinstance(self._last, MountFs)
            for _ in range(self._last.nr_pieces):
                yield from self._one(MountData)
        for _ in range(mounts.nr_mounts):
            yield from self._one(Mount)

    def _task(self) -> Iterator[Item]:
        yield from self._one(Task)
        task = self._last
        assert isinstance(task, Task)
        yield from self._blob(t.HDR_STRING, "comm", exact=t.TASK_COMM_BYTES)
        if task.exit_state:
            if self._next_is(t.HDR_TASK_TIMES):
                yield from self._one(TaskTimes)
            return
        yield from self._one(self._arch.thread)
        yield from self._one(RestartBlock)
        yield from self._one(self._arch.cpu)
        for unit in self._arch.cpu_units(self._header_arch, self._last):
            yield from self._unit(unit.type_no, unit.record, unit.size_bytes)
        if self._next_is(t.HDR_TASK_TIMES):
            yield from self._one(TaskTimes)
        if self._next_is(t.HDR_SYSCALL_PROGRESS):
            yield from self._one(SyscallProgress)
        if self._next_is(t.HDR_TASK_EXTRA):
            yield from self._one(TaskExtra)
        if self._next_is(t.HDR_CALL_STATE):
            yield from self._one(CallState)
            yield from self._blob(t.HDR_BUFFER, "image half-way", limit=_ANY_LENGTH)
        yield from self._one(TaskCreds)
        yield from self._one(TaskNs)
        yield from self._one(TaskObjs)
        objs = self._last
        assert isinstance(objs, TaskObjs)
        if objs.signal_objref not in self._groups:
            self._groups.add(objs.signal_objref)
            yield from self._one(Signal)
            yield from self._one(Sigpending, "shared")
            while self._next_is(t.HDR_POSIX_TIMER):
                yield from self._one(PosixTimer)
            if self._next_is(t.HDR_LATE_TIMERS):
                yield from self._one(LateTimers)
            if self._next_is(t.HDR_GROUP_NEWS):
                yield from self._one(GroupNews)
            if self._next_is(t.HDR_GROUP_EXIT):
                yield from self._one(GroupExit)
        yield from self._one(Sigpending, "private")
        yield from self._one(SignalTask)
        if self._next_is(t.HDR_WAIT_MASK):
            yield from self._one(WaitMask)
