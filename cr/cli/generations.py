"""Print the trees that a kernel can be booted as, as docs/GENERATIONS.md."""

from __future__ import annotations

from collections.abc import Iterator

from cr.generations import GENERATIONS, LAST, CallNumbers, Generation
from cr.image import types as t
from kernel_model.syscalls.dispatch import load_numbers

INTRODUCTION = f"""\
# The trees of linux-cr

This file is generated from the declarations in `cr/generations.py`; do not edit it (`make docs`).

A kernel is booted as one of these trees (`cr.boot(arch, abi="v13")`, `--abi v13`; by default
`{LAST.name}`): numbers, arguments and flags of its calls are that tree's, and so is the format
of the images that sys_checkpoint writes and sys_restart reads (`docs/DIALECTS.md`). `--pure` images
are in that format too; without it an image is of the whole machine, in the native format, and says
which tree it was. On an architecture that a tree had not been ported to, it has none of the calls.

A number belongs to the call of the tree, whatever Linux of today uses it for: what it displaces is
in brackets. Where a program calls such a number for today's sake, it gets the old call.
"""
_FLAGS = {
    "CHECKPOINT": ((t.CHECKPOINT_SUBTREE, "SUBTREE"), (t.CHECKPOINT_NETNS, "NETNS")),
    "RESTART": (
        (t.RESTART_TASKSELF, "TASKSELF"),
        (t.RESTART_FROZEN, "FROZEN"),
        (t.RESTART_GHOST, "GHOST"),
        (t.RESTART_KEEP_LSM, "KEEP_LSM"),
        (t.RESTART_CONN_RESET, "CONN_RESET"),
    ),
}


def format_document() -> str:
    """All of docs/GENERATIONS.md."""
    lines = [INTRODUCTION]
    for generation in GENERATIONS.values():
        lines += _section(generation)
    return "\n".join(lines)


def _section(generation: Generation) -> Iterator[str]:
    yield f"## {generation.name}"
    yield ""
    title = generation.title[0].upper() + generation.title[1:]
    yield f"{title}. uname: `{generation.release}`. Images: `{generation.dialect}`."
    yield ""
    log = ", logfd" if generation.has_log else ""
    first = "pid" if generation.has_containers else "crid"
    yield f"- `checkpoint(pid, fd, flags{log})`: {_saves(generation)}."
    yield f"- `restart({first}, fd, flags{log})`: {_begins(generation)}."
    yield f"- Flags of checkpoint: {_names('CHECKPOINT', generation.checkpoint_flags)}."
    yield f"- Flags of restart: {_names('RESTART', generation.restart_flags)}."
    yield f"- CAP_SYS_ADMIN: {generation.gauge.value}."
    yield ""
    clone = generation.clone or "-"
    yield f"| ABI | checkpoint | restart | {clone} |"
    yield "|---|---|---|---|"
    for abi, table in load_numbers().items():
        yield f"| {abi} | {' | '.join(_row(generation, abi, table))} |"
    yield ""


def _saves(generation: Generation) -> str:
    if generation.has_containers:
        return "a container, or with SUBTREE the processes below `pid`; 0 is the caller"
    if generation.has_trees:
        return "the processes below `pid`, frozen or not"
    return "the caller, whatever `pid` is"


def _begins(generation: Generation) -> str:
    if generation.has_containers:
        return "the tree below `pid`, whose tasks wait in restart(0)"
    if generation.has_trees:
        return "the caller if `crid` is its own pid, and who waits for it; else wait for `crid`"
    return "the caller, whatever `crid` is"


def _names(call: str, flags: int) -> str:
    return ", ".join(name for bit, name in _FLAGS[call] if bit & flags) or "none"


def _row(generation: Generation, abi: str, table: dict[str, int]) -> list[str]:
    own = CallNumbers(table["checkpoint"], table["restart"], table["eclone"])
    numbers = own if generation.numbers is None else generation.numbers.get(abi)
    if numbers is None:
        return ["-"] * 3
    ours = {"checkpoint", "restart", "eclone"}
    today = {number: name for name, number in table.items() if name not in ours}
    given = (numbers.checkpoint, numbers.restart, numbers.clone)
    return ["-" if n is None else f"{n} ({today[n]})" if n in today else str(n) for n in given]
