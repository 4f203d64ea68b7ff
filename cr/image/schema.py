"""Print the format: every record, every field, as docs/FORMAT.md.

Run `python -m cr.image.schema > docs/FORMAT.md` after changing a record; a test compares.
"""

import importlib
import inspect
import sys
from collections.abc import Iterator

from cr.image.types import EXTENSION_TYPES, FRAME_BYTES, Framed, record_name
from emu.layout import Record, describe

CHAPTERS = (
    "cr.image.header",
    "cr.image.tree",
    "cr.image.task",
    "cr.image.files",
    "cr.image.memory",
    "cr.image.signals",
    "cr.image.security",
    "cr.image.namespaces",
    "cr.image.ipc",
    "cr.image.sockets",
    "cr.image.terminals",
    "cr.image.arch.x86",
    "cr.image.arch.powerpc",
    "cr.image.calls",
    "cr.image.extensions",
    "cr.image.locks",
    "cr.image.mounts",
    "cr.image.network",
    "cr.image.pipes",
    "cr.image.nameless",
    "cr.image.watches",
)
CHAPTERS_OF_OURS = (
    "cr.image.arch.powerpc",
    "cr.image.calls",
    "cr.image.extensions",
    "cr.image.locks",
    "cr.image.mounts",
    "cr.image.network",
    "cr.image.pipes",
    "cr.image.nameless",
    "cr.image.watches",
)

INTRODUCTION = f"""\
# The image format

This file is generated from the declarations in `cr/image/`; do not edit it
(`python -m cr.image.schema > docs/FORMAT.md`).

An image is a row of records. Each begins with a frame of {FRAME_BYTES} bytes: its type and its
total length, both u32. Nothing is aligned and nothing lies between records. The byte order is
that of the machine that wrote the image, and the magic of the first record tells it. Offsets
below count the frame where the record has one. Records marked **ours** are not in linux-cr.
"""


def records_of(module_name: str) -> Iterator[type[Record]]:
    """The records that one module declares, in its order."""
    for value in vars(importlib.import_module(module_name)).values():
        if inspect.isclass(value) and issubclass(value, Record) and value not in (Record, Framed):
            if value.__module__ == module_name:
                yield value


def format_document() -> str:
    """All of docs/FORMAT.md."""
    return "\n".join([INTRODUCTION, *(_chapter(name) for name in CHAPTERS)])


def _chapter(module_name: str) -> str:
    module = importlib.import_module(module_name)
    title, _, text = (module.__doc__ or "").partition("\n")
    grammar = "\n".join(_grammar(text))
    parts = [
        f"## {title.rstrip('.')}",
        "",
        f"Declared in `{module_name.replace('.', '/')}.py`.",
        "",
    ]
    if grammar:
        parts += ["```", grammar, "```", ""]
    for cls in records_of(module_name):
        parts += _record(cls, module_name in CHAPTERS_OF_OURS)
    return "\n".join(parts)


def _grammar(text: str) -> Iterator[str]:
    """The indented lines behind "Image grammar:"."""
    _, found, after = text.partition("Image grammar:\n")
    if not found:
        return
    lines = after.strip("\n").split("\n")
    for line in lines:
        if line and not line.startswith("    "):
            return
        if line:
            yield line[4:]


def _record(cls: type[Record], ours: bool) -> Iterator[str]:
    number = cls.TYPE if issubclass(cls, Framed) else 0
    shown = f"{number:#x}" if number in EXTENSION_TYPES else str(number)
    frame = f", {record_name(number)} = {shown}" if number else ""
    more = " and more" if cls.is_flexible() else ""
    yield f"### {cls.__name__}{frame}, {cls.SIZE} bytes{more}{' (**ours**)' if ours else ''}"
    yield ""
    yield from (line.strip() for line in (cls.__doc__ or "").strip().split("\n"))
    yield ""
    rows = list(describe(cls))
    if rows:
        yield "| offset | field | type | meaning |"
        yield "|---|---|---|---|"
        for offset, name, kind, doc in rows:
            yield f"| {offset} | {name} | {kind} | {doc.replace('|', chr(92) + '|')} |"
        yield ""


if __name__ == "__main__":
    sys.stdout.write(format_document())
