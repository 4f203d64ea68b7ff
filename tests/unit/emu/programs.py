"""Small random programs: the same for every way of running them."""

from __future__ import annotations

import random

from emu.stops import BUDGET, MemoryFault, Stop
from tests.unit.emu.bare import (
    CODE,
    DATA,
    PPC,
    RW,
    RX,
    Bare,
    addi,
    li,
    lwz,
    mfspr,
    mtspr,
    ppc,
    stw,
    trap_code,
)

PAGES = 8
ROUNDS = 4


def _x86_piece(source: random.Random) -> bytes:
    place = source.randrange(PAGES * 4096 - 8).to_bytes(4, "little")
    kind = source.randrange(9)
    if kind < 3:
        return source.choice((b"\xff\xc0", b"\x01\xd8", b"\x31\xc8", b"\xd1\xe0", b"\x90"))
    if kind < 5:
        return b"\x8b\x8b" + place  # mov place(%ebx), %ecx
    if kind < 7:
        return b"\x89\x83" + place  # mov %eax, place(%ebx)
    if kind == 7:
        return b"\xa8\x01\x74\x06\x8b\x8b" + place  # skipped if al is even
    data = [DATA + source.randrange(PAGES * 4096 - 300) for _ in range(2)]
    moves = b"\xbe" + data[0].to_bytes(4, "little") + b"\xbf" + data[1].to_bytes(4, "little")
    repeat = source.choice((b"\xf3\xa4", b"\xf3\xaa"))  # rep movsb, rep stosb
    return moves + b"\xb9" + source.randrange(300).to_bytes(4, "little") + repeat


def _ppc_piece(source: random.Random) -> bytes:
    place = source.randrange(PAGES * 4096 - 8)
    kind = source.randrange(10)
    if kind < 3:
        return ppc(
            source.choice((addi(3, 3, 7), 31 << 26 | 3 << 21 | 3 << 16 | 5 << 11 | 266 << 1))
        )
    if kind < 5:
        return ppc(lwz(5, 4, place))
    if kind < 7:
        return ppc(stw(3, 4, place))
    if kind == 7:
        return ppc(28 << 26 | 3 << 21 | 1, 0x41820008, lwz(5, 4, place))  # andi., beq over it
    if kind == 8:
        return ppc(63 << 26 | 1 << 21 | 1 << 16 | 1 << 11 | 42)  # fadd
    return ppc(mfspr(6, 268))


def random_program(mode: str, seed: int, pieces: int) -> bytes:
    """`ROUNDS` times the same pieces, then a system call."""
    source = random.Random(seed)
    if mode in PPC:
        body = b"".join(_ppc_piece(source) for _ in range(pieces))
        back = 16 << 26 | 16 << 21 | (-len(body) & 0xFFFC)  # bdnz
        return ppc(li(7, ROUNDS), mtspr(7, 9)) + body + ppc(back) + trap_code(mode)
    body = b"".join(_x86_piece(source) for _ in range(pieces)) + b"\xff\xca"
    back = b"\x0f\x85" + (-len(body) - 6).to_bytes(4, "little", signed=True)
    return b"\xba" + ROUNDS.to_bytes(4, "little") + body + back + trap_code(mode)


class Run:
    """One program on one machine, as the kernel would drive it."""

    def __init__(
        self, mode: str, code: bytes, *, accelerate: bool = True, present: bool, flush: bool = False
    ) -> None:
        self.bare = Bare(mode, accelerate=accelerate)
        self.flush = flush
        self.code = code
        self.now = 0
        self.bare.regs[self.bare.r2] = DATA
        if present:
            for page in range(PAGES):
                self._map(DATA + 4096 * page)
            for offset in range(0, len(code), 4096):
                self._map(CODE + offset)

    def _map(self, addr: int) -> None:
        page = addr >> 12 << 12
        if page >= DATA:
            self.bare.map(page, RW, bytes(random.Random(page).randbytes(4096)))
        else:
            self.bare.map(page, RX, self.code[page - CODE : page - CODE + 4096])

    def slice(self, budget: int) -> Stop:
        """Run until the budget is spent or the program traps; faults are served on the way."""
        while True:
            if self.flush:
                cpu = self.bare.machine.cpu(self.bare.mode)
                cpu.flush_code()
                cpu.flush_tlb()
            before = self.bare.spent
            stop = self.bare.run(budget, self.now)
            budget -= self.bare.spent - before
            self.now += self.bare.spent - before
            if not isinstance(stop, MemoryFault):
                return stop
            self._map(stop.addr)

    def story(self, budgets: list[int]) -> list[tuple[str, int, tuple[int, ...]]]:
        """Where each slice ended: the stop, the time, all fast registers."""
        told = []
        for number in range(10_000):
            stop = self.slice(budgets[number % len(budgets)])
            told.append((str(stop), self.now, tuple(self.bare.regs.words)))
            if stop is not BUDGET:
                return told
        raise AssertionError("the program does not end")

    def memory(self) -> list[bytes]:
        """What the data pages hold; those that are not there as they would be."""
        pages = []
        for page in range(PAGES):
            entry = self.bare.table.get((DATA >> 12) + page)
            if entry:
                pages.append(bytes(self.bare.ram.page(entry >> 12)))
            else:
                pages.append(random.Random(DATA + 4096 * page).randbytes(4096))
        return pages
