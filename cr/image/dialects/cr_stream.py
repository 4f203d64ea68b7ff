"""The frames of 2008: type and length are 16 bits wide, and the length leaves the frame out.

A payload has at most 32767 bytes; whatever may be longer (pids, page addresses, pages, the FPU)
lies between two records with no frame at all, and only what was read before says how long it is.

Mirrors:  linux-cr v6 to v13, include/linux/checkpoint_hdr.h cr_hdr; checkpoint/restart.c
          cr_read_obj_type.
Deviates: a wrong parent is refused (`!= parent` could return a positive number, no error, there).
"""

from __future__ import annotations

import struct
from typing import NoReturn, TypeVar

from cr.image.dialects.shape import Place
from cr.image.errors import ImageError
from emu.layout import Bytes, LayoutError, Order, Record

FRAME_BYTES = 8
PAYLOAD_LIMIT = 0x7FFF

R = TypeVar("R", bound=Record)


class CrWriter:
    """Frames records and lines up the bytes."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.out = bytearray()
        self._frame = struct.Struct(f"{order}hhI")

    def write(self, type_no: int, record: Record, parent: int = 0) -> None:
        """One record with its frame. Raises ImageError if a value does not fit it."""
        try:
            content = record.pack(self.order)
        except LayoutError as error:
            raise ImageError(len(self.out), f"type {type_no}", str(error)) from None
        self.write_blob(type_no, content, parent)

    def write_blob(self, type_no: int, content: Bytes, parent: int = 0) -> None:
        """Bytes with a frame. Raises ImageError if they do not fit it."""
        if len(content) > PAYLOAD_LIMIT:
            sentence = f"{len(content)} bytes do not fit a length of 16 bits"
            raise ImageError(len(self.out), f"type {type_no}", sentence)
        self.out += self._frame.pack(type_no, len(content), parent)
        self.out += content

    def raw(self, content: Bytes) -> None:
        """Bytes without a frame."""
        self.out += content


class CrReader:
    """Takes records, and bytes without frames, out of an old image."""

    def __init__(self, image: Bytes, order: Order, names: dict[int, str]) -> None:
        self._view = memoryview(image).toreadonly()
        self.order: Order = order
        self.position = 0
        self.task: int | None = None
        self._names = names
        self._frame = struct.Struct(f"{order}hhI")
        self._start, self._name = 0, "frame"
        self.places: list[Place] = []
        """Of what was read so far."""

    def refuse(self, sentence: str) -> NoReturn:
        """This image is wrong, in the record read last."""
        raise ImageError(self._start, self._name, sentence, task=self.task) from None

    def peek(self) -> tuple[int, int]:
        """Type and length of the next record."""
        if len(self._view) - self.position < FRAME_BYTES:
            self._start, self._name = self.position, "frame"
            self.refuse("the image is cut: no frame follows")
        type_no, size, _ = self._frame.unpack_from(self._view, self.position)
        return type_no, size

    def read(self, type_no: int, cls: type[R], parent: int | None = 0) -> R:
        """The next record, which must be this one; parent None: whatever it says."""
        payload = self.read_blob(type_no, parent)
        try:
            return cls.unpack(payload, self.order)
        except LayoutError as error:
            self.refuse(str(error))

    def read_blob(self, type_no: int, parent: int | None = 0) -> memoryview:
        """The payload of the next record."""
        found, size = self.peek()
        self._start, self._name = self.position, self._names.get(found, f"type {found}")
        if found != type_no:
            self.refuse(f"{self._names.get(type_no, type_no)} is expected here")
        if size < 0:
            self.refuse(f"a length of {size}")
        _, _, given = self._frame.unpack_from(self._view, self.position)
        if parent is not None and given != parent:
            self.refuse(f"its parent is {given}, not {parent}")
        self.position += FRAME_BYTES
        content = self._take(size)
        self.places.append(Place(self._start, self.position, type_no))
        return content

    def raw(self, size: int, what: str) -> memoryview:
        """So many bytes without a frame."""
        self._start, self._name = self.position, what
        content = self._take(size)
        self.places.append(Place(self._start, self.position, -1))
        return content

    def unpack(self, cls: type[R], payload: Bytes) -> R:
        """A record that has no frame."""
        try:
            return cls.unpack(payload, self.order)
        except LayoutError as error:
            self.refuse(str(error))

    def parent_of_next(self) -> int:
        """What the next frame says is its parent."""
        self.peek()
        parent: int = self._frame.unpack_from(self._view, self.position)[2]
        return parent

    def _take(self, size: int) -> memoryview:
        left = len(self._view) - self.position
        if size > left:
            self.refuse(f"the image is cut: {size} bytes are needed, {left} are left")
        content = self._view[self.position : self.position + size]
        self.position += size
        return content
