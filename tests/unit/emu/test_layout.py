"""The layout language: widths, byte orders, padding, refusals with a sentence."""

from typing import Annotated

import pytest

from emu.layout import (
    BIG,
    LITTLE,
    LayoutError,
    Record,
    array,
    at,
    be32,
    chars,
    describe,
    hex32,
    raw,
    record,
    rest,
    rest_bytes,
    s16,
    u8,
    u16,
    u32,
)


@record(size=4)
class Inner(Record):
    """A pair."""

    a: u16 = at("first")
    b: s16 = at("second")


@record(size=24)
class Outer(Record):
    """One of each."""

    LEAD = 2

    n: u16 = at("number")
    inner: Inner = at("embedded")
    many: Annotated[tuple[Inner, ...], array(Inner, 2)] = at("array")
    name: Annotated[bytes, chars(4)] = at("text")
    bits: Annotated[bytes, raw(2)] = at("bytes")
    one: u8 = at("byte", default=7)
    pad: u8 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return "thirteen brings bad luck" if self.n == 13 else None


@record(size=6)
class Tail(Record):
    """Flexible."""

    net: be32 = at("network order")
    count: u16 = at("how many")
    words: Annotated[tuple[int, ...], rest(u32, slack=2)] = at("words")


@record(size=1)
class Text(Record):
    """Flexible bytes."""

    kind: u8 = at("kind")
    content: Annotated[bytes, rest_bytes()] = at("content")


PAIR = Inner(a=1, b=-2)
OUTER = Outer(n=0x0102, inner=PAIR, many=(PAIR, PAIR), name=b"hi", bits=b"\1\2")


def test_bytes_are_where_c_would_have_them() -> None:
    little = bytes.fromhex("0201 0100feff 0100feff 0100feff 68690000 0102 07 00")
    big = bytes.fromhex("0102 0001fffe 0001fffe 0001fffe 68690000 0102 07 00")
    assert OUTER.pack(LITTLE) == little and Outer.unpack(little, LITTLE) == OUTER
    assert OUTER.pack(BIG) == big and Outer.unpack(big, BIG) == OUTER
    assert Outer.unpack_from(b"??" + big, BIG, 2) == OUTER


def test_flexible_tails_and_network_order() -> None:
    tail = Tail(net=0x7F000001, count=2, words=(1, 2))
    packed = tail.pack(LITTLE)
    assert packed == bytes.fromhex("7f000001 0200 01000000 02000000 0000")
    assert Tail.unpack(packed, LITTLE) == tail
    assert Tail.unpack(tail.pack(BIG), BIG) == tail
    assert Text.unpack(b"\5rest", BIG) == Text(kind=5, content=b"rest")
    assert Text(kind=5, content=b"").pack(BIG) == b"\5"


def test_records_are_described_and_printed() -> None:
    assert list(describe(Outer))[:4] == [
        (2, "n", "u16", "number"),
        (4, "inner", "Inner", "embedded"),
        (8, "many", "Inner[2]", "array"),
        (16, "name", "char[4]", "text"),
    ]
    assert list(describe(Tail))[-1] == (6, "words", "u32[]", "words")
    text = str(OUTER)
    assert "name='hi'" in text and "pad" not in text and "inner=Inner(a=1, b=-2)" in text


def changed(**values: object) -> Outer:
    return Outer(**(vars(OUTER) | values))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"n": 13}, "Outer: thirteen brings bad luck"),
        ({"n": 65536}, "Outer.n: 65536 does not fit u16"),
        ({"n": -1}, "Outer.n: -1 does not fit u16"),
        ({"n": "1"}, "Outer.n: '1' does not fit u16"),
        ({"inner": OUTER}, "Outer.inner: .* is not a Inner"),
        ({"many": (PAIR,)}, "Outer.many: .* is not a tuple of 2"),
        ({"many": (PAIR, Inner(a=1, b=32768))}, "32768 does not fit s16"),
        ({"name": b"hello"}, "Outer.name: .* at most 4 bytes"),
        ({"name": b"a\0"}, "Outer.name: .* ends in a zero byte"),
        ({"bits": b"\1"}, "Outer.bits: .* is not 2 bytes"),
        ({"pad": 1}, "Outer.pad must be 0, not 1"),
    ],
)
def test_what_cannot_be_is_not_packed(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(LayoutError, match=sentence):
        changed(**values).pack(LITTLE)


def test_integers_of_the_fast_way_are_named_too() -> None:
    with pytest.raises(LayoutError, match=r"Inner\.b: 40000 does not fit s16"):
        Inner(a=1, b=40000).pack(BIG)


def test_what_cannot_be_is_not_unpacked() -> None:
    packed = bytearray(OUTER.pack(LITTLE))
    packed[-1] = 1
    with pytest.raises(LayoutError, match="pad must be 0"):
        Outer.unpack(packed, LITTLE)
    packed[-1], packed[0], packed[1] = 0, 13, 0
    with pytest.raises(LayoutError, match="bad luck"):
        Outer.unpack(packed, LITTLE)


@pytest.mark.parametrize("length", [0, 1, 21, 23])
def test_lengths_must_fit(length: int) -> None:
    with pytest.raises(LayoutError, match=f"Outer has 22 bytes, not {length}"):
        Outer.unpack(bytes(length), LITTLE)


@pytest.mark.parametrize("offset", [-1, 1, 100])
def test_offsets_must_be_inside(offset: int) -> None:
    with pytest.raises(LayoutError, match="Outer has 22 bytes"):
        Outer.unpack_from(bytes(22), LITTLE, offset)


@pytest.mark.parametrize("length", [0, 5, 6, 7, 9, 11, 13])
def test_tails_must_be_whole(length: int) -> None:
    with pytest.raises(LayoutError, match="Tail"):
        Tail.unpack(bytes(length), LITTLE)


def test_slack_must_be_zero() -> None:
    with pytest.raises(LayoutError, match=r"Tail\.words: 2 zero bytes must follow"):
        Tail.unpack(bytes(7) + b"\1", LITTLE)


def test_a_flexible_record_has_no_length_of_its_own() -> None:
    with pytest.raises(LayoutError, match="flexible tail"):
        Text.unpack_from(bytes(10), LITTLE)


def test_sizes_are_checked_when_a_record_is_declared() -> None:
    with pytest.raises(LayoutError, match="Wrong declares 8 bytes, its fields have 4"):

        @record(size=8)
        class Wrong(Record):
            x: u32 = at("x")


def test_fields_without_a_width_or_a_meaning_are_refused() -> None:
    with pytest.raises(LayoutError, match=r"Bare\.x: .* has no width"):

        @record(size=4)
        class Bare(Record):
            x: int = at("x")

    with pytest.raises(LayoutError, match=r"Mute\.x: declare it with at"):

        @record(size=4)
        class Mute(Record):
            x: u32 = 0

    with pytest.raises(LayoutError, match=r"Late\.x follows a flexible array"):

        @record(size=4)
        class Late(Record):
            many: Annotated[tuple[int, ...], rest(u32)] = at("words")
            x: u32 = at("x")


def test_records_extend_records() -> None:
    @record(size=8)
    class More(Inner):
        c: hex32 = at("third")

    more = More(a=1, b=2, c=0x30)
    assert isinstance(more, Inner) and more.pack(BIG) == bytes.fromhex("0001 0002 00000030")
    assert str(more) == "More(a=1, b=2, c=0x30)"


def test_records_are_frozen_values() -> None:
    assert Inner(a=1, b=-2) == PAIR and hash(PAIR) == hash(Inner(a=1, b=-2))
    with pytest.raises(AttributeError):
        PAIR.a = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Inner(1, 2)  # type: ignore[call-arg]
