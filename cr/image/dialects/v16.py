"""v16, 27 May 2009: processes of one thread, all of them root's.

A RECONSTRUCTION. HEADER is known (48 bytes: the lengths of the three texts, no constants), and so
is what v17 brought: threads, zombies, credentials, signal handlers, open files that two processes
share, robust futexes. What the records without these looked like is UNVERIFIED: TASK is taken to
be its first four words, TASK_OBJS its first two, and the number of the opener's credentials in FILE
to be the padding that it must have been.

Mirrors:  linux-cr v16.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from cr.image import types as t
from cr.image.dialects import plain, v17
from cr.image.dialects.arch.terminals_2010 import NCC
from cr.image.dialects.chain import dialect_of
from cr.image.dialects.frames import Frame
from cr.image.dialects.objects import last_object
from cr.image.dialects.ours import byteorder
from cr.image.dialects.records_2009 import Cred2009, Task2009Unaligned, TaskObjs2009
from cr.image.dialects.records_2010 import TreePids
from cr.image.dialects.step import Change, Numbering, Passage, Step
from cr.image.header import Header, Objref
from cr.image.security import Groupinfo, User
from cr.image.signals import Sighand
from cr.image.task import TaskCreds
from cr.image.types import HDR_HEADER, HDR_TASK, HDR_TASK_OBJS, HEADER_MAGIC, UTS_BYTES, Framed
from emu.layout import Bytes, at, hex32, hex64, record, s32, u16, u32, u64

CONSTANTS = replace(plain.CONSTANTS, tty_termios_nccs=NCC)
FUTEXES = "addresses of a thread's own (clear_child_tid, robust futexes)"
_WHO = "who a process is: it is not root with every capability"
_OF_CREDENTIALS = (t.HDR_CRED, t.HDR_USER, t.HDR_USER_NS, t.HDR_GROUPINFO, t.HDR_TASK_CREDS)
_OBJECTS_LATER = (t.OBJ_CRED, t.OBJ_USER, t.OBJ_USER_NS, t.OBJ_GROUPINFO, t.OBJ_SIGHAND)
_CREDREF_AT = 12
"""Where in the payload of FILE the number of the credentials is; zero here."""


@record(size=48)
class Header2009(Framed):
    """First record of an image: how long the texts behind it are, and no other constants."""

    TYPE = HDR_HEADER

    magic: hex64 = at("the magic that all dialects share", default=HEADER_MAGIC)
    arch_id: u16 = at("the architecture")
    major: u16 = at("kernel version, first number")
    minor: u16 = at("kernel version, second number")
    patch: u16 = at("kernel version, third number")
    rev: u16 = at("2, UNVERIFIED")
    uts_release_len: u16 = at("bytes of the release", default=UTS_BYTES, must_be=UTS_BYTES)
    uts_version_len: u16 = at("bytes of the version", default=UTS_BYTES, must_be=UTS_BYTES)
    uts_machine_len: u16 = at("bytes of the machine", default=UTS_BYTES, must_be=UTS_BYTES)
    time: u64 = at("seconds since the epoch when the checkpoint was taken")
    uflags: hex64 = at("the flags given to checkpoint()")


@record(size=24)
class Task2009Plain(Framed):
    """A process of one thread."""

    TYPE = HDR_TASK

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("0: it lives", default=0, must_be=0)
    exit_code: hex32 = at("0")
    exit_signal: u32 = at("signal to the parent")


@record(size=16)
class TaskObjs2009Plain(Framed):
    """The files and the memory of a process."""

    TYPE = HDR_TASK_OBJS

    files_objref: s32 = at("file table; no two processes have the same")
    mm_objref: s32 = at("memory")


def _tree_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    for before, frame in pairwise(frames):
        if before.type_no == t.HDR_TREE:
            view, size = memoryview(frame.payload), TreePids.fixed_bytes()
            for place in range(0, len(view), size):
                line = Frame(frame.type_no, view[place : place + size], frame.offset)
                one = passage.unpack(TreePids, line)
                if one.vtgid != one.vpid:
                    passage.no(frame, "threads")
    return frames


def _credentials_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    kept: list[Frame] = []
    for frame in frames:
        if frame.type_no == t.HDR_OBJREF:
            if passage.unpack(Objref, frame).objtype in _OBJECTS_LATER:
                continue
        elif frame.type_no in _OF_CREDENTIALS:
            if not _is_root(passage, frame):
                passage.no(frame, _WHO)
            continue
        elif frame.type_no == t.HDR_FILE:
            frame = _with_credref(passage, frame, 0)
        kept.append(frame)
    return kept


def _is_root(passage: Passage, frame: Frame) -> bool:
    match frame.type_no:
        case t.HDR_CRED:
            cred = passage.unpack(Cred2009, frame)
            root = plain.root_cred(cred.user_ref, cred.groupinfo_ref)
            names = "uid suid euid fsuid gid sgid egid fsgid cap_s".split()
            return all(getattr(cred, name) == getattr(root, name) for name in names)
        case t.HDR_USER:
            user = passage.unpack(User, frame)
            return not user.uid and not user.userns_ref
        case t.HDR_GROUPINFO:
            return not passage.unpack(Groupinfo, frame).groups
        case _:
            return frame.type_no == t.HDR_TASK_CREDS


def _with_credref(passage: Passage, frame: Frame, number: int) -> Frame:
    payload = bytearray(frame.payload)
    if len(payload) < _CREDREF_AT + 4:
        passage.refuse(frame, f"{len(payload)} bytes are no open file")
    order = byteorder(passage)
    payload[_CREDREF_AT : _CREDREF_AT + 4] = number.to_bytes(4, order)
    return Frame(frame.type_no, bytes(payload), frame.offset)


def _objects_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Handlers are the default ones, and open files are shared with nobody."""
    kept: list[Frame] = []
    tables: set[int] = set()
    for frame in frames:
        if frame.type_no == t.HDR_SIGHAND:
            if passage.unpack(Sighand, frame) != plain.DEFAULT_SIGHAND:
                passage.no(frame, "signal handlers")
            continue
        if frame.type_no == t.HDR_TASK:
            task = passage.unpack(Task2009Unaligned, frame)
            if task.exit_state:
                passage.no(frame, "zombies")
            if task.pdeath_signal:
                passage.no(frame, "a signal for the death of the parent")
            if task.clear_child_tid or task.robust_futex_list or task.compat_robust_futex_list:
                passage.lose(FUTEXES)
            older = Task2009Plain(
                state=task.state, exit_code=task.exit_code, exit_signal=task.exit_signal
            )
            frame = passage.packed(t.HDR_TASK, older, frame)
        if frame.type_no == t.HDR_TASK_OBJS:
            objs = passage.unpack(TaskObjs2009, frame)
            if objs.files_objref in tables:
                passage.no(frame, "open files that two processes share")
            tables.add(objs.files_objref)
            plainer = TaskObjs2009Plain(files_objref=objs.files_objref, mm_objref=objs.mm_objref)
            frame = passage.packed(t.HDR_TASK_OBJS, plainer, frame)
        kept.append(frame)
    return kept


def _up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Credentials of root behind the first CPU, and handlers and a group for every process."""
    last = last_object(passage, frames)
    credref = last + 1
    last += 3
    found: list[Frame] = []
    made = False
    for place, frame in enumerate(frames):
        match frame.type_no:
            case t.HDR_TASK:
                task = passage.unpack(Task2009Plain, frame)
                frame = passage.packed(t.HDR_TASK, _task_up(task), frame)
            case t.HDR_FILE:
                frame = _with_credref(passage, frame, credref)
            case t.HDR_TASK_OBJS:
                objs = passage.unpack(TaskObjs2009Plain, frame)
                newer = TaskObjs2009(
                    files_objref=objs.files_objref,
                    mm_objref=objs.mm_objref,
                    sighand_objref=last + 1,
                    signal_objref=last + 2,
                )
                sighand = Objref(objtype=t.OBJ_SIGHAND, objref=last + 1)
                last += 2
                found += [
                    passage.packed(t.HDR_OBJREF, sighand, frame),
                    passage.packed(t.HDR_SIGHAND, plain.DEFAULT_SIGHAND, frame),
                ]
                frame = passage.packed(t.HDR_TASK_OBJS, newer, frame)
        found.append(frame)
        if _ends_cpu(frames, place):
            for one in _credentials(credref, new=not made):
                found.append(passage.packed(one.TYPE, one, frame))
            made = True
    return found


def _ends_cpu(frames: list[Frame], place: int) -> bool:
    """Is this CPU, or the last unit behind it?"""
    of_cpu = (t.HDR_CPU, t.HDR_CPU_FPU)
    if frames[place].type_no not in of_cpu or place + 1 == len(frames):
        return False
    return frames[place + 1].type_no not in of_cpu


def _task_up(task: Task2009Plain) -> Task2009Unaligned:
    names = (
        "pdeath_signal set_child_tid clear_child_tid compat_robust_futex_head_len "
        "compat_robust_futex_list robust_futex_head_len robust_futex_list"
    )
    return Task2009Unaligned(
        state=task.state,
        exit_state=0,
        exit_code=task.exit_code,
        exit_signal=task.exit_signal,
        **dict.fromkeys(names.split(), 0),
    )


def _credentials(credref: int, *, new: bool) -> Iterator[Framed]:
    if new:
        root = plain.root_cred(credref + 1, credref + 2)
        names = "uid suid euid fsuid gid sgid egid fsgid user_ref groupinfo_ref cap_s".split()
        yield Objref(objtype=t.OBJ_CRED, objref=credref)
        yield Objref(objtype=t.OBJ_USER, objref=credref + 1)
        yield User(uid=0, userns_ref=0)
        yield Objref(objtype=t.OBJ_GROUPINFO, objref=credref + 2)
        yield Groupinfo(ngroups=0, groups=())
        yield Cred2009(**{name: getattr(root, name) for name in names})
    yield TaskCreds(cred_ref=credref, ecred_ref=credref)


STEP = Step(
    name="v16",
    changes={t.HDR_HEADER: Change(Header, Header2009, {"constants": CONSTANTS})},
    missing=dict.fromkeys(_OF_CREDENTIALS, "credentials") | {t.HDR_SIGHAND: "signal handlers"},
    first_down=(_tree_down, _credentials_down, _objects_down),
    last_up=(_up,),
)
STEPS = (*v17.STEPS, STEP)
NUMBERING = Numbering(
    types={**v17.NUMBERING.types, **dict.fromkeys(STEP.missing, -1)},
    objects={
        newer: older
        for newer, older in v17.NUMBERING.objects.items()
        if newer not in (*_OBJECTS_LATER, t.OBJ_SIGNAL)
    },
)
REFUSES = (
    "threads, zombies, open files that two processes share; users other than root; signal "
    f"handlers; {v17.REFUSES}"
)
DEFAULTS = f"root with every capability; default signal handlers; {v17.DEFAULTS}"


def recognizes(image: Bytes) -> bool:
    """HEADER has 48 bytes, and the BUFFER behind it is 3."""
    return v17.begins_like(image, Header2009.SIZE) is not None


DIALECT = dialect_of(
    STEPS,
    NUMBERING,
    title="v16, May 2009: a reconstruction, UNVERIFIED but for HEADER",
    recognizes=recognizes,
    records=(Header2009, Task2009Plain, TaskObjs2009Plain),
    refuses=REFUSES,
    defaults=DEFAULTS,
)
