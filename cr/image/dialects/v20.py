"""v19 and v20, February to March 2010: no network namespaces, no nested pid namespaces.

Mirrors:  linux-cr checkpoint_hdr.h of 22 February 2010.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from cr.image import types as t
from cr.image.dialects import records_2010 as old
from cr.image.dialects import v21
from cr.image.dialects.chain import dialect_of
from cr.image.dialects.frames import Frame
from cr.image.dialects.probe import probe
from cr.image.dialects.step import Change, Numbering, Passage, Step
from cr.image.header import Header
from cr.image.namespaces import Ns
from emu.layout import Bytes

REV = 5
NETWORKS = "network namespaces"


def _header_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """The revision; and no task has a number in a deeper namespace."""
    header = replace(passage.unpack(Header, frames[0]), rev=REV)
    for before, frame in pairwise(frames):
        if before.type_no == t.HDR_TREE:
            view, size = memoryview(frame.payload), old.TreePids.fixed_bytes()
            for at in range(0, len(view), size):
                line = Frame(frame.type_no, view[at : at + size], frame.offset)
                if passage.unpack(old.TreePids, line).depth:
                    passage.no(frame, "pid namespaces below that of the first process")
    return [passage.packed(t.HDR_HEADER, header, frames[0]), *frames[1:]]


def _header_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(Header, frames[0])
    if header.rev != REV:
        passage.refuse(frames[0], f"a revision of {header.rev}, not {REV}")
    newer = replace(header, rev=v21.REV)
    return [passage.packed(t.HDR_HEADER, newer, frames[0]), *frames[1:]]


STEP = Step(
    name="v20",
    changes={t.HDR_NS: Change(Ns, old.Ns2010, {"net_objref": 0})},
    missing={t.HDR_NET_NS: NETWORKS, t.HDR_NETDEV: NETWORKS, t.HDR_NETDEV_ADDR: NETWORKS},
    first_down=(_header_down,),
    last_up=(_header_up,),
)
STEPS = (*v21.STEPS, STEP)
_NO_OBJECTS = {t.OBJ_NET_NS, t.OBJ_NETDEV}
NUMBERING = Numbering(
    types={
        **v21.NUMBERING.types,
        **dict.fromkeys((t.HDR_NET_NS, t.HDR_NETDEV, t.HDR_NETDEV_ADDR), -1),
    },
    objects={
        newer: older for newer, older in v21.NUMBERING.objects.items() if newer not in _NO_OBJECTS
    },
)
REFUSES = f"network namespaces, nested pid namespaces; {v21.REFUSES}"
RECORDS = (old.Ns2010,)


def recognizes(image: Bytes) -> bool:
    """TREE is 101, the TASK behind it has 64 bytes, and the revision is 5."""
    found = probe(image)
    if found is None or found.revision() != REV:
        return False
    return found.tree_and_task() == (101, old.Task2010.SIZE)


DIALECT = dialect_of(
    STEPS,
    NUMBERING,
    title="v19 and v20, February to March 2010",
    recognizes=recognizes,
    records=RECORDS,
    refuses=REFUSES,
    defaults=v21.DIALECT.defaults,
)
