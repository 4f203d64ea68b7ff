"""Which object numbers an image uses, so that new ones can be given.

Not every number has an OBJREF: thread groups, inodes of shared memory and pipes are known by where
they are named. Those records begin alike in all versions.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from cr.image import types as t
from cr.image.dialects.frames import Frame
from cr.image.dialects.step import Passage

_PLACES = {t.HDR_OBJREF: (4,), t.HDR_VMA: (4, 8), t.HDR_IPC_SHM: (104,)}
"""Where in the payload of a record the numbers are."""
_PIPES = (t.FILE_PIPE, t.FILE_FIFO)


def last_object(passage: Passage, frames: list[Frame]) -> int:
    """The highest object number; 0 if there is none."""
    return max((number for frame in frames for number in _numbers(passage, frame)), default=0)


def _numbers(passage: Passage, frame: Frame) -> Iterator[int]:
    payload = frame.payload
    places: tuple[int, ...] = _PLACES.get(frame.type_no, ())
    if frame.type_no == t.HDR_TASK_OBJS:
        places = tuple(range(0, len(payload), 4))
    elif frame.type_no == t.HDR_FILE and len(payload) >= 8:
        kind = struct.unpack_from(f"{passage.order}I", payload)[0]
        places = (len(payload) - 8,) if kind in _PIPES else ()
    for place in places:
        if place + 4 <= len(payload):
            yield struct.unpack_from(f"{passage.order}i", payload, place)[0]
