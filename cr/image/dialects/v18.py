"""v18, September 2009: no container section, no working directories, no security labels.

Records as user-cr's headers of October 2009 have them; v16 to v18, as posted, numbered those before
TREE without CONTAINER. Its revision is UNVERIFIED (2 or 3): 3 is written, both are read. PowerPC
came back with v18; x86-64 came later. Every process starts in the root directory.

Mirrors:  linux-cr v18 (22 September 2009).
Deviates: internet sockets have their address alone; see `sockets_2009`. That the debug registers
          of x86 come last is UNVERIFIED.
"""

from __future__ import annotations

from dataclasses import replace

from cr.image import types as t
from cr.image.dialects import ipc_2009, sockets_2009, sockets_2010, v20, v21
from cr.image.dialects import records_2009 as older
from cr.image.dialects import records_2010 as newer
from cr.image.dialects.arch import alignment_2009, powerpc_2010, terminals_2010, x86_2010
from cr.image.dialects.chain import dialect_of
from cr.image.dialects.frames import Frame
from cr.image.dialects.objects import last_object
from cr.image.dialects.probe import probe
from cr.image.dialects.step import Change, Numbering, Passage, Step
from cr.image.files import FileGeneric, FilePipe, FileSocket, FileTty
from cr.image.header import Container, Header, Objref
from cr.image.security import Cred
from emu.layout import Bytes

REVS = (3, 2)
LABELS = "security labels"
EVENTS = "epoll sets and eventfds"
_NO_MODULE = (b"lsm_none".ljust(t.LSM_NAME_BYTES, b"\0"), b"dummy")
_FILES: dict[int, Change] = {
    t.FILE_GENERIC: Change(FileGeneric, older.File2009, {"f_secref": 0}),
    t.FILE_PIPE: Change(FilePipe, older.FilePipe2009, {"f_secref": 0}),
    t.FILE_FIFO: Change(FilePipe, older.FilePipe2009, {"f_secref": 0}),
    t.FILE_SOCKET: Change(FileSocket, older.FileSocket2009, {"f_secref": 0}),
    t.FILE_TTY: Change(FileTty, older.FileTty2009, {"f_secref": 0}),
}


def _header_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """The revision, and no container section."""
    header = passage.unpack(Header, frames[0])
    arch_id = alignment_2009.OLD_ARCH_IDS.get(header.arch_id)
    if arch_id is None:
        passage.no(frames[0], f"{t.arch_name(header.arch_id).lower()}: it came later")
    first = passage.packed(t.HDR_HEADER, replace(header, rev=REVS[0], arch_id=arch_id), frames[0])
    at = next((k for k, frame in enumerate(frames) if frame.type_no == t.HDR_CONTAINER), -1)
    if at < 0 or len(frames) < at + 3:
        passage.refuse(frames[0], "there is no CONTAINER")
    if bytes(frames[at + 1].payload) != _NO_MODULE[0]:
        passage.no(frames[at + 1], "a security module")
    return [first, *frames[1:at], *frames[at + 3 :]]


def _header_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(Header, frames[0])
    natives = {old: new for new, old in alignment_2009.OLD_ARCH_IDS.items()}
    if header.rev not in REVS or header.arch_id not in natives:
        passage.refuse(frames[0], f"revision {header.rev}, architecture {header.arch_id}")
    changed = replace(header, rev=v20.REV, arch_id=natives[header.arch_id])
    first = passage.packed(t.HDR_HEADER, changed, frames[0])
    at = next((k for k, frame in enumerate(frames) if frame.type_no == t.HDR_TREE), -1)
    if at < 0:
        passage.refuse(frames[-1], "there is no TREE")
    name, info = _NO_MODULE
    section = [
        Frame(t.HDR_CONTAINER, Container().pack(passage.order)),
        Frame(t.HDR_BUFFER, name),
        Frame(t.HDR_LSM_INFO, info),
    ]
    return [first, *frames[1:at], *section, *frames[at:]]


def _files_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    return [
        _change_of(passage, frame).narrowed(passage, frame)
        if frame.type_no == t.HDR_FILE
        else frame
        for frame in frames
    ]


def _files_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    return [
        _change_of(passage, frame).widened(passage, frame) if frame.type_no == t.HDR_FILE else frame
        for frame in frames
    ]


def _change_of(passage: Passage, frame: Frame) -> Change:
    f_type = int.from_bytes(frame.payload[:4], "little" if passage.order == "<" else "big")
    if f_type not in _FILES:
        passage.no(frame, f"open files of type {t.file_name(f_type)}")
    return _FILES[f_type]


def _fs_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """FS objects are left out: every one of them must be at the root."""
    kept: list[Frame] = []
    place = 0
    while place < len(frames):
        frame = frames[place]
        place += 1
        if frame.type_no == t.HDR_FS:
            if not kept or kept[-1].type_no != t.HDR_OBJREF:
                passage.refuse(frame, "this FS is no object")
            kept.pop()
            for name in frames[place : place + 2]:
                if name.type_no != t.HDR_FILE_NAME or bytes(name.payload) != b"/\0":
                    passage.no(name, "a directory of its own")
            place += 2
        else:
            kept.append(frame)
    return kept


def _fs_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Who shares the memory shares the directories: so it is with threads."""
    last = last_object(passage, frames)
    of_memory: dict[int, int] = {}
    found: list[Frame] = []
    for frame in frames:
        if frame.type_no != t.HDR_TASK_OBJS:
            found.append(frame)
            continue
        objs = passage.unpack(newer.TaskObjs2010, frame)
        if objs.mm_objref not in of_memory:
            last += 1
            of_memory[objs.mm_objref] = last
            objref = Objref(objtype=t.OBJ_FS, objref=last)
            found += [
                passage.packed(t.HDR_OBJREF, objref, frame),
                Frame(t.HDR_FS, b"", frame.offset),
                Frame(t.HDR_FILE_NAME, b"/\0", frame.offset),
                Frame(t.HDR_FILE_NAME, b"/\0", frame.offset),
            ]
        changed = replace(objs, fs_objref=of_memory[objs.mm_objref])
        found.append(passage.packed(t.HDR_TASK_OBJS, changed, frame))
    return found


SHARED_FS = "which directories a task has: the root's, shared by those that share memory"
STEP = Step(
    name="v18",
    changes={
        t.HDR_IPC_MSG_MSG: ipc_2009.MESSAGE,
        t.HDR_CRED: Change(Cred, older.Cred2009, {"sec_ref": 0}),
        t.HDR_TASK_OBJS: Change(
            newer.TaskObjs2010, older.TaskObjs2009, {"fs_objref": 0}, {"fs_objref": SHARED_FS}
        ),
    },
    missing={
        t.HDR_LSM_INFO: LABELS,
        t.HDR_SECURITY: LABELS,
        t.HDR_MNT_NS: "mount namespaces",
        t.HDR_EPOLL_ITEMS: EVENTS,
        t.HDR_SOCKET_FRAG: "messages in fragments",
    },
    first_down=(
        alignment_2009.down,
        ipc_2009.down,
        sockets_2009.down,
        _files_down,
        _fs_down,
        _header_down,
    ),
    last_up=(_header_up, _fs_up, _files_up, sockets_2009.up, ipc_2009.up, alignment_2009.up),
)
STEPS = (*v20.STEPS, STEP)
_LATER = (
    t.HDR_CONTAINER,
    t.HDR_LSM_INFO,
    t.HDR_SECURITY,
    t.HDR_MNT_NS,
    t.HDR_EPOLL_ITEMS,
    t.HDR_FS,
    t.HDR_SOCKET_FRAG,
)
_TWO_LESS = range(t.HDR_CAPABILITIES, t.HDR_TASK_CREDS + 1)
NUMBERING = Numbering(
    types={
        **v20.NUMBERING.types,
        **{number: number - 2 for number in _TWO_LESS},
        t.HDR_BUFFER: 3,
        t.HDR_STRING: 4,
        t.HDR_OBJREF: 5,
        t.HDR_SOCKET_UNIX: 704,
        t.HDR_SOCKET_INET: 705,
        **dict.fromkeys(_LATER, -1),
    },
    objects={
        t.OBJ_IGNORE: 0,
        t.OBJ_INODE: 1,
        t.OBJ_FILE_TABLE: 2,
        t.OBJ_FILE: 3,
        t.OBJ_MM: 4,
        t.OBJ_SIGHAND: 5,
        t.OBJ_SIGNAL: 6,
        t.OBJ_NS: 7,
        t.OBJ_UTS_NS: 8,
        t.OBJ_IPC_NS: 9,
        t.OBJ_USER_NS: 10,
        t.OBJ_CRED: 11,
        t.OBJ_USER: 12,
        t.OBJ_GROUPINFO: 13,
        t.OBJ_SOCK: 14,
        t.OBJ_TTY: 15,
    },
)
RECORDS = (
    *alignment_2009.RECORDS,
    *older.RECORDS,
    *sockets_2010.RECORDS,
    *terminals_2010.RECORDS,
    newer.Ns2010,
    newer.Vma2010,
    newer.TreePids,
    newer.Siginfo2010,
    newer.Sigpending2010,
    *x86_2010.RECORDS,
    *powerpc_2010.RECORDS,
)


def recognizes(image: Bytes) -> bool:
    """HEADER of 72 bytes, the BUFFER behind it is 3, and somewhere there is a SIGNAL."""
    found = probe(image)
    if found is None:
        return False
    first = found.frames(2)
    if first[:1] != [(1, Header.SIZE)] or [kind for kind, _ in first] != [1, 3]:
        return False
    return found.has(t.HDR_SIGNAL)


DIALECT = dialect_of(
    STEPS,
    NUMBERING,
    title="v18, September 2009",
    recognizes=recognizes,
    records=RECORDS,
    refuses=(
        "x86-64; another directory than /; security labels and modules; epoll sets, eventfds; "
        f"internet sockets that are connected, or of IPv6; {v20.REFUSES}"
    ),
    defaults=f"directories / and /; no security module; {v21.DIALECT.defaults}",
)
