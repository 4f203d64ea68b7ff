"""v23-rc1, 5 January 2011: pids are plain numbers, and everything from TREE on is one less.

Mirrors:  linux-cr checkpoint_hdr.h of that day; the wire format of nested pid namespaces as user-cr
          of June 2010 has it. That the deeper numbers come task after task is UNVERIFIED.
Deviates: terminals are refused: how struct termios lay in the image before 10 January 2011 is not
          known. PowerPC's CPU record was private to the kernel; see `powerpc_2010`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeVar

from cr.image import types as t
from cr.image.dialects import records_2010 as old
from cr.image.dialects.arch import powerpc_2010
from cr.image.dialects.chain import dialect_of
from cr.image.dialects.frames import Frame
from cr.image.dialects.objects import last_object
from cr.image.dialects.probe import probe
from cr.image.dialects.step import Change, Numbering, Passage, Step
from cr.image.extensions import Machine
from cr.image.header import Header
from cr.image.ipc import IpcShm
from cr.image.memory import Vma
from cr.image.task import Task
from cr.image.tree import (
    MAX_PID_DEPTH,
    PidNumbers,
    Pids,
    TaskPids,
    Tree,
    unpack_pid_numbers,
)
from emu.layout import Bytes, LayoutError, Record

R = TypeVar("R", bound=Record)

NCC = 8
"""Control characters of struct termio."""
_LEFT_OUT = {t.HDR_MACHINE, t.HDR_TASK_TIMES, t.HDR_CHAOS, t.HDR_GENERATION, t.HDR_BUFFER}
CLOCK = "the virtual clock, the random source and the order of the run queue: a new machine's"
FLAGS = "that a task has not called execve since fork, or has used its privileges"
TERMINALS = "terminals, as this converter knows it"


def _without_ours(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Records of ours are left out or refused."""
    kept: list[Frame] = []
    skip = False
    for frame in frames:
        if skip:
            skip = False
            continue
        if frame.type_no in t.EXTENSION_TYPES:
            if frame.type_no not in _LEFT_OUT:
                passage.no(frame, f"what linux-cr never had: {t.record_name(frame.type_no)}")
            if frame.type_no == t.HDR_MACHINE:
                passage.unpack(Machine, frame)
                passage.lose(CLOCK)
                skip = True  # the state of its random source
            continue
        if frame.type_no == t.HDR_FILE:
            f_type = int.from_bytes(frame.payload[:4], _byteorder(passage))
            if f_type >= t.FILE_MAX:
                passage.no(frame, f"open files of type {t.file_name(f_type)}")
        kept.append(frame)
    return kept


def _byteorder(passage: Passage) -> Literal["little", "big"]:
    return "little" if passage.order == "<" else "big"


def _header_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(Header, frames[0])
    arch_id = powerpc_2010.OLD_ARCH_IDS.get(header.arch_id, header.arch_id)
    constants = replace(header.constants, tty_termios_nccs=NCC)
    older = replace(header, arch_id=arch_id, constants=constants)
    return [passage.packed(t.HDR_HEADER, older, frames[0]), *frames[1:]]


def _header_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(Header, frames[0])
    native = {older: newer for newer, older in powerpc_2010.OLD_ARCH_IDS.items()}
    if header.constants.tty_termios_nccs != NCC:
        passage.refuse(frames[0], f"{header.constants.tty_termios_nccs} control characters")
    if header.rev != t.CHECKPOINT_VERSION:
        passage.refuse(frames[0], f"a revision of {header.rev}, not {t.CHECKPOINT_VERSION}")
    arch_id = native.get(header.arch_id, header.arch_id)
    constants = replace(header.constants, tty_termios_nccs=t.TERMIOS_CHARACTERS)
    newer = replace(header, arch_id=arch_id, constants=constants)
    return [passage.packed(t.HDR_HEADER, newer, frames[0]), *frames[1:]]


def _place_of(passage: Passage, frames: list[Frame], type_no: int) -> int:
    for place, frame in enumerate(frames):
        if frame.type_no == type_no:
            if place + 1 == len(frames) or frames[place + 1].type_no != t.HDR_BUFFER:
                passage.refuse(frame, "no BUFFER follows")
            return place
    passage.refuse(frames[-1], f"there is no {t.record_name(type_no)}")


def _records(passage: Passage, cls: type[R], frame: Frame, count: int) -> list[R]:
    size = cls.fixed_bytes()
    if len(frame.payload) != count * size:
        passage.refuse(frame, f"{len(frame.payload)} bytes are not {count} entries of {size}")
    view = memoryview(frame.payload)
    return [
        passage.unpack(cls, Frame(frame.type_no, view[at : at + size], frame.offset))
        for at in range(0, len(view), size)
    ]


def _tree_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """PIDS and TREE -> TREE with plain numbers."""
    at = _place_of(passage, frames, t.HDR_PIDS)
    pids = passage.unpack(Pids, frames[at])
    try:
        entries = list(unpack_pid_numbers(frames[at + 1].payload, pids.nr_pids, passage.order))
    except LayoutError as error:
        passage.refuse(frames[at + 1], str(error))
    of = {pids.offset + k: entry.numbers for k, entry in enumerate(entries)}
    tree_at = _place_of(passage, frames, t.HDR_TREE)
    tree = passage.unpack(Tree, frames[tree_at])
    buffer = frames[tree_at + 1]
    tasks = _records(passage, TaskPids, buffer, tree.nr_tasks)
    of |= {0: (0,), t.PID_NULL: (0,), t.PID_ROOT: of.get(tasks[0].vpid, (0,))}
    known = {task.vpid for task in tasks}
    lines, deeper = [], b""
    for task in tasks:
        for number in (task.vpid, task.vppid, task.vtgid, task.vpgid, task.vsid):
            if number not in of:
                passage.refuse(buffer, f"pid object {number} is not in PIDS")
            if len(of[number]) > 1 and number not in known:
                passage.no(buffer, f"deeper numbers of {of[number][0]}, which is no task")
        inner = of[task.vpid][1:]
        lines.append(
            old.TreePids(
                vpid=of[task.vpid][0],
                vppid=of[task.vppid][0],
                vtgid=of[task.vtgid][0],
                vpgid=of[task.vpgid][0],
                vsid=of[task.vsid][0],
                depth=len(inner),
            )
        )
        order = _byteorder(passage)
        deeper += b"".join(n.to_bytes(4, order) for n in inner)
    packed = b"".join(line.pack(passage.order) for line in lines)
    replaced = [frames[tree_at], Frame(t.HDR_BUFFER, packed, buffer.offset)]
    if deeper:
        replaced.append(Frame(t.HDR_BUFFER, deeper, buffer.offset))
    return [*frames[:at], *frames[at + 2 : tree_at], *replaced, *frames[tree_at + 2 :]]


def _tree_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """TREE with plain numbers -> PIDS and TREE. Pids are the last objects."""
    at = _place_of(passage, frames, t.HDR_TREE)
    tree = passage.unpack(Tree, frames[at])
    buffer = frames[at + 1]
    lines = _records(passage, old.TreePids, buffer, tree.nr_tasks)
    end = at + 2
    deeper = b""
    if any(line.depth for line in lines):
        if frames[end].type_no != t.HDR_BUFFER:
            passage.refuse(buffer, "deeper numbers are announced, and do not follow")
        deeper = bytes(frames[end].payload)
        end += 1
    numbers = _numbers(passage, buffer, lines, deeper)
    offset = 1 + last_object(passage, frames)
    of = {number: offset + k for k, number in enumerate(numbers)}
    of[0] = 0
    entries = [PidNumbers(depth=len(one) - 1, numbers=one) for one in numbers.values()]
    order = passage.order
    pids = Pids(nr_pids=len(entries), nr_vpids=sum(e.depth for e in entries), offset=offset)
    try:
        tasks = [
            TaskPids(
                vpid=of[line.vpid],
                vppid=of[line.vppid],
                vtgid=of[line.vtgid],
                vpgid=of[line.vpgid],
                vsid=of[line.vsid],
                depth=line.depth,
            )
            for line in lines
        ]
        made = [
            Frame(t.HDR_PIDS, pids.pack(order), buffer.offset),
            Frame(t.HDR_BUFFER, b"".join(e.pack(order) for e in entries), buffer.offset),
            frames[at],
            Frame(t.HDR_BUFFER, b"".join(e.pack(order) for e in tasks), buffer.offset),
        ]
    except LayoutError as error:
        passage.refuse(buffer, str(error))
    return [*frames[:at], *made, *frames[end:]]


def _numbers(
    passage: Passage, frame: Frame, lines: list[old.TreePids], deeper: bytes
) -> dict[int, tuple[int, ...]]:
    """Every number of the tree, with those it has in deeper namespaces."""
    found: dict[int, tuple[int, ...]] = {}
    order = _byteorder(passage)
    used = 0
    for line in lines:
        if not 0 <= line.depth <= MAX_PID_DEPTH or used + 4 * line.depth > len(deeper):
            passage.refuse(frame, f"a depth of {line.depth}, which has no numbers")
        inner = deeper[used : used + 4 * line.depth]
        used += len(inner)
        more = tuple(
            int.from_bytes(inner[k : k + 4], order, signed=True) for k in range(0, len(inner), 4)
        )
        if line.vpid <= 0 or line.vpid in found:
            passage.refuse(frame, f"task {line.vpid} is no task, or comes twice")
        found[line.vpid] = (line.vpid, *more)
    if used != len(deeper):
        passage.refuse(frame, f"{len(deeper) - used} bytes of numbers belong to nobody")
    for line in lines:
        for number in (line.vtgid, line.vppid, line.vpgid, line.vsid):
            if number < 0:
                passage.refuse(frame, f"there is no task {number}")
            if number:
                found.setdefault(number, (number,))
    return found


def _less_one(low: int, high: int) -> dict[int, int]:
    return {number: number - 1 for number in range(low, high)}


STEP = Step(
    name="v23-rc1",
    changes={
        t.HDR_TASK: Change(Task, old.TaskRc1, {"flags": 0}, {"flags": FLAGS}),
        t.HDR_VMA: Change(Vma, old.Vma2010, {"hugetlb_shift": 0}),
        t.HDR_IPC_SHM: Change(IpcShm, old.IpcShm2010, {"shift": 0}),
    },
    missing={
        t.HDR_HPAGE: "huge pages",
        t.HDR_TTY: TERMINALS,
        t.HDR_TTY_LDISC: TERMINALS,
    },
    first_down=(_without_ours, powerpc_2010.down, _header_down, _tree_down),
    last_up=(_tree_up, _header_up, powerpc_2010.up),
)
NUMBERING = Numbering(
    types={
        **_less_one(t.HDR_TREE, t.HDR_TASK_CREDS + 1),
        t.HDR_PIDS: -1,
        t.HDR_HPAGE: -1,
        t.HDR_MM_CONTEXT: 404,
    },
    objects={t.OBJ_IGNORE: 0, **_less_one(t.OBJ_INODE, t.OBJ_MAX)},
)
REFUSES = "terminals (as this converter knows it), huge pages, what linux-cr never had"
DEFAULTS = "no flags of a task; a new clock"


def recognizes(image: Bytes) -> bool:
    """TREE is 101, and the TASK behind it has 80 bytes."""
    found = probe(image)
    return found is not None and found.tree_and_task() == (101, old.TaskRc1.SIZE)


DIALECT = dialect_of(
    (STEP,),
    NUMBERING,
    title="v23-rc1, January 2011",
    recognizes=recognizes,
    records=(
        old.TreePids,
        old.TaskRc1,
        old.Vma2010,
        old.IpcShm2010,
        *powerpc_2010.RECORDS,
    ),
    refuses=REFUSES,
    defaults=DEFAULTS,
)
