"""What is different between two kernels that should be equal, in words.

Two dumps are laid side by side; each line that differs is understood by its form and its place:
which task, and which register, signal mask, timer, file, pipe or byte of memory. What a line means
that nobody has taught this module is told as it is. The order is that of importance to whoever
looks for the cause: what a task holds comes first, the clock and the like of the machine last.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from cr.testing.snapshot import Snapshot, Where
from emu.memory import PAGE_SHIFT

_REGISTERS = re.compile(r"(\w+=[0-9a-f]+)( \w+=[0-9a-f]+)*")
_PAGE = re.compile(r"([0-9a-f]+): ([0-9a-f]{16})")
_AREA = re.compile(r"([0-9a-f]+)-([0-9a-f]+) flags ([0-9a-f]+) offset (\d+) b'(.*)'")
_UNIT = re.compile(r"(\w+) ((?:[0-9a-f]{2}){4,})")
_SIGNALS = re.compile(
    r"blocked (?P<mask>\S+) pending (?P<pending>.*) altstack (?P<altstack>\(.*\))"
)
_TIMERS = re.compile(r"timers \[(.*)\]")
_TIMER_NAMES = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
_MACHINE = re.compile(r"(clock|random|schedule seed|running) .*")
_DESCRIPTOR = re.compile(r"fd (\d+)( cloexec)?")
_MOST = 64


@dataclass(frozen=True)
class Difference:
    """One thing that differs: `kind` is a word, `what` names it; the two values as text."""

    kind: str
    pid: int
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        who = f"task {self.pid}: " if self.pid else ""
        return f"{who}{self.what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Divergence:
    """All that differs at one moment, the most telling first, and where the tasks were."""

    differences: tuple[Difference, ...]
    where: tuple[tuple[int, Where], ...] = ()

    @property
    def first(self) -> Difference:
        """What to look at first."""
        return self.differences[0]

    def lines(self) -> Iterator[str]:
        """The report as text."""
        for difference in self.differences[:_MOST]:
            yield str(difference)
        if len(self.differences) > _MOST:
            yield f"and {len(self.differences) - _MOST} more"
        concerned = {difference.pid for difference in self.differences[:_MOST]}
        for pid, where in self.where:
            if pid in concerned:
                yield f"task {pid} is at {where.pc:#x} {where.function}".rstrip()
                yield from ("  " + line for line in where.code)


def compare(expected: Snapshot, found: Snapshot) -> Divergence | None:
    """What differs; None when nothing does."""
    differences = []
    if expected.console != found.console:
        wanted = b"".join(data for _, data in expected.console)
        got = b"".join(data for _, data in found.console)
        differences.append(_bytes_differ("console", 0, "console output", wanted, got))
    if expected.text != found.text:
        differences += _by_line(expected, found)
    if not differences:
        return None
    differences.sort(key=lambda difference: difference.kind == "machine")
    return Divergence(tuple(differences), tuple(found.where.items()))


def _by_line(expected: Snapshot, found: Snapshot) -> list[Difference]:
    old, new = _lines(expected.text), _lines(found.text)
    matcher = SequenceMatcher(None, [line for _, line in old], [line for _, line in new], False)
    differences: list[Difference] = []
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        for k in range(max(i_end - i, j_end - j)):
            before = old[i + k] if i + k < i_end else None
            after = new[j + k] if j + k < j_end else None
            path = (before or after or ((), ""))[0]
            wanted, got = before[1] if before else "", after[1] if after else ""
            differences += _describe(path, wanted, got, expected, found)
    return differences


def _lines(text: str) -> list[tuple[tuple[str, ...], str]]:
    """Each line with the lines that it stands under."""
    found = []
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        while above and above[-1][0] >= indent:
            above.pop()
        found.append((tuple(words for _, words in above), bare))
        above.append((indent, bare))
    return found


def _describe(
    path: tuple[str, ...], old: str, new: str, expected: Snapshot, found: Snapshot
) -> Iterator[Difference]:
    pid = _pid(path or (old or new,))
    if _REGISTERS.fullmatch(old) and _REGISTERS.fullmatch(new):
        yield from _registers(pid, old, new)
    elif (one := _SIGNALS.fullmatch(old)) and (two := _SIGNALS.fullmatch(new)):
        yield from _signals(pid, one, two)
    elif (one := _TIMERS.fullmatch(old)) and (two := _TIMERS.fullmatch(new)):
        yield from _timers(pid, one[1], two[1])
    elif (one := _PAGE.fullmatch(old)) and (two := _PAGE.fullmatch(new)) and one[1] == two[1]:
        yield _memory(pid, path, one[1], expected.pages.get(one[2]), found.pages.get(two[2]), found)
    elif not old and (two := _PAGE.fullmatch(new)) and two[2] in found.pages:
        yield _lone_page(pid, path, two, found, "no page of its own")
    elif not new and (one := _PAGE.fullmatch(old)) and one[2] in expected.pages:
        yield _lone_page(pid, path, one, expected, "a page of its own")
    elif (one := _UNIT.fullmatch(old)) and (two := _UNIT.fullmatch(new)):
        wanted, got = bytes.fromhex(one[2]), bytes.fromhex(two[2])
        yield _bytes_differ("register", pid, f"register unit {one[1]}", wanted, got)
    elif path and path[-1].startswith("pipe") and old and new:
        wanted, got = ast.literal_eval(old), ast.literal_eval(new)
        yield _bytes_differ("pipe", pid, f"bytes of {path[-1]}{_file(path)}", wanted, got)
    elif not path and _MACHINE.fullmatch(old or new):
        yield Difference("machine", 0, "machine", _said(old), _said(new))
    else:
        yield Difference(_kind(path, old or new), pid, _place(path), _said(old), _said(new))


def _said(line: str) -> str:
    return line or "nothing"


def _pid(path: tuple[str, ...]) -> int:
    found = re.match(r"task (\d+) ", path[0])
    return int(found[1]) if found else 0


def _place(path: tuple[str, ...]) -> str:
    return " / ".join(path[1:] or path) or "machine"


def _kind(path: tuple[str, ...], line: str) -> str:
    whole = (*path, line)
    for word, kind in (
        ("timer ", "timer"),
        ("pipe", "pipe"),
        ("sighand", "signal handler"),
        ("signal", "signals"),
        ("mm", "memory"),
        ("file", "file"),
        ("fd ", "file"),
        ("ipc", "ipc"),
        ("cred", "credentials"),
        ("b'/", "disk"),
    ):
        if any(part.startswith(word) for part in whole):
            return kind
    return "task" if whole[0].startswith("task") else "machine"


def _registers(pid: int, old: str, new: str) -> Iterator[Difference]:
    wanted = dict(word.split("=") for word in old.split(" "))
    got = dict(word.split("=") for word in new.split(" "))
    for name in wanted:
        if wanted[name] != got.get(name):
            value = got.get(name)
            shown = f"{int(value, 16):#x}" if value is not None else "nothing"
            text = f"{int(wanted[name], 16):#x}"
            yield Difference("register", pid, f"register {name}", text, shown)


def _signals(pid: int, old: re.Match[str], new: re.Match[str]) -> Iterator[Difference]:
    names = {"mask": "signal mask", "pending": "pending signals", "altstack": "signal stack"}
    for key, name in names.items():
        if old[key] != new[key]:
            yield Difference(name, pid, name, old[key], new[key])


def _timers(pid: int, old: str, new: str) -> Iterator[Difference]:
    wanted, got = ast.literal_eval(f"[{old}]"), ast.literal_eval(f"[{new}]")
    for name, one, two in zip(_TIMER_NAMES, wanted, got):
        if one != two:
            yield Difference("timer", pid, f"{name} (left, interval, ns)", str(one), str(two))


def _memory(
    pid: int,
    path: tuple[str, ...],
    number: str,
    wanted: bytes | None,
    got: bytes | None,
    found: Snapshot,
) -> Difference:
    area = next((match for line in reversed(path) if (match := _AREA.fullmatch(line))), None)
    shared = path[-1].startswith("shared")
    base = int(number, 16)
    name = f"page {number}"
    if shared:
        base = int(number) << PAGE_SHIFT
        if area is not None:
            base += int(area[1], 16) - (int(area[4]) << PAGE_SHIFT)
        kind = "shared memory"
        name = f"{kind}, page {number}"
    else:
        kind = "memory"
    if wanted is None or got is None:
        return Difference(kind, pid, name, "other bytes", "other bytes")
    offset = next((k for k in range(len(wanted)) if wanted[k] != got[k]), 0)
    many = sum(a != b for a, b in zip(wanted, got))
    addr = base + offset
    inside = f" of {area[1]}-{area[2]}" if area is not None else ""
    inside = f"{inside} {found.region(pid, addr)}".rstrip()
    symbol = found.symbol(pid, addr)
    what = f"{kind}, byte {addr:#x}{f' ({symbol})' if symbol else ''}{inside}"
    return Difference(
        kind, pid, what, f"{wanted[offset]:#04x}", f"{got[offset]:#04x} ({many} bytes of the page)"
    )


def _lone_page(
    pid: int, path: tuple[str, ...], page: re.Match[str], where: Snapshot, expected: str
) -> Difference:
    """A page that only one of the two has: told as if it were zeros in the other one."""
    content = where.pages[page[2]]
    told = _memory(pid, path, page[1], bytes(len(content)), content, where)
    found = "no page of its own" if expected == "a page of its own" else told.found
    return replace(told, expected=expected, found=found)


def _file(path: tuple[str, ...]) -> str:
    for line in reversed(path):
        found = _DESCRIPTOR.match(line)
        if found:
            return f" behind fd {found[1]}"
    return ""


def _bytes_differ(kind: str, pid: int, what: str, wanted: bytes, got: bytes) -> Difference:
    pairs = zip(wanted, got)
    short = min(len(wanted), len(got))
    offset = next((k for k, (a, b) in enumerate(pairs) if a != b), short)
    return Difference(
        kind,
        pid,
        f"{what}, from byte {offset} on",
        f"{wanted[offset : offset + 24]!r} ({len(wanted)} bytes)",
        f"{got[offset : offset + 24]!r} ({len(got)} bytes)",
    )
