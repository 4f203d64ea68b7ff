"""Who may import whom. Imports go down; those under TYPE_CHECKING too."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.house.source import Source


@dataclass(frozen=True)
class Room:
    """A part of the house: its floor, and the rooms that it may import besides itself."""

    floor: int
    may_import: frozenset[str]


def _room(floor: int, *may_import: str) -> Room:
    return Room(floor, frozenset(may_import))


_BYTES = ("emu.layout", "emu.printable")
_EMU = ("emu", *_BYTES, "emu.elf", "emu.disasm")
_KERNEL = ("kernel_model", "kernel_model.abi")
_ALL = (
    *_EMU,
    *_KERNEL,
    "cr.image",
    "cr",
    "cr.tools",
    "cr.system",
    "cr.cli",
    "cr.testing",
    "guests",
)

FRONT_DOOR = "cr"
"""cr/__init__.py hands the library's names on, late, from wherever they live."""

# A module belongs to the room with the longest name that fits.
ROOMS: dict[str, Room] = {
    "emu.layout": _room(0),
    "emu.printable": _room(0),
    "emu": _room(0, *_EMU),
    "emu.elf": _room(0, *_EMU),
    "emu.disasm": _room(0, *_EMU),
    "guests": _room(0),
    "kernel_model.abi": _room(1, *_BYTES),
    "kernel_model": _room(1, *_EMU, *_KERNEL),
    "cr.image": _room(1, *_BYTES),
    "cr.tools": _room(2, "cr.image", *_BYTES, "emu.elf", "emu.disasm"),
    "cr": _room(2, *_KERNEL, "cr.image", *_BYTES),
    "cr.system": _room(3, *_EMU, *_KERNEL, "cr.image", "cr", "cr.tools"),
    "cr.cli": _room(4, *_ALL),
    "cr.testing": _room(4, *_ALL),
    "tests": _room(5, *_ALL, "bench"),
    "bench": _room(5, *_ALL, "tests"),
}


def room_of(module: str) -> str | None:
    """The room of this module; None if it is not ours."""
    if module == FRONT_DOOR:
        return "cr.cli"
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in ROOMS:
            return name
    return None


def floor_violations(sources: Iterable[Source]) -> list[str]:
    """One sentence for each import that the house does not allow."""
    sources = list(sources)
    known = {source.module for source in sources}
    return [complaint for source in sources for complaint in _complaints(source, known)]


def _complaints(source: Source, known: set[str]) -> Iterator[str]:
    here = room_of(source.module)
    if here is None:
        yield f"{source.module} is in no room of the house"
        return
    for target in _imports(source.tree, known):
        there = room_of(target)
        if there is None or there == here or there in ROOMS[here].may_import:
            continue
        upstairs = ROOMS[there].floor > ROOMS[here].floor
        why = "is upstairs" if upstairs else "it must not know"
        yield f"{source.module} imports {target}, which {why}"


def _imports(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """Every module imported anywhere in the file, also inside functions and TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                # `from emu import layout` imports emu.layout, not all of emu.
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known or whole in ROOMS else node.module
        elif isinstance(node, ast.Call) and _is_import_module(node.func):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def _is_import_module(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else None
    if isinstance(function, ast.Name):
        name = function.id
    return name in ("import_module", "__import__")
