"""System V objects until November 2009: no security labels, types of messages of 32 bits.

The identity that each record begins with was eight bytes shorter.

Mirrors:  linux-cr v18, ckpt_hdr_ipc_perms and the records that embed it; checkpoint_hdr.h of
          3 October 2009 has their sizes.
"""

from __future__ import annotations

from typing import Any

from cr.image import types as t
from cr.image.dialects import records_2009 as old
from cr.image.dialects.frames import Frame
from cr.image.dialects.records_2010 import IpcShm2010
from cr.image.dialects.step import Change, Passage, renamed
from cr.image.ipc import IpcMsg, IpcMsgMsg, IpcPerms, IpcSem
from cr.image.types import Framed
from emu.layout import LayoutError

LABEL = "the security label of a System V object"
_OBJECTS: dict[int, tuple[type[Framed], type[Framed]]] = {
    t.HDR_IPC_SHM: (IpcShm2010, old.IpcShm2009),
    t.HDR_IPC_MSG: (IpcMsg, old.IpcMsg2009),
    t.HDR_IPC_SEM: (IpcSem, old.IpcSem2009),
}
MESSAGE = Change(IpcMsgMsg, old.IpcMsgMsg2009, {"sec_ref": 0})


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Objects of 2010 -> those of 2009."""
    return [
        _down(passage, frame, *_OBJECTS[frame.type_no]) if frame.type_no in _OBJECTS else frame
        for frame in frames
    ]


def _down(passage: Passage, frame: Frame, newer: type[Framed], older: type[Framed]) -> Frame:
    record: Any = passage.unpack(newer, frame)
    if record.perms.sec_ref:
        passage.no(frame, LABEL)
    perms = renamed(record.perms, old.IpcPerms2009, {})
    return passage.packed(frame.type_no, renamed(record, older, {}, perms=perms), frame)


def up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Objects of 2009 -> those of 2010."""
    return [
        _up(passage, frame, *_OBJECTS[frame.type_no]) if frame.type_no in _OBJECTS else frame
        for frame in frames
    ]


def _up(passage: Passage, frame: Frame, newer: type[Framed], older: type[Framed]) -> Frame:
    record: Any = passage.unpack(older, frame)
    try:
        perms = renamed(record.perms, IpcPerms, {"sec_ref": 0})
    except LayoutError as error:
        passage.refuse(frame, str(error))
    return passage.packed(frame.type_no, renamed(record, newer, {}, perms=perms), frame)
