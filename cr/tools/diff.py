"""What changed from one image to another, in words: tasks, registers, memory, files, signals.

Records of the same task, type and place among their like are laid side by side, and the fields that
differ are told by their names; pages are compared by address, and a changed byte is told with the
region that it lies in (heap, stack, a file, a mapping) and, if the program's symbols are at hand,
the name of the variable. Object numbers are left out: which number an object has says nothing about
the program.

Deviates: linux-cr had no such tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cr.image.files import File, FileDesc
from cr.image.header import Objref
from cr.image.memory import Mm, Vma
from cr.image.stream import Pages
from cr.image.types import PAGE_SIZE, vma_name
from cr.tools.image_bytes import Image
from cr.tools.info import TaskInfo
from emu.layout import Record

Symbols = list[tuple[int, str]]
SymbolsOf = Callable[[TaskInfo], Symbols]
"""The symbols of the program that a task runs, where they lie in its memory."""
_ELSEWHERE = ("PGARR", "MACHINE", "FILE_TABLE")
Key = tuple[int, str, str, int]
"""Pid (0: no task's), type, role, and how many of the kind came before."""
_NEAR_BYTES = 1 << 20
_STACK_BYTES = 8 << 20
_NUMBERS = ("objref", "_ref", "offset")


@dataclass
class _Parts:
    """An image taken apart."""

    records: dict[Key, Any] = field(default_factory=dict)
    pages: dict[tuple[int, str, int], bytes] = field(default_factory=dict)
    """By pid, mapping and address (or index, of shared memory)."""
    layouts: dict[int, Mm] = field(default_factory=dict)


def changes(before: Image, after: Image, symbols: SymbolsOf | None = None) -> Iterator[str]:
    """One line for each thing that changed. Raises ImageError if one of them is no image."""
    if bytes(before) == bytes(after):
        return
    old, new = before.summary, after.summary
    if old.arch != new.arch:
        yield f"arch: {old.arch} became {new.arch}"
    if old.clock_ns != new.clock_ns:
        clocks = [
            "unsaid" if summary.clock_ns is None else f"{summary.clock_ns} ns"
            for summary in (old, new)
        ]
        yield f"virtual clock: {clocks[0]} became {clocks[1]}"
    gone = {task.pid: task for task in old.tasks}
    for task in new.tasks:
        if task.pid not in gone:
            yield f"task {task.pid} {task.comm!r}: new, {task.state}"
    here = {task.pid for task in new.tasks}
    for pid, task in gone.items():
        if pid not in here:
            yield f"task {pid} {task.comm!r}: gone"
    one, two = _parts(before), _parts(after)
    both = {0}
    for task in new.tasks:
        was = gone.get(task.pid)
        if was is not None and (was.program_counter is None) == (task.program_counter is None):
            both.add(task.pid)
            yield from _descriptors(was, task)
        elif was is not None:
            yield f"task {task.pid} {task.comm!r}: {task.state}, exit code {task.exit_code:#x}"
    yield from _records(one, two, both)
    names = {task.pid: symbols(task) for task in new.tasks if task.executable} if symbols else {}
    yield from _pages(one, two, both, names)


def _descriptors(old: TaskInfo, new: TaskInfo) -> Iterator[str]:
    before = {each.fd: each for each in old.descriptors}
    after = {each.fd: each for each in new.descriptors}
    for fd in sorted({*before, *after}):
        was, now = before.get(fd), after.get(fd)
        if was is None or now is None:
            known = was or now
            assert known is not None
            words = f"{known.kind} {known.name}".rstrip()
            yield f"{_who(new.pid)}fd {fd}: {'closed' if now is None else 'new'}, {words}"
            continue
        for name in ("kind", "name", "flags", "position", "close_on_exec"):
            one, two = getattr(was, name), getattr(now, name)
            if one != two:
                yield f"{_who(new.pid)}fd {fd}: {name} {one} became {two}"


def _parts(image: Image) -> _Parts:
    parts = _Parts()
    pids = [task.pid for task in image.tasks]
    counts: dict[tuple[int, str, str], int] = {}
    mapping = ""
    for item in image.records:
        pid = pids[item.task] if item.task is not None else 0
        if isinstance(item.value, Mm):
            parts.layouts[pid] = item.value
        if isinstance(item.value, Vma):
            vma = item.value
            kind = vma_name(vma.vma_type).lower()
            mapping = f"{kind} {vma.vm_start:#x}-{vma.vm_end:#x}"
        if isinstance(item.value, Pages):
            for address, content in item.value:
                parts.pages[pid, mapping, address] = bytes(content)
            continue
        like = (pid, item.name, item.role)
        number = counts[like] = counts.get(like, -1) + 1
        parts.records[(*like, number)] = item.value
    return parts


def _region(layout: Mm | None, addr: int) -> str:
    """What a person calls the place of an address; "" when it has no name but its mapping's."""
    if layout is None:
        return ""
    if layout.start_brk <= addr < layout.brk:
        return "the heap"
    if layout.start_data <= addr < max(layout.end_data, layout.start_brk):
        return "the program's data"
    # The stack pointer at exec: what the kernel put there is above, the program's is below.
    if 0 <= layout.start_stack - addr < _STACK_BYTES or 0 <= addr - layout.start_stack < PAGE_SIZE:
        return "the stack"
    return ""


def _records(one: _Parts, two: _Parts, both: set[int]) -> Iterator[str]:
    for key, value in one.records.items():
        pid, name, *_ = key
        other = two.records.get(key)
        if pid not in both or _is_told_elsewhere(value, name):
            continue
        where = _where(key)
        if other is None:
            yield f"{where}: gone"
        elif isinstance(value, Record) and isinstance(other, type(value)):
            yield from _fields(where, value, other)
        elif isinstance(value, memoryview) and isinstance(other, memoryview):
            yield from _bytes(where, bytes(value), bytes(other))
    for key in two.records:
        pid, name, *_ = key
        if (
            key not in one.records
            and pid in both
            and not _is_told_elsewhere(two.records[key], name)
        ):
            yield f"{_where(key)}: new"


def _is_told_elsewhere(value: Any, name: str) -> bool:
    return isinstance(value, File | FileDesc | Objref) or name in _ELSEWHERE


def _where(key: Key) -> str:
    pid, name, role, number = key
    plain = role or name.lower()
    return f"{_who(pid)}{plain}{f' {number + 1}' if number else ''}"


def _who(pid: int) -> str:
    return f"task {pid}: " if pid else ""


def _fields(where: str, old: Record, new: Record) -> Iterator[str]:
    before, after = dict(old.texts()), dict(new.texts())
    for name in [*before, *(name for name in after if name not in before)]:
        if any(word in name for word in _NUMBERS):
            continue
        one, two = getattr(old, name, None), getattr(new, name, None)
        if isinstance(one, tuple) and isinstance(two, tuple):
            yield from _elements(f"{where}: {name}", one, two)
        elif before.get(name) != after.get(name):
            yield f"{where}: {name} {before.get(name)} became {after.get(name)}"


def _elements(where: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{where}: {len(old)} became {len(new)}"
    for number, (one, two) in enumerate(zip(old, new)):
        if one == two:
            continue
        if isinstance(one, Record) and isinstance(two, type(one)):
            yield from _fields(f"{where}[{number}]", one, two)
        else:
            shown = [f"{each:#x}" if isinstance(each, int) else str(each) for each in (one, two)]
            yield f"{where}[{number}] {shown[0]} became {shown[1]}"


def _bytes(where: str, old: bytes, new: bytes) -> Iterator[str]:
    if old == new:
        return
    place = next((k for k, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    yield (
        f"{where}: {len(old)} bytes became {len(new)}; from byte {place} on "
        f"{old[place : place + 16]!r} became {new[place : place + 16]!r}"
    )


def _pages(one: _Parts, two: _Parts, both: set[int], symbols: dict[int, Symbols]) -> Iterator[str]:
    for place in sorted({*one.pages, *two.pages}):
        pid, mapping, address = place
        old, new = one.pages.get(place), two.pages.get(place)
        if old == new or pid not in both:
            continue
        where = f"{_who(pid)}page {address:#x} of {mapping}"
        if new is None:
            yield f"{where}: no longer saved"
            continue
        layout = two.layouts.get(pid)
        # A page that was not there before was zeros, or a file's; zeros are the better guess.
        was = old if old is not None else bytes(PAGE_SIZE)
        changed = [offset for offset in range(PAGE_SIZE) if was[offset] != new[offset]]
        if not changed:
            yield f"{where}: new, zeros"
            continue
        first = changed[0]
        name = symbol_of(symbols.get(pid, []), address + first)
        region = _region(layout, address + first)
        at = (
            f"{address + first:#x}{f' ({name})' if name else ''}{f' of {region}' if region else ''}"
        )
        if old is None:
            yield f"{where}: new, {len(changed)} bytes are not zero, the first at {at}"
        else:
            values = f"{was[first]:#04x} became {new[first]:#04x}"
            yield f"{where}: {len(changed)} bytes changed, the first at {at}: {values}"


def symbol_of(symbols: Symbols, addr: int) -> str:
    """name+offset of what an address lies in; "" when it has no name."""
    before = [pair for pair in symbols if pair[0] <= addr < pair[0] + _NEAR_BYTES]
    if not before or not max(before)[1]:
        return ""
    start, name = max(before)
    return f"{name}+{addr - start:#x}" if addr > start else name
