"""A kernel at one moment, taken along: its dump, the bytes of its pages, where its tasks are.

It is plain data, so two moments of two kernels, of two processes even, can be laid side by side.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cr.system import System
from cr.tools.diff import symbol_of
from emu.disasm import instructions
from emu.elf import NotAnElf, symbols
from kernel_model.dump import dump
from kernel_model.mm.backing import SharedMemory
from kernel_model.task import Task
from kernel_model.vfs.proc_text import map_name

_MOST_BEFORE = 4096
_LINES_AROUND = 3
_BYTES_BEHIND = 64


@dataclass(frozen=True)
class Where:
    """Where a task is: its program counter, and the code around it as text."""

    pc: int
    function: str
    code: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """`pages` are by their digest in the dump; `symbols` by pid: (address, name), ascending."""

    text: str
    pages: dict[str, bytes] = field(repr=False)
    symbols: dict[int, list[tuple[int, str]]] = field(repr=False)
    where: dict[int, Where]
    console: tuple[tuple[int, bytes], ...] = ()
    regions: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict, repr=False)
    """By pid: (start, end, name as in /proc/PID/maps) of each mapping that has a name."""

    def region(self, pid: int, addr: int) -> str:
        """The name of the mapping at an address of a task; "" when it has none."""
        named = self.regions.get(pid, ())
        return next((name for start, end, name in named if start <= addr < end), "")

    def symbol(self, pid: int, addr: int) -> str:
        """name+offset of an address in a task's program; "" when there is no name."""
        return symbol_of(self.symbols.get(pid, []), addr)


def take(kernel: System, console: list[tuple[int, bytes]] | None = None) -> Snapshot:
    """The kernel as it is now."""
    text = dump(kernel)
    pages: dict[str, bytes] = {}
    names: dict[int, list[tuple[int, str]]] = {}
    where: dict[int, Where] = {}
    regions: dict[int, list[tuple[int, int, str]]] = {}
    for pid, task in sorted(kernel.tasks.items()):
        if task.mm is None:
            continue
        _pages(task, pages)
        names[pid] = symbols_of(task)
        where[pid] = _where(task, names[pid])
        named = [(vma.start, vma.end, map_name(task, vma)) for vma in task.mm.vmas]
        regions[pid] = [(start, end, repr(name)[2:-1]) for start, end, name in named if name]
    for task in kernel.tasks.values():
        for segment in task.nsproxy.ipc.shm.all() if not task.exited else ():
            _shared(segment, pages)
    return Snapshot(text, pages, names, where, tuple(console or ()), regions)


def digest(content: bytes) -> str:
    """As the dump shows a page."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _pages(task: Task, pages: dict[str, bytes]) -> None:
    assert task.mm is not None
    for vma in task.mm.vmas:
        if isinstance(vma.backing, SharedMemory):
            _shared(vma.backing, pages)
            continue
        for _, frame in task.mm.resident_private(vma):
            content = bytes(task.mm.ram.page(frame))
            pages[digest(content)] = content


def _shared(memory: SharedMemory, pages: dict[str, bytes]) -> None:
    for frame in memory.pages.values():
        content = bytes(memory.ram.page(frame))
        pages[digest(content)] = content


def symbols_of(task: Task) -> list[tuple[int, str]]:
    """The functions and variables of a task's program, where they were loaded."""
    file = task.mm.exe if task.mm is not None else None
    if file is None:
        return []
    try:
        found = symbols(file.inode.read_at(0, file.inode.size))
    except NotAnElf:
        return []
    return [(addr + task.load_bias, name) for addr, name in found]


def _where(task: Task, names: list[tuple[int, str]]) -> Where:
    pc = task.regs.words[task.abi.pc]
    function = symbol_of(names, pc)
    # What lies before is told only if the start of the function is known: decoded from anywhere
    # else, it might be no instructions at all.
    near = [addr for addr, _ in names if pc - _MOST_BEFORE <= addr <= pc]
    lines: list[tuple[int, str]] = []
    for start in (*near[-1:], pc):
        lines = list(instructions(task.abi.mode, _code(task, start, pc), start))
        if pc in [addr for addr, _ in lines]:
            break
    here = next((k for k, (addr, _) in enumerate(lines) if addr == pc), 0)
    around = lines[max(0, here - _LINES_AROUND) : here + _LINES_AROUND + 1]
    shown = tuple(f"{'->' if addr == pc else '  '} {addr:#x}  {text}" for addr, text in around)
    return Where(pc, function, shown)


def _code(task: Task, start: int, pc: int) -> bytes:
    # May bring in a page of the program: that makes no difference to any guest.
    return task.user.read(start, task.user.readable(start, pc + _BYTES_BEHIND - start))
