"""Declare a C struct once; pack it, unpack it, check it, print it.

A record is a frozen dataclass whose annotations say how wide every field is:

    @record(size=16)
    class Timespec64(Record):
        tv_sec: s64 = at("whole seconds")
        tv_nsec: s64 = at("nanoseconds of the second, below one thousand million")

The type checker sees `int`, this module sees the width. Fields lie back to back: nothing is
aligned behind the reader's back, because x86-32 aligns a u64 to 4 and x86-64 to 8. Padding is
therefore a field, and `at(..., default=0, must_be=0)` keeps it zero. `size=` is written by hand
and compared at import. `invalid()` runs on pack and on unpack, so that a bug in the writer is
found by the writer.

    scalar         u8 u16 u32 u64  s8 s16 s32 s64  hex16 hex32 hex64 (printed in hex)
                   be16 be32 (big-endian whatever the byte order of the rest)
    bytes          Annotated[bytes, raw(16)]     exactly 16 bytes
    text           Annotated[bytes, chars(65)]   at most 65; zeros at the end are not in the value
    record         the class itself
    fixed array    Annotated[tuple[int, ...], array(u32, 8)]          also array(SomeRecord, 8)
    flexible tail  Annotated[tuple[int, ...], rest(u32)]              the last field only
                   Annotated[bytes, rest_bytes()]

A record may extend another one; its fields follow those of the parent. `LEAD` is the number of
bytes in front of the first field that somebody else writes (a frame header): they count in
`size=` and in offsets, and are neither packed nor unpacked.

Deviates: C unions are not modelled; name the words and say in the doc what each reading means.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields
from operator import attrgetter
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

Order = Literal["<", ">"]
LITTLE: Order = "<"
BIG: Order = ">"

Bytes = bytes | bytearray | memoryview


class LayoutError(ValueError):
    """These values cannot be this record; the sentence names record and field."""


class _Kind:
    """How one field lies in memory: `leaves` struct codes, and the value they stand for."""

    def __init__(self, size: int, codes: str, leaves: int, label: str) -> None:
        self.size, self.codes, self.leaves, self.label = size, codes, leaves, label

    def take(self, leaves: Sequence[Any], index: int, order: Order) -> Any:
        """The value that begins at leaf `index`."""
        return leaves[index]

    def give(self, value: Any, out: list[Any], order: Order, where: str) -> None:
        """Check the value and append its leaves."""
        raise NotImplementedError

    def text(self, value: Any) -> str:
        """The value for people."""
        return str(value)


class Scalar(_Kind):
    """One integer; `code` is its letter in the struct module."""

    def __init__(self, code: str, *, hexadecimal: bool = False, big_endian: bool = False) -> None:
        size, unsigned = struct.calcsize("=" + code), code.isupper()
        sign = "be" if big_endian else "u" if unsigned else "s"
        super().__init__(size, code, 1, f"{sign}{size * 8}")
        self.hexadecimal, self.big_endian = hexadecimal, big_endian
        self.low = 0 if unsigned else -1 << (size * 8 - 1)
        self.high = self.low + (1 << size * 8) - 1

    def take(self, leaves: Sequence[Any], index: int, order: Order) -> Any:
        return self._turned(leaves[index], order)

    def give(self, value: Any, out: list[Any], order: Order, where: str) -> None:
        if not isinstance(value, int) or not self.low <= value <= self.high:
            raise LayoutError(f"{where}: {value!r} does not fit {self.label}")
        out.append(self._turned(value, order))

    def text(self, value: Any) -> str:
        return f"{value:#x}" if self.hexadecimal and value else str(value)

    def _turned(self, value: int, order: Order) -> int:
        if not self.big_endian or order == BIG:
            return value
        return int.from_bytes(value.to_bytes(self.size, "big"), "little")


class raw(_Kind):
    """A byte array; the value has exactly `size` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(size, f"{size}s", 1, f"u8[{size}]")

    def give(self, value: Any, out: list[Any], order: Order, where: str) -> None:
        # struct would cut or pad in silence.
        if not isinstance(value, bytes) or len(value) != self.size:
            raise LayoutError(f"{where}: {value!r} is not {self.size} bytes")
        out.append(value)

    def text(self, value: Any) -> str:
        return str(bytes(value).hex()) or "-"


class chars(_Kind):
    """A char array holding text; zeros at its end are padding and not part of the value."""

    def __init__(self, size: int) -> None:
        super().__init__(size, f"{size}s", 1, f"char[{size}]")

    def take(self, leaves: Sequence[Any], index: int, order: Order) -> Any:
        return leaves[index].rstrip(b"\0")

    def give(self, value: Any, out: list[Any], order: Order, where: str) -> None:
        if not isinstance(value, bytes) or len(value) > self.size:
            raise LayoutError(f"{where}: {value!r} is not at most {self.size} bytes of text")
        if value.endswith(b"\0"):
            # Accepting it would make two equal images come from two unequal records.
            raise LayoutError(f"{where}: {value!r} ends in a zero byte; leave the padding out")
        out.append(value)

    def text(self, value: Any) -> str:
        return repr(bytes(value).decode("ascii", "backslashreplace"))


class _Embedded(_Kind):
    """Another record, lying flat inside this one."""

    def __init__(self, cls: "type[Record]") -> None:
        plan = cls._plan
        super().__init__(cls.SIZE - cls.LEAD, plan.codes, plan.leaves, cls.__name__)
        self.cls = cls

    def take(self, leaves: Sequence[Any], index: int, order: Order) -> Any:
        return self.cls._from_leaves(leaves[index : index + self.leaves], order)

    def give(self, value: Any, out: list[Any], order: Order, where: str) -> None:
        if type(value) is not self.cls:
            raise LayoutError(f"{where}: {value!r} is not a {self.cls.__name__}")
        try:
            out.extend(value._to_leaves(order))
        except LayoutError as error:
            raise LayoutError(f"{where}: {error}") from None


class _Array(_Kind):
    """A fixed number of equal elements; the value is a tuple."""

    def __init__(self, of: _Kind, count: int) -> None:
        label = f"{of.label}[{count}]"
        super().__init__(of.size * count, of.codes * count, of.leaves * count, label)
        self.of, self.count = of, count

    def take(self, leaves: Sequence[Any], index: int, order: Order) -> Any:
        # Long arrays hold the same thing many times (64 default signal actions): records cannot
        # change, so equal neighbours are one.
        of, step = self.of, self.of.leaves
        taken: list[Any] = []
        before: Sequence[Any] | None = None
        for start in range(index, index + self.count * step, step):
            words = leaves[start : start + step]
            taken.append(taken[-1] if words == before else of.take(leaves, start, order))
            before = words
        return tuple(taken)

    def give(self, value: Any, out: list[Any], order: Order, where: str) -> None:
        if not isinstance(value, tuple) or len(value) != self.count:
            raise LayoutError(f"{where}: {value!r} is not a tuple of {self.count}")
        before, step = None, self.of.leaves
        for i, element in enumerate(value):
            if element is before:
                out += out[-step:]
            else:
                self.of.give(element, out, order, f"{where}[{i}]")
            before = element

    def text(self, value: Any) -> str:
        return "[" + " ".join(self.of.text(element) for element in value) + "]"


class _Rest:
    """All that remains: elements of one kind, or plain bytes when `of` is None.

    `slack` zero bytes follow the last element: C code that allocates sizeof(struct) + n * size
    of a struct whose array begins before its tail padding writes them.
    """

    def __init__(self, of: _Kind | None, slack: int = 0) -> None:
        self.of, self.slack = of, slack
        self.label = "bytes" if of is None else f"{of.label}[]"

    def unpack(self, data: memoryview, order: Order, where: str) -> Any:
        content, slack = data[: len(data) - self.slack], data[len(data) - self.slack :]
        if len(data) < self.slack or any(slack):
            raise LayoutError(f"{where}: {self.slack} zero bytes must follow the last element")
        if self.of is None:
            return bytes(content)
        count, odd = divmod(len(content), self.of.size)
        if odd:
            raise LayoutError(f"{where}: {len(content)} bytes are no whole number of {self.label}")
        leaves = struct.unpack(f"{order}{self.of.codes * count}", content)
        return _Array(self.of, count).take(leaves, 0, order)

    def pack(self, value: Any, order: Order, where: str) -> bytes:
        if self.of is None:
            if not isinstance(value, bytes):
                raise LayoutError(f"{where}: {value!r} is not bytes")
            return value + bytes(self.slack)
        if not isinstance(value, tuple):
            raise LayoutError(f"{where}: {value!r} is not a tuple")
        out: list[Any] = []
        _Array(self.of, len(value)).give(value, out, order, where)
        return struct.pack(f"{order}{self.of.codes * len(value)}", *out) + bytes(self.slack)

    def text(self, value: Any) -> str:
        if self.of is None:
            return f"{len(value)} bytes"
        return _Array(self.of, len(value)).text(value)


def array(of: Any, count: int) -> _Array:
    """`count` elements: array(u32, 8), array(SomeRecord, 8)."""
    return _Array(_kind_of(of, "array"), count)


def rest(of: Any, *, slack: int = 0) -> _Rest:
    """The flexible array at the end of a record, and `slack` zero bytes after it."""
    return _Rest(_kind_of(of, "rest"), slack)


def rest_bytes() -> _Rest:
    """Plain bytes to the end of the record."""
    return _Rest(None)


u8 = Annotated[int, Scalar("B")]
u16 = Annotated[int, Scalar("H")]
u32 = Annotated[int, Scalar("I")]
u64 = Annotated[int, Scalar("Q")]
s8 = Annotated[int, Scalar("b")]
s16 = Annotated[int, Scalar("h")]
s32 = Annotated[int, Scalar("i")]
s64 = Annotated[int, Scalar("q")]
hex8 = Annotated[int, Scalar("B", hexadecimal=True)]
hex16 = Annotated[int, Scalar("H", hexadecimal=True)]
hex32 = Annotated[int, Scalar("I", hexadecimal=True)]
hex64 = Annotated[int, Scalar("Q", hexadecimal=True)]
be16 = Annotated[int, Scalar("H", hexadecimal=True, big_endian=True)]
be32 = Annotated[int, Scalar("I", hexadecimal=True, big_endian=True)]


def at(doc: str, *, default: Any = MISSING, must_be: Any = MISSING) -> Any:
    """Declare a field: what it means, its default, and the only value it may have."""
    metadata = {"doc": doc, "must_be": must_be}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field as it lies in the record."""

    name: str
    offset: int
    kind: _Kind
    doc: str
    must_be: Any


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that pack and unpack need to know about a class, found once."""

    fields: tuple[FieldPlan, ...]
    tail: str
    tail_kind: _Rest | None
    tail_doc: str
    codes: str
    leaves: int
    structs: dict[str, struct.Struct]
    names: tuple[str, ...]
    plain: Callable[[Any], tuple[Any, ...]] | None
    fixed: tuple[tuple[str, Any], ...]


class Record:
    """Base of all records. Use it with @record(size=...)."""

    LEAD: ClassVar[int] = 0
    SIZE: ClassVar[int] = 0
    _plan: ClassVar[_Plan]

    def invalid(self) -> str | None:
        """Say in words why these values cannot be, or None."""
        return None

    @classmethod
    def fixed_bytes(cls) -> int:
        """How many bytes pack() gives, without a flexible tail."""
        return cls.SIZE - cls.LEAD

    @classmethod
    def is_flexible(cls) -> bool:
        """Does a tail of unknown length follow the fixed part?"""
        return cls._plan.tail_kind is not None

    def pack(self, order: Order) -> bytes:
        """The bytes of this record, without the LEAD in front of it."""
        plan = self._plan
        if plan.plain is not None:
            self._refuse_invalid()
            try:
                packed = plan.structs[order].pack(*plan.plain(self))
            except struct.error:
                # The slow way finds the field and says a sentence.
                packed = plan.structs[order].pack(*self._to_leaves(order))
        else:
            packed = plan.structs[order].pack(*self._to_leaves(order))
        if plan.tail_kind is not None:
            where = f"{type(self).__name__}.{plan.tail}"
            packed += plan.tail_kind.pack(getattr(self, plan.tail), order, where)
        return packed

    @classmethod
    def unpack(cls, data: Bytes, order: Order) -> Self:
        """Exactly these bytes as a record."""
        plan = cls._plan
        size, tail = cls.SIZE - cls.LEAD, plan.tail_kind
        if len(data) != size and (tail is None or len(data) < size):
            least = "at least " if tail is not None else ""
            raise LayoutError(f"{cls.__name__} has {least}{size} bytes, not {len(data)}")
        leaves = plan.structs[order].unpack_from(data, 0)
        if tail is None:
            return cls._from_leaves(leaves, order)
        where = f"{cls.__name__}.{plan.tail}"
        content = tail.unpack(memoryview(data)[size:], order, where)
        return cls._from_leaves(leaves, order, {plan.tail: content})

    @classmethod
    def unpack_from(cls, buffer: Bytes, order: Order, offset: int = 0) -> Self:
        """The record that begins at `offset` of a larger buffer."""
        plan, size = cls._plan, cls.SIZE - cls.LEAD
        if plan.tail_kind is not None:
            raise LayoutError(f"{cls.__name__} ends in a flexible tail: unpack() it from a slice")
        if not 0 <= offset <= len(buffer) - size:
            raise LayoutError(f"{cls.__name__} has {size} bytes, {len(buffer) - offset} are left")
        return cls._from_leaves(plan.structs[order].unpack_from(buffer, offset), order)

    @classmethod
    def _from_leaves(
        cls, leaves: Sequence[Any], order: Order, tail: dict[str, Any] | None = None
    ) -> Self:
        plan = cls._plan
        # Writing into the dictionary avoids one guarded setattr per field of a frozen class.
        self = object.__new__(cls)
        values = self.__dict__
        if plan.plain is not None:
            values.update(zip(plan.names, leaves))
        else:
            index = 0
            for item in plan.fields:
                values[item.name] = item.kind.take(leaves, index, order)
                index += item.kind.leaves
        if tail is not None:
            values.update(tail)
        self._refuse_invalid()
        return self

    def _to_leaves(self, order: Order) -> list[Any]:
        self._refuse_invalid()
        out: list[Any] = []
        for item in self._plan.fields:
            where = f"{type(self).__name__}.{item.name}"
            item.kind.give(getattr(self, item.name), out, order, where)
        return out

    def _refuse_invalid(self) -> None:
        for name, value in self._plan.fixed:
            if getattr(self, name) != value:
                found = getattr(self, name)
                raise LayoutError(f"{type(self).__name__}.{name} must be {value!r}, not {found!r}")
        if reason := self.invalid():
            raise LayoutError(f"{type(self).__name__}: {reason}")

    def texts(self) -> Iterator[tuple[str, str]]:
        """(field, value in words) for people; padding and other fixed values are left out."""
        plan = self._plan
        for item in plan.fields:
            if item.must_be is MISSING:
                yield item.name, item.kind.text(getattr(self, item.name))
        if plan.tail_kind is not None:
            yield plan.tail, plan.tail_kind.text(getattr(self, plan.tail))

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={text}" for name, text in self.texts())
        return f"{type(self).__name__}({inside})"


R = TypeVar("R", bound=Record)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(at,))
def record(*, size: int) -> Callable[[type[R]], type[R]]:
    """Make a Record class: frozen, keyword-only, `size` bytes long including its LEAD."""

    def decorate(cls: type[R]) -> type[R]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        made._plan = _plan_of(made)
        made.SIZE = made.LEAD + struct.calcsize("=" + made._plan.codes)
        if made.SIZE != size:
            raise LayoutError(f"{cls.__name__} declares {size} bytes, its fields have {made.SIZE}")
        return made

    return decorate


def describe(cls: type[Record]) -> Iterator[tuple[int, str, str, str]]:
    """(offset, name, type, doc) of every field: what a format document prints."""
    for item in cls._plan.fields:
        yield item.offset, item.name, item.kind.label, item.doc
    if cls._plan.tail_kind is not None:
        yield cls.SIZE, cls._plan.tail, cls._plan.tail_kind.label, cls._plan.tail_doc


def _kind_of(hint: Any, where: str) -> _Kind:
    kind = _kind_or_rest(hint, where)
    if isinstance(kind, _Rest):
        raise LayoutError(f"{where}: a flexible array can only be the last field of a record")
    return kind


def _kind_or_rest(hint: Any, where: str) -> _Kind | _Rest:
    if get_origin(hint) is Annotated:
        for extra in get_args(hint)[1:]:
            if isinstance(extra, Scalar | raw | chars | _Array | _Rest):
                return extra
    if isinstance(hint, Scalar | raw | chars):
        return hint
    if isinstance(hint, type) and issubclass(hint, Record):
        if hint.is_flexible():
            raise LayoutError(f"{where}: {hint.__name__} has a flexible tail")
        return _Embedded(hint)
    raise LayoutError(f"{where}: {hint!r} has no width")


def _plan_of(cls: type[Record]) -> _Plan:
    hints = get_type_hints(cls, include_extras=True)
    plans: list[FieldPlan] = []
    tail, tail_kind, tail_doc, offset = "", None, "", cls.LEAD
    for item in fields(cls):  # type: ignore[arg-type]  # the decorator made it a dataclass
        where = f"{cls.__name__}.{item.name}"
        if "doc" not in item.metadata:
            raise LayoutError(f"{where}: declare it with at()")
        if tail_kind is not None:
            raise LayoutError(f"{where} follows a flexible array")
        kind = _kind_or_rest(hints[item.name], where)
        if isinstance(kind, _Rest):
            tail, tail_kind, tail_doc = item.name, kind, item.metadata["doc"]
            continue
        must_be = item.metadata["must_be"]
        plans.append(FieldPlan(item.name, offset, kind, item.metadata["doc"], must_be))
        offset += kind.size
    codes = "".join(plan.kind.codes for plan in plans)
    names = tuple(plan.name for plan in plans)
    return _Plan(
        fields=tuple(plans),
        tail=tail,
        tail_kind=tail_kind,
        tail_doc=tail_doc,
        codes=codes,
        leaves=sum(plan.kind.leaves for plan in plans),
        structs={LITTLE: struct.Struct(LITTLE + codes), BIG: struct.Struct(BIG + codes)},
        names=names,
        plain=_plain_getter(plans),
        fixed=tuple((p.name, p.must_be) for p in plans if p.must_be is not MISSING),
    )


def _plain_getter(plans: list[FieldPlan]) -> Callable[[Any], tuple[Any, ...]] | None:
    """For records of ordinary integers: all values at once, ready for struct."""
    if not plans or not all(
        isinstance(plan.kind, Scalar) and not plan.kind.big_endian for plan in plans
    ):
        return None
    names = [plan.name for plan in plans]
    if len(names) > 1:
        return attrgetter(*names)
    only = names[0]
    return lambda record: (getattr(record, only),)
