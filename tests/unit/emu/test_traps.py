"""User code has no privileges, and every trap says exactly where it was."""

from __future__ import annotations

import pytest

from emu.stops import BUDGET, SYSCALL, Trapped
from tests.unit.emu.bare import (
    ALL,
    CODE,
    DATA,
    HERE,
    NOP,
    PPC,
    RW,
    RX,
    SYSCALL64,
    TRAP,
    X86,
    Bare,
    li,
    mfspr,
    ppc,
    trap_code,
    x_form,
)

PROTECTED = {
    "hlt": b"\xf4",
    "cli": b"\xfa",
    "sti": b"\xfb",
    "in": b"\xe4\x10",
    "in dx": b"\xec",
    "out": b"\xe6\x10",
    "mov from cr0": b"\x0f\x20\xc0",
    "mov to cr3": b"\x0f\x22\xd8",
    "rdmsr": b"\x0f\x32",
    "wrmsr": b"\x0f\x30",
    "lgdt": b"\x0f\x01\x10",
    "lldt": b"\x0f\x00\xd0",
    "invd": b"\x0f\x08",
    "clts": b"\x0f\x06",
    "sysexit": b"\x0f\x35",
    "int 99": b"\xcd\x63",
}
ILLEGAL = {
    "ud2": b"\x0f\x0b",
    "rdrand": b"\x0f\xc7\xf0",
    "rdseed": b"\x0f\xc7\xf8",
    "xgetbv": b"\x0f\x01\xd0",
    "sysenter": b"\x0f\x34",
    "monitor": b"\x0f\x01\xc8",
    "sysret": b"\x0f\x07",
}


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("cause, what", [("protection", PROTECTED), ("illegal", ILLEGAL)])
@pytest.mark.parametrize("mode", X86)
def test_x86_privileged_and_missing_instructions(
    mode: str, cause: str, what: dict[str, bytes], accelerate: bool
) -> None:
    bare = Bare(mode, accelerate=accelerate)
    bare.map(CODE, RX)
    bare.map(DATA, RW)
    for name, code in what.items():
        bare.ram.write(bare.table.get(CODE >> 12) >> 12, 0, b"\x90" + code + trap_code(mode))
        for again in range(3):  # no double fault
            bare.pc, bare.spent = CODE, 0
            assert bare.run() == Trapped(cause), (name, again)
            assert (bare.pc, bare.spent) == (CODE + 1, 1), name


@pytest.mark.parametrize("mode", X86)
def test_x86_traps_of_programs(mode: str) -> None:
    bare = Bare(mode)
    code = b"\x90\xcc\x31\xd2\x31\xc9\xf7\xf1" + trap_code(mode)
    bare.map(CODE, RX, code)
    assert (bare.run(), bare.pc) == (Trapped("breakpoint"), CODE + 2)
    for _ in range(2):
        assert (bare.run(), bare.pc) == (Trapped("divide"), CODE + 6)
    bare.regs[bare.cx] = 1
    assert (bare.run(), bare.pc) == (SYSCALL, CODE + 10)


def test_system_call_instructions_of_the_other_width() -> None:
    for mode in ("x86_32", "x86_32 compat"):
        bare = Bare(mode)
        bare.map(CODE, RX, b"\x90" + SYSCALL64 + b"\x90")
        assert (bare.run(), bare.pc) == (Trapped("illegal"), CODE + 1)
    bare = Bare("x86_64")
    bare.map(CODE, RX, b"\x90\xcd\x80\x90")
    assert (bare.run(), bare.pc) == (Trapped("protection"), CODE + 1)


POWERPC = {
    "privileged": [
        x_form(146, 3),  # mtmsr
        x_form(83, 3),  # mfmsr
        mfspr(3, 287),  # PVR
        mfspr(3, 272),  # SPRG0
        mfspr(3, 22),  # DEC
        x_form(306, 0, 0, 3),  # tlbie
    ],
    "program": [TRAP, 3 << 26 | 31 << 21 | 4 << 16],
    "illegal": [0, 256 << 1, mfspr(3, 999), 0x44000001],
}


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("cause", POWERPC)
@pytest.mark.parametrize("mode", PPC)
def test_powerpc_traps(mode: str, cause: str, accelerate: bool) -> None:
    bare = Bare(mode, accelerate=accelerate)
    bare.map(CODE, RX)
    for word in POWERPC[cause]:
        bare.ram.write(bare.table.get(CODE >> 12) >> 12, 0, ppc(NOP, word) + trap_code(mode))
        for _ in range(2):
            bare.pc, bare.spent = CODE, 0
            assert bare.run() == Trapped(cause), hex(word)
            assert (bare.pc, bare.spent) == (CODE + 4, 4), hex(word)


def test_powerpc_wait_does_not_end_the_world() -> None:
    bare = Bare("ppc64")
    bare.map(CODE, RX, ppc(NOP, x_form(30), li(3, 5)) + trap_code("ppc64"))
    assert bare.run() is SYSCALL
    assert (bare.regs["r3"], bare.spent) == (5, 16)


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("mode", ALL)
def test_a_spent_budget_stops_at_a_blocks_start_and_runs_nothing_of_it(
    mode: str, accelerate: bool
) -> None:
    bare = Bare(mode, accelerate=accelerate)
    if mode in PPC:
        code = ppc(0x38630001, 0x4BFFFFFC)  # addi r3, r3, 1; b back
    else:
        code = b"\xff\xc0\xeb\xfc"  # inc; jmp back
    bare.map(CODE, RX, code)
    for budget in (1, len(code), len(code) + 1, 10 * len(code)):
        before = bare.regs[bare.r1]
        bare.spent = 0
        assert bare.run(budget) is BUDGET
        rounds = bare.regs[bare.r1] - before
        assert (bare.pc, bare.spent) == (CODE, rounds * len(code))
        assert rounds == -(-budget // len(code))


@pytest.mark.parametrize("mode", PPC)
def test_a_branch_to_itself_can_be_stopped(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RX, ppc(HERE))
    assert bare.run(4000) is BUDGET
    assert bare.spent == 4000
