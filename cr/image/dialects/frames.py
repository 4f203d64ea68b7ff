"""Framed records as they lie in an image, before anybody says what they mean.

From v14 on every record says its whole length, so an image can be cut into frames without any
knowledge of what is in them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from cr.image.dialects.shape import Place
from cr.image.errors import ImageError
from cr.image.stream import byte_order
from cr.image.types import FRAME_BYTES, HDR_ERROR, HDR_TAIL, record_name
from emu.layout import Bytes, Order


@dataclass(frozen=True, slots=True)
class Frame:
    """One record."""

    type_no: int
    payload: Bytes
    offset: int = 0
    """Where it was in the image that was read."""


def cut(image: Bytes, order: Order) -> list[Frame]:
    """The records up to TAIL. Raises ImageError where they do not fit one another."""
    view = memoryview(image).toreadonly()
    shape = struct.Struct(f"{order}II")
    found, at = [], 0
    while True:
        left = len(view) - at
        if left < FRAME_BYTES:
            raise ImageError(at, "frame", f"the image is cut: {left} bytes are no frame")
        type_no, size = shape.unpack_from(view, at)
        if not FRAME_BYTES <= size <= left:
            sentence = f"a length of {size}, where {left} bytes are left"
            raise ImageError(at, record_name(type_no), sentence)
        if type_no == HDR_ERROR:
            raise ImageError(at, record_name(type_no), "the checkpoint failed")
        found.append(Frame(type_no, view[at + FRAME_BYTES : at + size], at))
        at += size
        if type_no == HDR_TAIL:
            return found


def join(frames: list[Frame], order: Order) -> bytes:
    """An image of these records."""
    shape = struct.Struct(f"{order}II")
    out = bytearray()
    for frame in frames:
        out += shape.pack(frame.type_no, FRAME_BYTES + len(frame.payload))
        out += frame.payload
    return bytes(out)


def places(image: Bytes) -> list[Place]:
    """Where the records lie, up to TAIL or to the first that does not fit the next."""
    found: list[Place] = []
    at = 0
    try:
        shape = struct.Struct(f"{byte_order(image)}II")
    except ImageError:
        return found
    while at + FRAME_BYTES <= len(image):
        type_no, size = shape.unpack_from(image, at)
        if not FRAME_BYTES <= size <= len(image) - at:
            break
        found.append(Place(at, at + size, type_no))
        at += size
        if type_no == HDR_TAIL:
            break
    return found
