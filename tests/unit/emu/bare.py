"""A machine without a kernel: pages of bare code, and just enough of an assembler."""

from __future__ import annotations

from emu.arch.modes import MODES
from emu.arch.spec import Registers
from emu.machine import Machine
from emu.pagetable import DIRTY, EXEC, READ, RESIDENT, WRITE, PageTable
from emu.stops import MemoryFault, Stop

X86 = ("x86_32", "x86_32 compat", "x86_64")
PPC = ("ppc32", "ppc64")
ALL = (*X86, *PPC)
CODE, DATA = 0x10000, 0x40000
RX, RW, RWX = READ | EXEC, READ | WRITE, READ | WRITE | EXEC
FOREVER = 1 << 50


def ppc(*words: int) -> bytes:
    """Big-endian instruction words."""
    return b"".join(word.to_bytes(4, "big") for word in words)


def li(rt: int, value: int) -> int:
    """Load a small number."""
    return addi(rt, 0, value)


def addi(rt: int, ra: int, value: int) -> int:
    """rt = ra + value."""
    return 14 << 26 | rt << 21 | ra << 16 | value & 0xFFFF


def lwz(rt: int, ra: int, offset: int) -> int:
    """Load a word."""
    return 32 << 26 | rt << 21 | ra << 16 | offset & 0xFFFF


def stw(rt: int, ra: int, offset: int) -> int:
    """Store a word."""
    return 36 << 26 | rt << 21 | ra << 16 | offset & 0xFFFF


def mfspr(rt: int, number: int) -> int:
    """Read a special register."""
    return 31 << 26 | rt << 21 | (number & 31) << 16 | number >> 5 << 11 | 339 << 1


def mtspr(rs: int, number: int) -> int:
    """Write a special register."""
    return 31 << 26 | rs << 21 | (number & 31) << 16 | number >> 5 << 11 | 467 << 1


def x_form(extended: int, rt: int = 0, ra: int = 0, rb: int = 0) -> int:
    """An instruction of primary code 31."""
    return 31 << 26 | rt << 21 | ra << 16 | rb << 11 | extended << 1


SC = 0x44000002
NOP = 0x60000000
BLR = 0x4E800020
TRAP = 0x7FE00008
HERE = 0x48000000
INT80 = b"\xcd\x80"
SYSCALL64 = b"\x0f\x05"


def trap_code(mode: str) -> bytes:
    """The system call instruction of a mode."""
    if mode in PPC:
        return ppc(SC)
    return SYSCALL64 if mode == "x86_64" else INT80


class Bare:
    """One machine, one address space, one task of `mode`."""

    def __init__(self, mode: str, *, accelerate: bool = True, machine: Machine | None = None):
        self.machine = machine or Machine(1 << 20, accelerate=accelerate)
        self.ram = self.machine.ram
        self.mode = mode
        self.table = PageTable(self.machine.tables)
        self.regs = Registers(MODES[mode])
        self.pc_name = self.regs.spec.fast[0]
        if mode in PPC:
            self.r1, self.r2, self.r3 = "r3", "r4", "r5"
        else:
            letter = "r" if mode == "x86_64" else "e"
            self.r1, self.r2, self.r3 = letter + "ax", letter + "bx", letter + "dx"
            self.sp, self.si, self.di = letter + "sp", letter + "si", letter + "di"
            self.cx = letter + "cx"
        self.pc = CODE
        self.resumed = False
        self.spent = 0

    @property
    def pc(self) -> int:
        """The program counter."""
        return self.regs[self.pc_name]

    @pc.setter
    def pc(self, value: int) -> None:
        self.regs[self.pc_name] = value

    def map(self, addr: int, rights: int, content: bytes = b"") -> int:
        """Map a new frame at `addr`'s page; `content` begins at `addr`. The frame."""
        frame = self.ram.alloc()
        self.ram.write(frame, addr & 4095, content)
        self.table.set(addr >> 12, frame, RESIDENT | rights)
        return frame

    def protect(self, addr: int, rights: int) -> None:
        """Change a page's rights; it stays where it is, and stays dirty."""
        entry = self.table.get(addr >> 12)
        self.table.set(addr >> 12, entry >> 12, RESIDENT | entry & DIRTY | rights)

    def run(self, budget: int = FOREVER, now: int = 0) -> Stop:
        """Run until a stop; counts what was spent."""
        stop, spent = self.machine.run(self.regs, self.table, budget, now, resumed=self.resumed)
        self.resumed = isinstance(stop, MemoryFault)
        self.spent += spent
        return stop

    def close(self) -> None:
        """Take the task out of its CPU."""
        self.regs.leave()
