"""What a walk over an image is made of: single records, each as an Item with its place.

Mirrors: nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from cr.image import types as t
from cr.image.header import Objref
from cr.image.mounts import FilePlace
from cr.image.stream import Pages, Reader
from emu.layout import Record

Value = Record | tuple[Record, ...] | Pages | memoryview


@dataclass(frozen=True, slots=True)
class Item:
    """One record of an image."""

    offset: int
    type_no: int
    length: int
    value: Value
    """The record; of a BUFFER its records or pages; bytes where the format says no more."""
    role: str
    """What it is here: "auxv", "comm", "pwd"; the record's name where nothing better is known."""
    objref: int | None
    """The innermost object that it belongs to."""
    task: int | None
    """Which task of the tree it was found in, from 0."""

    @property
    def name(self) -> str:
        """TASK, BUFFER, ..."""
        return t.record_name(self.type_no)


class Steps:
    """Terminals of the grammar: each yields what it has read."""

    def __init__(self, reader: Reader) -> None:
        self._in = reader
        self._objects: dict[int, int] = {}
        self._last: Record

    def _item(self, begin: int, type_no: int, value: Value, role: str) -> Item:
        source = self._in
        role = role or t.record_name(type_no)
        return Item(
            begin, type_no, source.position - begin, value, role, source.objref, source.task
        )

    def _one(self, cls: type[t.Framed], role: str = "") -> Iterator[Item]:
        """One record, after the objects in front of it; it is `self._last` then."""
        yield from self._any_objects()
        begin = self._in.position
        self._last = self._in.read(cls.TYPE, cls)
        yield self._item(begin, cls.TYPE, self._last, role)

    def _blob(self, type_no: int, role: str, *, exact: int = -1, limit: int = 0) -> Iterator[Item]:
        begin, source = self._in.position, self._in
        content = (
            source.read_exact(type_no, exact)
            if exact >= 0
            else source.read_view(type_no, limit or t.PATH_LIMIT)
        )
        yield self._item(begin, type_no, content, role)

    def _string(self, type_no: int, role: str, limit: int) -> Iterator[Item]:
        begin = self._in.position
        text = self._in.read_string(type_no, limit)
        yield self._item(begin, type_no, memoryview(text), role)
        if type_no == t.HDR_FILE_NAME and self._next_is(t.HDR_FILE_PLACE):
            yield from self._one(FilePlace)

    def _records(self, cls: type[Record], count: int, role: str) -> Iterator[Item]:
        begin = self._in.position
        yield self._item(begin, t.HDR_BUFFER, self._in.read_records(cls, count), role)

    def _unit(self, type_no: int, cls: type[t.Framed] | None, size: int) -> Iterator[Item]:
        if cls is not None:
            yield from self._one(cls)
        else:
            yield from self._blob(type_no, t.record_name(type_no), exact=size)

    def _next_is(self, type_no: int) -> bool:
        return self._in.peek() == type_no

    def _any_objects(self) -> Iterator[Item]:
        while self._next_is(t.HDR_OBJREF):
            begin, source = self._in.position, self._in
            objref = source.read(t.HDR_OBJREF, Objref)
            number, kind = objref.objref, objref.objtype
            if number in self._objects:
                source.refuse(f"object {number} comes twice")
            self._objects[number] = kind
            yield self._item(begin, t.HDR_OBJREF, objref, f"{t.object_name(kind)} object")
            with source.inside(number):
                yield from self._object(kind)

    def _object(self, kind: int) -> Iterator[Item]:
        """The records of an object of a kind; the grammar says which."""
        raise NotImplementedError
