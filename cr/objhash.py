"""The table of shared objects: each is written once, and known by its number from then on.

At checkpoint the key is the object itself; it is held in the table, so its identity cannot be
reused while the checkpoint lasts. At restart the key is the number. Each restored object is held
by the table until the end; what nobody else took is then let go.

Mirrors:  linux-cr checkpoint/objhash.c -- obj_lookup_add, ckpt_obj_reserve, ckpt_obj_fetch,
          ckpt_obj_insert.
Deviates: an object of the wrong type is an error with a sentence, never a crash (the original's
          obj_lookup_add was BUG_ON).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cr.image.types import object_name
from kernel_model.abi.errno import ENOMSG

if TYPE_CHECKING:
    from cr.context import Restart

T = TypeVar("T")


class Objects:
    """Checkpoint's side: numbers by object, from 1 upwards."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._held: list[Any] = []
        self._promised: set[int] = set()
        self._next = 1

    def intern(self, thing: object) -> tuple[int, bool]:
        """The number of an object, and whether it is new to the image."""
        number = self._numbers.get(id(thing))
        if number is not None:
            first = number in self._promised
            self._promised.discard(number)
            return number, first
        self._numbers[id(thing)] = number = self._next
        self._held.append(thing)
        self._next += 1
        return number, True

    def lookup(self, thing: object) -> int | None:
        """The number of an object that is in the image already."""
        number = self._numbers.get(id(thing))
        return None if number in self._promised else number

    def promise(self, thing: object) -> int:
        """The number that an object has, or will have when it is met: it is new until then."""
        number, first = self.intern(thing)
        if first:
            self._promised.add(number)
        return number

    def written(self) -> Iterator[object]:
        """Every object that is in the image."""
        return (thing for thing in self._held if self.lookup(thing) is not None)

    def reserve(self) -> int:
        """A number for something that is no object here."""
        self._next += 1
        return self._next - 1


@dataclass(slots=True)
class Restored:
    """An object of the image, and how the table lets go of it."""

    objtype: int
    thing: Any
    drop: Callable[[], None] | None


class RestoredObjects:
    """Restart's side: objects by number."""

    def __init__(self) -> None:
        self._objects: dict[int, Restored] = {}

    def insert(
        self,
        ctx: Restart,
        objref: int,
        objtype: int,
        thing: object,
        drop: Callable[[], None] | None = None,
    ) -> None:
        """Note an object; the table owns one user of it, which `drop` gives back."""
        if objref <= 0 or objref in self._objects:
            if drop is not None:
                drop()
            ctx.refuse(f"object number {objref} is not positive, or is taken")
        self._objects[objref] = Restored(objtype, thing, drop)

    def fetch(self, ctx: Restart, objref: int, objtype: int, cls: type[T]) -> T:
        """The object of a number; it must be of that type."""
        found = self._objects.get(objref)
        if found is None:
            ctx.refuse(f"there is no object {objref}")
        if found.objtype != objtype or not isinstance(found.thing, cls):
            ctx.refuse(
                f"object {objref} is a {object_name(found.objtype)}, not a {object_name(objtype)}",
                errno=ENOMSG.errno,
            )
        return found.thing

    def known(self, objref: int) -> bool:
        """Whether an object of that number was restored."""
        return objref in self._objects

    def drop_all(self) -> None:
        """Let go of everything; the newest first."""
        for restored in reversed(list(self._objects.values())):
            if restored.drop is not None:
                restored.drop()
        self._objects.clear()
