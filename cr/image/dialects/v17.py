"""v17, 21 July 2009: threads, zombies and credentials, but nothing of signals beside the handlers.

A RECONSTRUCTION from v18, with what is known of the step between them. v18 brought terminals, UNIX
sockets, FIFOs, pending signals, limits and timers, and PowerPC back; without these, no record says
anything of a thread group, or of what is pending or blocked. HEADER is known (72 bytes, with
constants); that the other records are those of v18, and that the revision is 2, is UNVERIFIED.
TREE has process groups and sessions here too, though only v18 restored the groups.

Mirrors:  linux-cr v17.
"""

from __future__ import annotations

from dataclasses import replace

from cr.image import types as t
from cr.image.dialects import plain, v18
from cr.image.dialects.arch import alignment_2009
from cr.image.dialects.chain import dialect_of
from cr.image.dialects.frames import Frame
from cr.image.dialects.ours import byteorder
from cr.image.dialects.probe import Probe, probe
from cr.image.dialects.records_2009 import TaskObjs2009
from cr.image.dialects.step import Numbering, Passage, Step
from cr.image.header import Header
from cr.image.signals import Signal, SignalTask
from emu.layout import Bytes

REV = 2
HEADER_BYTES = 72
TERMINALS = "terminals"
SOCKETS = "sockets"
LIMITS = "resource limits: those of a new process"
_NOT_YET = {t.FILE_FIFO: "FIFOs", t.FILE_SOCKET: SOCKETS, t.FILE_TTY: TERMINALS}
_OF_SIGNALS = (t.HDR_SIGNAL, t.HDR_SIGPENDING, t.HDR_SIGNAL_TASK)


def _header_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(Header, frames[0])
    if header.arch_id != alignment_2009.ONLY_ARCH_ID:
        name = alignment_2009.OLD_ARCH_NAMES[header.arch_id]
        why = "it was not in the tree in v16 and v17, and how it lay in v14 is not known"
        passage.no(frames[0], f"{name}: {why}")
    return [passage.packed(t.HDR_HEADER, replace(header, rev=REV), frames[0]), *frames[1:]]


def _header_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(Header, frames[0])
    if header.rev != REV or header.arch_id != alignment_2009.ONLY_ARCH_ID:
        passage.refuse(frames[0], f"revision {header.rev}, architecture {header.arch_id}")
    newer = replace(header, rev=v18.REVS[0])
    return [passage.packed(t.HDR_HEADER, newer, frames[0]), *frames[1:]]


def _files_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    for frame in frames:
        if frame.type_no == t.HDR_FILE:
            kind = int.from_bytes(frame.payload[:4], byteorder(passage))
            if kind in _NOT_YET:
                passage.no(frame, _NOT_YET[kind])
    return frames


def _signals_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """No records of signals: each must say what a new process has."""
    kept: list[Frame] = []
    for frame in frames:
        match frame.type_no:
            case t.HDR_SIGNAL:
                signal = passage.unpack(Signal, frame)
                if signal.tty_objref:
                    passage.no(frame, "a controlling terminal")
                if signal.rlim != plain.DEFAULT_SIGNAL.rlim:
                    passage.lose(LIMITS)
                timers = replace(plain.DEFAULT_SIGNAL, rlim=signal.rlim)
                if replace(signal, tty_pgrp=0, tty_old_pgrp=0) != timers:
                    passage.no(frame, "interval timers")
            case t.HDR_SIGPENDING:
                # An empty one has no queue, whose entries had another length then.
                if bytes(frame.payload) != plain.NOT_PENDING.pack(passage.order):
                    passage.no(frame, "pending signals")
            case t.HDR_SIGNAL_TASK:
                if passage.unpack(SignalTask, frame) != plain.NOT_BLOCKED:
                    passage.no(frame, "blocked signals")
            case _:
                kept.append(frame)
    return kept


def _signals_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    groups: set[int] = set()
    found: list[Frame] = []
    for frame in frames:
        found.append(frame)
        if frame.type_no != t.HDR_TASK_OBJS:
            continue
        group = passage.unpack(TaskObjs2009, frame).signal_objref
        pending = passage.packed(t.HDR_SIGPENDING, plain.NOT_PENDING, frame)
        if group not in groups:
            groups.add(group)
            found += [passage.packed(t.HDR_SIGNAL, plain.DEFAULT_SIGNAL, frame), pending]
        found += [pending, passage.packed(t.HDR_SIGNAL_TASK, plain.NOT_BLOCKED, frame)]
    return found


STEP = Step(
    name="v17",
    missing=dict.fromkeys(_OF_SIGNALS, "signals")
    | {
        t.HDR_TTY: TERMINALS,
        t.HDR_TTY_LDISC: TERMINALS,
        t.HDR_SOCKET: SOCKETS,
        t.HDR_SOCKET_QUEUE: SOCKETS,
        t.HDR_SOCKET_BUFFER: SOCKETS,
        t.HDR_SOCKET_UNIX: SOCKETS,
        t.HDR_SOCKET_INET: SOCKETS,
    },
    first_down=(_header_down, _files_down, _signals_down),
    last_up=(_signals_up, _header_up),
)
STEPS = (*v18.STEPS, STEP)
NUMBERING = Numbering(
    types={**v18.NUMBERING.types, **dict.fromkeys(STEP.missing, -1)},
    objects={
        newer: older
        for newer, older in v18.NUMBERING.objects.items()
        if newer not in (t.OBJ_SOCK, t.OBJ_TTY)
    },
)
REFUSES = (
    "PowerPC; FIFOs, sockets, terminals; blocked or pending signals, timers; x86-64; another "
    "directory than /; security labels and modules; epoll sets, eventfds; network namespaces, "
    "nested pid namespaces; alternate signal stacks, semaphores to undo, a umask other than 022; "
    "huge pages, what linux-cr never had"
)
DEFAULTS = f"no limits, timers, blocked or pending signals; {v18.DIALECT.defaults}"


def begins_like(image: Bytes, header_bytes: int) -> Probe | None:
    """A probe, if a HEADER of this length is followed by the BUFFER that was 3."""
    found = probe(image)
    if found is None:
        return None
    first = found.frames(2)
    fits = len(first) == 2 and first[0] == (1, header_bytes) and first[1][0] == 3
    return found if fits else None


def recognizes(image: Bytes) -> bool:
    """It begins like v18, and has no SIGNAL."""
    found = begins_like(image, HEADER_BYTES)
    return found is not None and not found.has(t.HDR_SIGNAL)


DIALECT = dialect_of(
    STEPS,
    NUMBERING,
    title="v17, July 2009: a reconstruction from v18, UNVERIFIED but for HEADER",
    recognizes=recognizes,
    records=(),
    refuses=REFUSES,
    defaults=DEFAULTS,
)
