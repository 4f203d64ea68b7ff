"""The frames of an image: put records in, get them out again.

Every record is framed by its type and its total length; nothing is aligned and nothing lies
between two records, so an image can pass through a pipe. What the frames hold is the business
of the record classes; in what order they come is the business of `walk` and of the restart.

A Reader gives up at once: whatever is wrong in an image, from a missing byte to a count without
sense, is an ImageError with a place and a sentence. Nothing is allocated because a count says so:
counts are compared with the bytes that are there.

Mirrors:  linux-cr checkpoint/checkpoint.c ckpt_write_obj, ckpt_write_obj_type,
          ckpt_write_buffer, ckpt_write_string; checkpoint/restart.c ckpt_read_obj_type,
          ckpt_read_payload, the treatment of OBJREF and ERROR in _ckpt_read_obj.
Deviates: an ERROR record gives the text of the STRING behind it, which is where the writer puts
          it. (The kernel looked in the ERROR record itself.)
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from cr.image.errors import ImageError
from cr.image.header import ErrorMark, Objref
from cr.image.memory import PageArray
from cr.image.types import (
    FRAME_BYTES,
    HDR_BUFFER,
    HDR_ERROR,
    HDR_HEADER,
    HDR_OBJREF,
    HDR_PGARR,
    HDR_STRING,
    HEADER_MAGIC,
    PAGE_ARRAYS,
    PAGE_SIZE,
    Framed,
    record_name,
)
from emu.layout import BIG, LITTLE, Bytes, LayoutError, Order, Record

Sink = bytearray | list[Bytes] | Callable[[Bytes], object]

# An OBJREF may hold another one, and so on; a hostile image must not exhaust Python's stack.
NESTING_LIMIT = 100
ERROR_TEXT_LIMIT = 1024
ANY_LENGTH = 0xFFFFFFFF

R = TypeVar("R", bound=Record)


class Writer:
    """Frames records and hands the bytes to a sink.

    A bytearray grows; a list collects the pieces without copying them, so that pages in it must
    not change until it is joined; anything else is called with each piece.
    """

    def __init__(self, sink: Sink, order: Order) -> None:
        self.order = order
        self.position = 0
        self._frame = struct.Struct(f"{order}II")
        self._put: Callable[[Bytes], object]
        if isinstance(sink, bytearray):
            self._put = sink.extend
        elif isinstance(sink, list):
            self._put = sink.append
        else:
            self._put = sink

    def write(self, type_no: int, record: Framed) -> None:
        """One record with its frame."""
        assert type_no == record.TYPE, f"{record} is no {record_name(type_no)}"
        payload = record.pack(self.order)
        self._emit(self._frame.pack(type_no, FRAME_BYTES + len(payload)) + payload)

    def write_blob(self, type_no: int, content: Bytes) -> None:
        """Bytes with a frame."""
        self._emit(self._frame.pack(type_no, FRAME_BYTES + len(content)))
        if len(content):
            self._emit(content)

    def write_string(self, type_no: int, text: bytes, size: int = 0) -> None:
        """Text and the zero byte that ends it, padded with zeros to `size` bytes."""
        assert b"\0" not in text and (not size or len(text) < size), f"{text!r} is no such string"
        self.write_blob(type_no, text.ljust(size, b"\0") if size else text + b"\0")

    def write_records(self, records: Sequence[Record]) -> None:
        """A BUFFER of records that have no frames of their own."""
        self.write_blob(HDR_BUFFER, b"".join(record.pack(self.order) for record in records))

    def write_objref(self, objtype: int, objref: int) -> None:
        """Say that an object begins here."""
        self.write(HDR_OBJREF, Objref(objtype=objtype, objref=objref))

    def write_error(self, text: bytes, string_type: int = HDR_STRING) -> None:
        """Say that the checkpoint failed, and why; `string_type` is STRING's number there."""
        self.write(HDR_ERROR, ErrorMark())
        self.write_blob(string_type, b"\0" + text.rstrip(b"\0") + b"\0")

    def write_pages(
        self, addresses: Sequence[int], pieces: Sequence[Bytes], word_bytes: int = 8
    ) -> None:
        """Pages of an area, in as many arrays as they need.

        `pieces` are their bytes, one after the other, each piece some whole pages. Addresses are
        page indices where the memory is shared. end_pages() must follow the last.
        """
        total = sum(map(len, pieces))
        assert total == len(addresses) * PAGE_SIZE, "every page has one address"
        letter = "Q" if word_bytes == 8 else "I"
        most = PAGE_ARRAYS * PAGE_SIZE // word_bytes
        rest = iter(pieces)
        left = memoryview(b"")
        for first in range(0, len(addresses), most):
            batch = addresses[first : first + most]
            words = struct.pack(f"{self.order}{len(batch)}{letter}", *batch)
            size = len(batch) * PAGE_SIZE
            self.write(HDR_PGARR, PageArray(nr_pages=len(batch)))
            self._emit(self._frame.pack(HDR_BUFFER, FRAME_BYTES + len(words) + size) + words)
            while size:
                if not len(left):
                    left = memoryview(next(rest))
                self._emit(left[:size])
                taken = min(size, len(left))
                size -= taken
                left = left[taken:]

    def end_pages(self) -> None:
        """The pages of this area are complete."""
        self.write(HDR_PGARR, PageArray(nr_pages=0))

    def _emit(self, piece: Bytes) -> None:
        self._put(piece)
        self.position += len(piece)


class Pages:
    """Some pages of an area: addresses (or indices) and one view of all contents."""

    __slots__ = ("addresses", "content")

    def __init__(self, addresses: tuple[int, ...], content: memoryview) -> None:
        self.addresses = addresses
        self.content = content

    def __len__(self) -> int:
        return len(self.addresses)

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        for index, address in enumerate(self.addresses):
            yield address, self.content[index * PAGE_SIZE : (index + 1) * PAGE_SIZE]


def byte_order(image: Bytes) -> Order:
    """The byte order that the magic of the first record tells."""
    magic = bytes(memoryview(image)[FRAME_BYTES : FRAME_BYTES + 8])
    if magic == HEADER_MAGIC.to_bytes(8, "little"):
        return LITTLE
    if magic == HEADER_MAGIC.to_bytes(8, "big"):
        return BIG
    raise ImageError(0, record_name(HDR_HEADER), "this is no checkpoint image: its magic is wrong")


class Reader:
    """Takes records out of an image, one after the other, without copying pages.

    Set `task` and `objref` to have them in errors. With `on_objref` set, an OBJREF that comes
    before the wanted record is handed there, and reading goes on behind its object.
    """

    def __init__(self, image: Bytes, order: Order | None = None) -> None:
        self._view = memoryview(image).toreadonly()
        self.order: Order = byte_order(image) if order is None else order
        self.position = 0
        self.task: int | None = None
        self.objref: int | None = None
        self.on_objref: Callable[[Objref], object] | None = None
        self._frame = struct.Struct(f"{self.order}II")
        self._nesting = 0
        # Where the record that is being read begins: what errors are about.
        self._start = 0
        self._name = "frame"

    def refuse(self, sentence: str) -> NoReturn:
        """This image is wrong, in the record read last."""
        raise ImageError(
            self._start, self._name, sentence, objref=self.objref, task=self.task
        ) from None

    @contextmanager
    def inside(self, objref: int) -> Iterator[None]:
        """Records read here belong to that object."""
        if self._nesting >= NESTING_LIMIT:
            self.refuse(f"objects are nested more than {NESTING_LIMIT} deep")
        outer, self.objref, self._nesting = self.objref, objref, self._nesting + 1
        try:
            yield
        finally:
            self.objref, self._nesting = outer, self._nesting - 1

    def at_end(self) -> bool:
        """Has every byte been read?"""
        return self.position == len(self._view)

    def peek(self) -> int:
        """The type of the next record; ERROR raises what it says."""
        blamed = self._start, self._name
        type_no, _ = self._peek_frame()
        # What is refused after a look ahead is still the record read last.
        self._start, self._name = blamed
        return type_no

    def peek_payload(self, size: int) -> memoryview:
        """The first bytes of the next record's payload, without taking it (FILE.f_type).

        Objects in front of it are restored first, as for any record that is read.
        """
        _, length = self._behind_objects()
        if length < FRAME_BYTES + size:
            self.refuse(f"a record of {length} bytes has no {size} bytes of payload")
        begin = self.position + FRAME_BYTES
        return self._view[begin : begin + size]

    def read(self, type_no: int, cls: type[R]) -> R:
        """The next record, which must be this one."""
        return self._unpack(cls, self._payload(type_no))

    def read_view(self, type_no: int, limit: int = ANY_LENGTH) -> memoryview:
        """The payload of the next record: at most `limit` bytes, not copied."""
        payload = self._payload(type_no)
        if len(payload) > limit:
            self.refuse(f"{len(payload)} bytes are more than {limit}")
        return payload

    def read_blob(self, type_no: int, limit: int = ANY_LENGTH) -> bytes:
        """The payload of the next record: at most `limit` bytes."""
        return bytes(self.read_view(type_no, limit))

    def read_exact(self, type_no: int, size: int) -> memoryview:
        """The payload of the next record: exactly `size` bytes, not copied."""
        payload = self._payload(type_no)
        if len(payload) != size:
            self.refuse(f"{size} bytes are needed, {len(payload)} are here")
        return payload

    def read_string(self, type_no: int, limit: int) -> bytes:
        """Text up to its first zero byte, which must be there."""
        text, zero, _ = self.read_blob(type_no, limit).partition(b"\0")
        if not zero:
            self.refuse("this text has no zero byte at its end")
        return text

    def read_records(
        self, cls: type[R], count: int | None = None, type_no: int = HDR_BUFFER
    ) -> tuple[R, ...]:
        """A BUFFER of exactly `count` records without frames, or of as many as it has."""
        size = cls.fixed_bytes()
        payload = self._payload(type_no)
        found, odd = divmod(len(payload), size)
        if odd or found != (found if count is None else count):
            some = "whole" if count is None else count
            self.refuse(f"{len(payload)} bytes are not {some} {cls.__name__} of {size}")
        return tuple(
            self._unpack(cls, payload[at : at + size]) for at in range(0, found * size, size)
        )

    def read_pages(self) -> Pages | None:
        """The next pages of an area, or None behind the last."""
        count = self.read(HDR_PGARR, PageArray).nr_pages
        return self.read_page_buffer(count) if count else None

    def read_page_buffer(self, count: int) -> Pages:
        """The BUFFER behind a PGARR that announced `count` pages."""
        payload = self.read_view(HDR_BUFFER)
        word_bytes, odd = divmod(len(payload) - count * PAGE_SIZE, count)
        if odd or word_bytes not in (4, 8):
            self.refuse(f"{len(payload)} bytes are not {count} addresses and pages")
        words = struct.unpack_from(f"{self.order}{count}{'Q' if word_bytes == 8 else 'I'}", payload)
        return Pages(words, payload[count * word_bytes :])

    def take_objects(self) -> None:
        """Hand over the objects that come before the next record."""
        self._behind_objects()

    def _peek_frame(self) -> tuple[int, int]:
        left = len(self._view) - self.position
        self._start, self._name = self.position, "frame"
        if left < FRAME_BYTES:
            self.refuse(f"the image is cut: a frame has {FRAME_BYTES} bytes, {left} are left")
        type_no, size = self._frame.unpack_from(self._view, self.position)
        self._name = record_name(type_no)
        if size < FRAME_BYTES:
            self.refuse(f"a length of {size} does not even cover the frame")
        if size > left:
            self.refuse(f"the image is cut: the record has {size} bytes, {left} are left")
        if type_no == HDR_ERROR:
            self._raise_error_record(size)
        return type_no, size

    def _behind_objects(self, wanted: int = 0) -> tuple[int, int]:
        type_no, size = self._peek_frame()
        while type_no == HDR_OBJREF != wanted and self.on_objref is not None:
            objref = self.read(HDR_OBJREF, Objref)
            with self.inside(objref.objref):
                self.on_objref(objref)
            type_no, size = self._peek_frame()
        return type_no, size

    def _payload(self, wanted: int) -> memoryview:
        type_no, size = self._behind_objects(wanted)
        if type_no != wanted:
            self.refuse(f"{record_name(wanted)} is expected here")
        begin = self.position + FRAME_BYTES
        self.position += size
        return self._view[begin : self.position]

    def _unpack(self, cls: type[R], payload: Bytes) -> R:
        try:
            return cls.unpack(payload, self.order)
        except LayoutError as error:
            self.refuse(str(error))

    def _raise_error_record(self, size: int) -> NoReturn:
        begin = self.position + size
        text = bytes(self._view[begin + FRAME_BYTES : begin + FRAME_BYTES + ERROR_TEXT_LIMIT])
        type_no = self._frame.unpack_from(self._view, begin)[0] if text else None
        if type_no != HDR_STRING:
            self.refuse("the checkpoint failed, and does not say why")
        length = self._frame.unpack_from(self._view, begin)[1] - FRAME_BYTES
        words = text[: max(length, 0)].strip(b"\0").split(b"\0")[0].decode("utf-8", "replace")
        self.refuse(f"the checkpoint failed: {words}")
