"""Records for tests: blank ones, and hypothesis strategies that know every field's width."""

from dataclasses import MISSING
from typing import Any

from hypothesis import strategies as st

from cr.image.schema import CHAPTERS, records_of
from emu import layout
from emu.layout import Record


def all_records() -> list[type[Record]]:
    """Every record class of the format."""
    return [cls for chapter in CHAPTERS for cls in records_of(chapter)]


def blank(cls: type[Record], **values: object) -> Record:
    """All fields zero or empty, but fixed values, defaults, and what is given."""
    fields = {plan.name: _zero(plan.kind) for plan in cls._plan.fields}
    fields |= {plan.name: plan.must_be for plan in cls._plan.fields if plan.must_be is not MISSING}
    defaults = {
        name: field.default
        for name, field in cls.__dataclass_fields__.items()  # type: ignore[attr-defined]
        if field.default is not MISSING
    }
    return cls(**(fields | defaults | values))


def _zero(kind: Any) -> Any:
    match kind:
        case layout.Scalar():
            return 0
        case layout.raw():
            return bytes(kind.size)
        case layout.chars():
            return b""
        case layout._Embedded():
            return blank(kind.cls)
        case layout._Array():
            return (_zero(kind.of),) * kind.count
    raise AssertionError(f"no zero for {kind!r}")


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Everything that one field can hold."""
    match kind:
        case layout.Scalar():
            edges = st.sampled_from([kind.low, kind.high, 0])
            return st.one_of(st.integers(kind.low, kind.high), edges)
        case layout.raw():
            return st.binary(min_size=kind.size, max_size=kind.size)
        case layout.chars():
            return st.binary(max_size=kind.size).map(lambda text: text.rstrip(b"\0"))
        case layout._Embedded():
            parts = {
                plan.name: st.just(plan.must_be)
                if plan.must_be is not MISSING
                else values_of(plan.kind)
                for plan in kind.cls._plan.fields
            }
            return st.builds(kind.cls, **parts)
        case layout._Array():
            return st.tuples(*[values_of(kind.of)] * kind.count)
        case layout._Rest() if kind.of is None:
            return st.binary(max_size=64)
        case layout._Rest():
            return st.lists(values_of(kind.of), max_size=3).map(tuple)
    raise AssertionError(f"no values for {kind!r}")
