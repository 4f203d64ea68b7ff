"""From one version of the framed format to the one before it, and back.

A Step says what a version had not yet, or had in other words: records with fewer fields, records
that were not there. `down` and `up` do the rest, record by record:

- a field that the older record lacks must have the value that its Change calls absent, and gets it
  on the way up; fields with the same name are the same;
- what the older version has no number for is refused by name;
- what needs to see more than one record (the tree, a CPU of many units) is a pass of its own.

Steps are chained: v20 is v23-rc2 after three of them. Numbers change last, all at once: until then
records have their native ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, NoReturn, TypeVar

from cr.image import types as t
from cr.image.dialects.frames import Frame
from cr.image.errors import ImageError
from cr.image.header import Objref
from cr.image.types import Framed
from emu.layout import LayoutError, Order, Record

R = TypeVar("R", bound=Record)


class Passage:
    """One image on its way: who says no, and what was left out."""

    def __init__(self, dialect: str, order: Order) -> None:
        self.dialect, self.order = dialect, order
        self.lost: list[str] = []

    def no(self, frame: Frame, sentence: str) -> NoReturn:
        """The older version has no place for this."""
        name = t.record_name(frame.type_no)
        sentence = f"{self.dialect} has no place for {sentence}"
        raise ImageError(frame.offset, name, sentence) from None

    def refuse(self, frame: Frame, sentence: str) -> NoReturn:
        """The image is wrong."""
        raise ImageError(frame.offset, f"type {frame.type_no}", sentence) from None

    def lose(self, what: str) -> None:
        """This is left out, and told."""
        if what not in self.lost:
            self.lost.append(what)

    def unpack(self, cls: type[R], frame: Frame) -> R:
        """The record of a frame. Raises ImageError."""
        try:
            return cls.unpack(frame.payload, self.order)
        except LayoutError as error:
            self.refuse(frame, str(error))

    def packed(self, type_no: int, record: Record, like: Frame) -> Frame:
        """A frame of a record, in the place of another one."""
        try:
            return Frame(type_no, record.pack(self.order), like.offset)
        except LayoutError as error:
            self.refuse(like, str(error))


@dataclass(frozen=True, slots=True)
class Change:
    """One record that had fewer fields."""

    newer: type[Framed]
    older: type[Framed]
    absent: Mapping[str, Any]
    """What it means that a field of the newer record is not there."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Fields that are left out with these words, instead of a refusal."""

    def narrowed(self, passage: Passage, frame: Frame) -> Frame:
        """The older record of a newer one."""
        record = passage.unpack(self.newer, frame)
        for name, value in self.absent.items():
            if getattr(record, name) == value:
                continue
            if name in self.told:
                passage.lose(self.told[name])
                continue
            what = f"{self.newer.__name__}.{name} = {getattr(record, name)!r}"
            passage.no(frame, f"{what}: without it, it is {value!r}")
        return passage.packed(frame.type_no, renamed(record, self.older, {}), frame)

    def widened(self, passage: Passage, frame: Frame) -> Frame:
        """The newer record of an older one."""
        record = passage.unpack(self.older, frame)
        try:
            newer = renamed(record, self.newer, self.absent)
        except LayoutError as error:
            passage.refuse(frame, str(error))
        return passage.packed(frame.type_no, newer, frame)


def renamed(record: Record, cls: type[R], absent: Mapping[str, Any], **given: Any) -> R:
    """A record of the other class with the values of the fields that both have.

    Raises LayoutError. `given` are fields that have the same name and another shape.
    """
    names = {one.name for one in fields(cls)}  # type: ignore[arg-type]
    fixed = {name for name in names if name.startswith("pad")}
    shared = {name: getattr(record, name) for name in names - fixed if hasattr(record, name)}
    return cls(**{**{k: v for k, v in absent.items() if k in names}, **shared, **given})


Pass = Callable[[Passage, list[Frame]], list[Frame]]


@dataclass(frozen=True, slots=True)
class Step:
    """What one version differs in from the next. All numbers are native ones."""

    name: str
    """Of the older one."""
    changes: Mapping[int, Change] = field(default_factory=dict)
    """By record type."""
    missing: Mapping[int, str] = field(default_factory=dict)
    """Record types that it has not: type -> what they hold, in words."""
    first_down: tuple[Pass, ...] = ()
    """On the newer records, before anything else."""
    last_up: tuple[Pass, ...] = ()
    """On the newer records, after everything else."""

    def down(self, passage: Passage, frames: list[Frame]) -> list[Frame]:
        """Newer -> older. Raises ImageError."""
        for one in self.first_down:
            frames = one(passage, frames)
        for frame in frames:
            if frame.type_no in self.missing:
                passage.no(frame, self.missing[frame.type_no])
        return [
            self.changes[frame.type_no].narrowed(passage, frame)
            if frame.type_no in self.changes
            else frame
            for frame in frames
        ]

    def up(self, passage: Passage, frames: list[Frame]) -> list[Frame]:
        """Older -> newer. Raises ImageError."""
        for frame in frames:
            if frame.type_no in self.missing:
                passage.refuse(frame, f"{passage.dialect} has no such record")
        frames = [
            self.changes[frame.type_no].widened(passage, frame)
            if frame.type_no in self.changes
            else frame
            for frame in frames
        ]
        for one in self.last_up:
            frames = one(passage, frames)
        return frames


@dataclass(frozen=True, slots=True)
class Numbering:
    """How a dialect numbers records and objects."""

    types: Mapping[int, int]
    """Native record type -> the number here; what is not in it has the same in both."""
    objects: Mapping[int, int]
    """Native object type -> the number here; what is not in it is not there."""

    def down(self, passage: Passage, frames: list[Frame]) -> list[Frame]:
        """Native numbers -> those of the dialect. Raises ImageError."""
        found = []
        for frame in frames:
            number = self.types.get(frame.type_no, frame.type_no)
            if number < 0 or frame.type_no not in _known_types():
                passage.no(frame, f"records of type {t.record_name(frame.type_no)}")
            if frame.type_no == t.HDR_OBJREF:
                frame = _with_object(passage, frame, self.objects)
            found.append(Frame(number, frame.payload, frame.offset))
        return found

    def up(self, passage: Passage, frames: list[Frame]) -> list[Frame]:
        """Numbers of the dialect -> native ones. Raises ImageError."""
        here = {number: self.types.get(number, number) for number in _known_types()}
        natives = {older: newer for newer, older in here.items() if older >= 0}
        objects = {older: newer for newer, older in self.objects.items()}
        found = []
        for frame in frames:
            number = natives.get(frame.type_no, -1)
            if number < 0:
                passage.refuse(frame, f"{passage.dialect} has no such record")
            frame = Frame(number, frame.payload, frame.offset)
            if number == t.HDR_OBJREF:
                frame = _with_object(passage, frame, objects)
            found.append(frame)
        return found


@cache
def _known_types() -> frozenset[int]:
    """The record types that linux-cr has; PowerPC's tagged units are ours."""
    units = (t.HDR_CPU_FP, t.HDR_CPU_ALTIVEC, t.HDR_CPU_VSX, t.HDR_CPU_DABR, t.HDR_CPU_SPE)
    ours = {*t.EXTENSION_TYPES, *units}
    named = {value for name, value in vars(t).items() if name.startswith("HDR_")}
    return frozenset(named - ours)


def _with_object(passage: Passage, frame: Frame, numbers: Mapping[int, int]) -> Frame:
    objref = passage.unpack(Objref, frame)
    kind = numbers.get(objref.objtype, -1)
    if kind < 0:
        passage.no(frame, f"objects of type {t.object_name(objref.objtype)}")
    return passage.packed(frame.type_no, Objref(objtype=kind, objref=objref.objref), frame)
