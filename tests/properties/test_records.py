"""Law 1: what was packed is what is unpacked, in both byte orders, for every record."""

from dataclasses import MISSING, replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cr.image.arch.formats import FORMATS
from cr.image.files import File, FileGeneric
from cr.image.header import ErrorMark, Frame
from cr.image.memory import HugePage
from cr.image.walk import walk
from emu.layout import BIG, LITTLE, LayoutError, Record
from tests.properties.records import all_records, values_of
from tests.unit.image.specimen import Specimen

RECORDS = [pytest.param(cls, id=f"{cls.__module__}.{cls.__name__}") for cls in all_records()]
UNHURRIED = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def seeds() -> dict[type[Record], Record]:
    """A record of every class that is certainly possible: those of the specimens."""
    found: dict[type[Record], Record] = {
        Frame: Frame(type=1, len=8),
        ErrorMark: ErrorMark(),
        HugePage: HugePage(vaddr_or_index=0, shift=21),
    }

    def add(value: object) -> None:
        if isinstance(value, tuple):
            for element in value:
                add(element)
        elif isinstance(value, Record):
            found.setdefault(type(value), value)
            for field in vars(value).values():
                add(field)

    for arch_id in FORMATS:
        for item in walk(Specimen(arch_id).build()):
            add(item.value)
    file = next(record for record in found.values() if isinstance(record, FileGeneric))
    found[File] = File(**vars(file))
    return found


def there_and_back(record: Record) -> bool:
    """Law 1 for one record; False when it says that it cannot be."""
    cls = type(record)
    for order in (LITTLE, BIG):
        try:
            packed = record.pack(order)
        except LayoutError as error:
            assert cls.__name__ in str(error)
            return False
        back = cls.unpack(packed, order)
        assert back == record and back.pack(order) == packed
        if not cls.is_flexible():
            assert cls.unpack_from(b"\xff" + packed + b"\xff", order, 1) == record
    return True


@pytest.mark.parametrize("cls", RECORDS)
def test_a_possible_record_is_known_and_comes_back(cls: type[Record]) -> None:
    assert there_and_back(seeds()[cls])


@pytest.mark.parametrize("cls", RECORDS)
@UNHURRIED
@given(data=st.data())
def test_any_change_of_a_field_comes_back_or_is_refused(
    cls: type[Record], data: st.DataObject
) -> None:
    seed, plan = seeds()[cls], cls._plan
    for field in plan.fields:
        if field.must_be is MISSING:
            value = data.draw(values_of(field.kind), label=field.name)
            there_and_back(replace(seed, **{field.name: value}))  # type: ignore[type-var]
    if plan.tail_kind is not None:
        value = data.draw(values_of(plan.tail_kind), label=plan.tail)
        there_and_back(replace(seed, **{plan.tail: value}))  # type: ignore[type-var]


@pytest.mark.parametrize("cls", RECORDS)
@UNHURRIED
@given(content=st.binary(min_size=0, max_size=700))
def test_any_bytes_are_a_record_or_a_sentence(cls: type[Record], content: bytes) -> None:
    size = cls.fixed_bytes()
    for piece in (content, content[:size].ljust(size, b"\0")):
        try:
            record = cls.unpack(piece, LITTLE)
        except LayoutError as error:
            assert str(error)
        else:
            assert record.pack(LITTLE) == piece


@pytest.mark.parametrize("cls", RECORDS)
def test_every_field_and_every_byte_counts(cls: type[Record]) -> None:
    """A changed byte gives another record or none: no byte is ignored."""
    record = seeds()[cls]
    packed = record.pack(LITTLE)
    for index in range(0, len(packed), max(1, len(packed) // 40)):
        changed = bytearray(packed)
        changed[index] ^= 0x10
        try:
            assert cls.unpack(changed, LITTLE) != record, index
        except LayoutError:
            pass
