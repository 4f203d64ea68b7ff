"""The trace as text, in the manner of strace: one line for each system call.

    open("/etc/motd", 0x0, 0) = -1 ENOENT (no such name: /etc/motd)

A line is written when its call ends, so lines of several tasks come in the order of ends. Strings
are read once more at the end of the call, and only where a page is already there: looking must
not change what is looked at.

Mirrors: strace(1).
Not modelled: the meaning of flags and structures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emu.disasm import instruction_at
from emu.memory import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from emu.pagetable import READ
from kernel_model.abi.errno import by_number
from kernel_model.syscalls.declare import Kind
from kernel_model.trace import (
    Event,
    Faulted,
    Refused,
    SignalDelivered,
    SyscallEntered,
    SyscallReturned,
)
from kernel_model.waitqueue import Restart

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task

_SIGNALS = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP "
    "TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split()
_MOST_SHOWN = 64
_ADDRESSES_FROM = 1 << 20
_RESTARTS = {int(restart): restart.name for restart in Restart}


@dataclass
class _Call:
    task: Task | None
    """Whose; it may be gone when the line is written."""
    name: str
    arguments: tuple[int, ...]
    strings: dict[int, bytes]
    sentence: str = ""


def name_of_signal(signo: int) -> str:
    """SIGSEGV for 11, SIGRT2 for 34."""
    if signo <= len(_SIGNALS):
        return "SIG" + _SIGNALS[signo - 1]
    return f"SIGRT{signo - 1 - len(_SIGNALS)}"


class Strace:
    """A sink of the trace; `write` takes each finished line."""

    def __init__(self, kernel: Kernel, write: Callable[[str], object]) -> None:
        self._kernel = kernel
        self._write = write
        self._open: dict[int, _Call] = {}
        self._errors = {number: cls.__name__ for number, cls in by_number().items()}

    def __call__(self, event: Event) -> None:
        """One event; those of our own init are nobody's business."""
        init = self._kernel.own_init
        if init is not None and event.pid == init.pid:
            return
        match event:
            case SyscallEntered():
                self._unfinished(event.pid)
                task = self._kernel.tasks.get(event.pid)
                call = _Call(task, event.name, event.arguments, {})
                self._open[event.pid] = call
                self._read_strings(event.pid, call)
            case Refused() if event.pid in self._open:
                self._open[event.pid].sentence = event.sentence
            case SyscallReturned():
                call = self._open.pop(event.pid, _Call(None, event.name, (), {}))
                self._read_strings(event.pid, call)
                self._line(event.pid, call, self._result(call, event.result))
            case SignalDelivered():
                name = name_of_signal(event.signo)
                addr = f" {event.addr:#x}" if event.addr else ""
                self._write(f"{self._who(event.pid)}--- {name}{addr} ---\n")
            case Faulted():
                text = instruction_at(event.mode, event.instruction, event.pc)
                self._write(f"{self._who(event.pid)}{event.pc:#x}: {text}\n")

    def finish(self) -> None:
        """Nothing more will come: write the calls that never ended."""
        for pid in sorted(self._open):
            self._unfinished(pid)

    def _unfinished(self, pid: int) -> None:
        if pid in self._open:
            self._line(pid, self._open.pop(pid), "?")

    def _line(self, pid: int, call: _Call, result: str) -> None:
        words = ", ".join(self._words(call.task, call)) if call.task is not None else "..."
        self._write(f"{self._who(pid)}{call.name}({words}) = {result}\n")

    def _who(self, pid: int) -> str:
        others = len(self._kernel.tasks) - (self._kernel.own_init is not None)
        return f"[{pid}] " if others > 1 else ""

    def _result(self, call: _Call, result: int) -> str:
        if result >= 0:
            return hex(result) if result >= _ADDRESSES_FROM else str(result)
        if -result in _RESTARTS:
            return f"? {_RESTARTS[-result]} (to be restarted)"
        name = self._errors.get(-result, "")
        if not name:
            return str(result)
        return f"-1 {name}" + (f" ({call.sentence})" if call.sentence else "")

    # ---- arguments

    def _kinds(self, task: Task, call: _Call) -> tuple[Kind, ...] | None:
        declared = self._kernel.calls.declared.get(task.abi.variants.get(call.name, call.name))
        return declared.kinds if declared is not None else None

    def _words(self, task: Task, call: _Call) -> list[str]:
        kinds = self._kinds(task, call)
        if kinds is None:
            return [f"{value:#x}" for value in call.arguments]
        bits = 8 * task.abi.word_bytes
        words = []
        slot = 0
        for kind in kinds:
            pair = kind is Kind.OFF64 and bits == 32
            if pair and task.abi.align_pairs:
                slot += slot % 2
            value = call.arguments[slot] if slot < len(call.arguments) else 0
            if pair:
                other = call.arguments[slot + 1] if slot + 1 < len(call.arguments) else 0
                value = value << 32 | other if task.abi.high_first else other << 32 | value
            words.append(_word(kind, value, bits, call.strings.get(slot)))
            slot += 2 if pair else 1
        return words

    def _read_strings(self, pid: int, call: _Call) -> None:
        task = self._kernel.tasks.get(pid)
        kinds = self._kinds(task, call) if task is not None else None
        if task is None or kinds is None:
            return
        for slot, kind in enumerate(kinds[: len(call.arguments)]):
            if kind is Kind.PATH and slot not in call.strings:
                text = _peek(task, call.arguments[slot])
                if text is not None:
                    call.strings[slot] = text


def _word(kind: Kind, value: int, bits: int, text: bytes | None) -> str:
    match kind:
        case Kind.PATH if text is not None:
            return _quoted(text)
        case Kind.PATH | Kind.PTR:
            return hex(value) if value else "NULL"
        case Kind.INT:
            return str(_signed(value, 32))
        case Kind.UINT:
            return str(value & 0xFFFF_FFFF)
        case Kind.LONG:
            return str(_signed(value, bits))
        case Kind.OFF64:
            return str(_signed(value, 64))
        case Kind.FLAGS:
            return hex(value & 0xFFFF_FFFF)
        case _:
            return str(value)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _quoted(text: bytes) -> str:
    shown = text[:_MOST_SHOWN].decode("utf-8", "backslashreplace")
    shown = shown.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown)
    return f'"{shown}"' + ("..." if len(text) > _MOST_SHOWN else "")


def _peek(task: Task, addr: int) -> bytes | None:
    """A C string (or its beginning) where its pages are there already; else None."""
    if task.mm is None:
        return None
    found = b""
    while len(found) <= _MOST_SHOWN:
        entry = task.mm.table.get(addr >> PAGE_SHIFT)
        if not entry & READ:
            return None
        offset = addr & PAGE_MASK
        piece = task.kernel.ram.read(entry >> PAGE_SHIFT, offset, PAGE_SIZE - offset)
        end = piece.find(0)
        if end >= 0:
            return found + piece[:end]
        found += piece
        addr += len(piece)
    return found
