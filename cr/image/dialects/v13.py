"""v10 to v13: December 2008 and January 2009; PowerPC: Nathan Lynch's second port, February 2009.

Several processes, each of one thread, with private memory and files that have names. v10 to v13
wrote the same bytes; what changed between them was the code.

Mirrors:  linux-cr v13 (27 January 2009); "powerpc checkpoint/restart" v2 on it.
"""

from __future__ import annotations

from cr.image.dialects import cr_image
from cr.image.dialects import cr_records as records
from cr.image.dialects.arch import powerpc_2009, x86_2008
from cr.image.dialects.cr_shape import CrVersion, Numbers
from cr.image.dialects.probe import probe
from cr.image.dialects.shape import Converted, Dialect, Place
from emu.layout import BIG, Bytes

NUMBERS = Numbers(head_arch=2, buffer=3, string=4, fname=5, tree=101, task=102, thread=103, cpu=104)
NO_OTHER = "its x86 is 32-bit, and it knows PowerPC"
GENERIC_RECORDS = (
    records.Head,
    records.Tail,
    records.Tree,
    records.Pids,
    records.Task,
    records.Mm,
    records.Vma,
    records.PageArray,
    records.Files,
    records.FdEnt,
    records.FdData,
)
REFUSES = (
    "x86-64; threads, zombies, stopped processes; anything that two processes share but an open "
    "file; shared memory, System V IPC; files without a name, pipes, sockets, terminals; signal "
    "handlers, blocked or pending signals, timers; calls that a restart block begins again; "
    "users other than root; another directory or umask; namespaces below the first"
)
DEFAULTS = (
    "root with every capability; the restarter's namespaces; everybody in the group and session "
    "of the first process; default signals and limits; directories / and /, umask 022; as "
    "executable the file that is mapped at start_code; no auxiliary vector in /proc"
)

VERSION = CrVersion("v13", NUMBERS, (x86_2008.ARCH, powerpc_2009.SECOND), NO_OTHER)


def comm_type(image: Bytes) -> int:
    """The type of the record behind the first TASK; 0 where the image does not go so far."""
    found = probe(image)
    if found is None:
        return 0
    frames = found.cr_frames(3)
    kinds = [kind for kind, _ in frames]
    if kinds[:2] == [1, 101] and frames[1][1] == records.Tree.SIZE:  # no HEAD_ARCH
        at = 8 + frames[0][1]
    elif kinds[:3] == [1, 2, 101]:
        at = 16 + frames[0][1] + max(frames[1][1], 0)
    else:
        return 0
    view = found.image
    if len(view) < at + 16:
        return 0
    byteorder = "little" if found.order == "<" else "big"
    count = int.from_bytes(view[at + 8 : at + 12], byteorder)  # type: ignore[arg-type]
    task_at = at + 16 + count * records.Pids.SIZE
    string_at = task_at + 8 + records.Task.SIZE
    return int.from_bytes(view[string_at : string_at + 2], byteorder)  # type: ignore[arg-type]


def recognizes(image: Bytes) -> bool:
    """HEAD of 224 bytes, a TREE, and STRING is 4; on PowerPC there is no HEAD_ARCH."""
    found = probe(image)
    if found is None:
        return False
    frames = found.cr_frames(2)
    if frames[:1] != [(1, records.Head.SIZE)] or len(frames) < 2:
        return False
    has_head_arch = frames[1][0] == NUMBERS.head_arch
    if has_head_arch == (found.order == BIG):
        return False
    return comm_type(image) == NUMBERS.string


def read(image: Bytes) -> bytes:
    """v13 -> native."""
    return cr_image.read(image, VERSION)


def write(image: Bytes) -> Converted:
    """Native -> v13."""
    return cr_image.write(image, VERSION)


def places(image: Bytes) -> list[Place]:
    """Where its records lie."""
    return cr_image.places(image, VERSION)


DIALECT = Dialect(
    name="v13",
    title="v10 to v13, December 2008 to January 2009; Nathan Lynch's second port to PowerPC",
    recognizes=recognizes,
    read=read,
    write=write,
    places=places,
    frame_bits=16,
    records=(*GENERIC_RECORDS, *x86_2008.RECORDS, *powerpc_2009.SECOND_RECORDS),
    refuses=REFUSES,
    defaults=DEFAULTS,
)
