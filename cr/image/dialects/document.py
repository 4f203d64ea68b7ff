"""Print the dialects: what each can express, and its records, as docs/DIALECTS.md."""

from __future__ import annotations

from collections.abc import Iterator

from cr.image.dialects.shape import Alias
from cr.image.dialects.table import ALIASES, DIALECTS, NATIVE
from emu.layout import Record, describe

INTRODUCTION = f"""\
# The dialects of the image format

This file is generated from the declarations in `cr/image/dialects/`; do not edit it
(`make docs`).

The format changed with nearly every posting, and its revision number did not. `{NATIVE}` is the
native one: `docs/FORMAT.md` has its records, and it alone is restarted. An image of another
dialect is recognized by the numbers and lengths of its first records, and upgraded;
`cr convert IMAGE --to DIALECT -o OUT` writes one. What a dialect has no place for is refused by
name; what a restarted program can do without (the virtual clock, the order of the run queue) is
left out, and `cr convert` tells it. Whatever is UNVERIFIED is so marked in its source.

Not here: v3 to v5, of which no layout is known, and the states of the headers between two postings.
"""


def format_document() -> str:
    """All of docs/DIALECTS.md."""
    lines = [INTRODUCTION, "| dialect | what it is |", "|---|---|"]
    lines += [f"| `{dialect.name}` | {dialect.title} |" for dialect in DIALECTS]
    lines += ["", "These names stand for one of them, for `cr convert` too:", ""]
    lines += ["| version | is read and written as | because |", "|---|---|---|"]
    lines += [f"| `{one.name}` | `{_stands_for(one)}` | {one.reason} |" for one in ALIASES]
    lines.append("")
    shown: dict[type[Record], str] = {}
    for dialect in DIALECTS:
        lines += [f"## {dialect.name}", "", f"{_sentence(dialect.title)}", ""]
        lines += [f"Refused: {dialect.refuses}.", ""]
        lines += [f"An upgraded image gets: {dialect.defaults}.", ""]
        for cls in dialect.records:
            if cls in shown:
                lines += [f"{cls.__name__}: as in `{shown[cls]}`.", ""]
            else:
                shown[cls] = dialect.name
                lines += _record(cls)
    return "\n".join(lines)


def _stands_for(alias: Alias) -> str:
    return next(one.name for one in DIALECTS if one.read is alias.dialect.read)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _record(cls: type[Record]) -> Iterator[str]:
    more = " and more" if cls.is_flexible() else ""
    yield f"### {cls.__name__}, {cls.SIZE} bytes{more}"
    yield ""
    yield from (line.strip() for line in (cls.__doc__ or "").strip().split("\n"))
    yield ""
    rows = list(describe(cls))
    if rows:
        yield "| offset | field | type | meaning |"
        yield "|---|---|---|---|"
        yield from (f"| {offset} | {name} | {kind} | {doc} |" for offset, name, kind, doc in rows)
        yield ""
