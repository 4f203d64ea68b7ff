"""What a dialect says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emu.layout import Bytes, Record


@dataclass(frozen=True, slots=True)
class Converted:
    """An image in another dialect, and what it lacks."""

    image: bytes
    lost: tuple[str, ...] = ()
    """What the other dialect has no place for and a restarted program can do without."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies in an image; or bytes that have no frame."""

    begin: int
    end: int
    type_no: int
    """As it is in the image; -1: there is no frame."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One format of an image."""

    name: str
    title: str
    """Which posted versions it is, and when."""
    recognizes: Callable[[Bytes], bool]
    """Is this image one? Looks at numbers and lengths only; never fails."""
    read: Callable[[Bytes], bytes]
    """Old image -> native image. Raises ImageError."""
    write: Callable[[Bytes], Converted]
    """Native image -> old image. Raises ImageError where it has no place for something."""
    places: Callable[[Bytes], list[Place]]
    """Where the records lie, up to where the image stops making sense. Never fails."""
    frame_bits: int
    """How wide type and length of a frame are: 16 bits in 2008, later 32."""
    records: tuple[type[Record], ...]
    """The records that it declares itself."""
    refuses: str
    """What it cannot express, in words."""
    defaults: str
    """What an upgraded image gets where this one says nothing, in words."""
    excerpt: Callable[[Bytes], Converted] | None = None
    """Native image -> old image without what would be refused. Only of a dialect that no program
    fits: what is left cannot be restarted, so it must be asked for. Raises ImageError."""
    tell: Callable[[Bytes], dict[str, str | int]] | None = None
    """What such an image says, by name. Raises ImageError."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Another version that wrote the same bytes."""

    name: str
    dialect: Dialect
    """What reads and writes it."""
    reason: str
    """Why nothing in the bytes tells them apart, in words."""
