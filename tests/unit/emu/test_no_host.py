"""Nothing of the host's: no entropy, no clock, no CPU model."""

from __future__ import annotations

import pytest

from emu.stops import BUDGET, SYSCALL, Trapped
from tests.unit.emu.bare import (
    CODE,
    DATA,
    FOREVER,
    NOP,
    PPC,
    RW,
    RWX,
    RX,
    X86,
    Bare,
    addi,
    li,
    mfspr,
    ppc,
    stw,
    trap_code,
    x_form,
)

# eax, ebx, ecx, edx: a Core 2 Duo of the engine's, family 6 model 15.
CPUID = {
    0x0: (0xA, 0x756E6547, 0x6C65746E, 0x49656E69),
    0x1: (0x6FB, 0x800, 0x80002209, 0xFCBFBFD),
    0x2: (0x1, 0x0, 0x0, 0x2C307D),
    0x4: (0x121, 0x1C0003F, 0x3F, 0x1),
    0x7: (0, 0, 0, 0),
    0xB: (0, 0, 0, 0),
    0xD: (0, 0, 0, 0),
    0x80000000: (0x80000008, 0x756E6547, 0x6C65746E, 0x49656E69),
    0x80000001: (0x6FB, 0, 1, 0x20100800),
    0x80000002: (0x65746E49, 0x2952286C, 0x726F4320, 0x4D542865),
    0x80000003: (0x44203229, 0x43206F75, 0x20205550, 0x54202020),
    0x80000004: (0x30303737, 0x20402020, 0x30342E32, 0x7A4847),
    0x80000005: (0x1FF01FF, 0x1FF01FF, 0x40020140, 0x40020140),
    0x80000006: (0, 0x42004200, 0x2008140, 0),
    0x80000007: (0, 0, 0, 0),
    0x80000008: (0x3028, 0, 0, 0),
}
DARN = x_form(755, 3)


@pytest.mark.parametrize("mode", X86)
def test_cpuid_is_the_models(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RX, b"\x0f\xa2" + trap_code(mode))
    for leaf, expected in CPUID.items():
        bare.pc, bare.regs[bare.r1], bare.regs[bare.cx] = CODE, leaf, 0
        assert bare.run() is SYSCALL
        found = tuple(bare.regs[name] for name in (bare.r1, bare.r2, bare.cx, bare.r3))
        assert found == expected, hex(leaf)


def test_powerpc_says_which_processor_it_is_to_nobody() -> None:
    for mode in PPC:
        bare = Bare(mode)
        bare.map(CODE, RX, ppc(mfspr(3, 287)))
        assert bare.run() == Trapped("privileged")


@pytest.mark.parametrize("accelerate", [True, False])
def test_darn_is_illegal_wherever_it_stands(accelerate: bool) -> None:
    bare = Bare("ppc64", accelerate=accelerate)
    bare.map(CODE, RX, ppc(DARN, NOP, NOP, x_form(755, 9, 1), li(3, 1), 0x44000002))
    bare.regs["r3"] = bare.regs["r9"] = 5
    for _ in range(2):
        bare.pc, bare.spent = CODE, 0
        assert (bare.run(), bare.pc, bare.spent) == (Trapped("illegal"), CODE, 0)
    bare.pc = CODE + 4
    for _ in range(2):
        assert (bare.run(), bare.pc, bare.spent) == (Trapped("illegal"), CODE + 12, 8)
    bare.pc = CODE + 16
    assert bare.run() is SYSCALL
    assert (bare.regs["r3"], bare.regs["r9"]) == (1, 5)


def test_darn_in_a_loop_that_begins_before_it() -> None:
    bare = Bare("ppc64")
    # addi r3,1; cmpwi r3,4; blt back; nop; darn r9
    words = addi(3, 3, 1), 11 << 26 | 3 << 16 | 4, 16 << 26 | 12 << 21 | 0xFFF8, NOP, DARN
    bare.map(CODE, RX, ppc(*words))
    assert (bare.run(), bare.pc) == (Trapped("illegal"), CODE + 16)
    assert (bare.regs["r3"], bare.spent) == (4, 4 * 12 + 4)


def test_darn_that_the_program_writes_into_its_own_code() -> None:
    bare = Bare("ppc64")
    bare.map(CODE, RWX, ppc(NOP, NOP, 0x44000002))
    assert bare.run() is SYSCALL
    bare.map(DATA, RX, ppc(stw(5, 4, 4)) + trap_code("ppc64"))
    bare.regs["r4"], bare.regs["r5"] = CODE, DARN
    bare.pc = DATA
    assert bare.run() is SYSCALL
    bare.pc = CODE
    assert (bare.run(), bare.pc) == (Trapped("illegal"), CODE + 4)


def test_darn_after_the_cache_was_emptied_and_after_a_switch() -> None:
    bare = Bare("ppc64")
    bare.map(CODE, RX, ppc(NOP, DARN))
    other = Bare("ppc64", machine=bare.machine)
    other.map(CODE, RX, ppc(NOP) + trap_code("ppc64"))
    for _ in range(3):
        bare.pc = other.pc = CODE
        assert bare.run() == Trapped("illegal")
        assert other.run() is SYSCALL
        bare.machine.cpu("ppc64").flush_code()
        bare.machine.cpu("ppc64").flush_tlb()


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("mode", X86)
def test_time_stamps_depend_on_the_path_alone(mode: str, accelerate: bool) -> None:
    """With a fault between block start and rdtsc, and without."""
    stamps = []
    load = b"\x8b\x0e"  # mov (%esi), %ecx
    code = b"\x90" * 11 + load + b"\x0f\x31\x90" + trap_code(mode)
    for present in (False, True):
        bare = Bare(mode, accelerate=accelerate)
        bare.map(CODE, RX, code)
        bare.regs[bare.si] = DATA
        if present:
            bare.map(DATA, RW)
        while bare.run(now=4_000_000_000_000 + bare.spent) is not SYSCALL:
            bare.map(DATA, RW)
        stamps.append(bare.regs[bare.r3] << 32 | bare.regs[bare.r1])
    # Up to and with rdtsc's own two bytes or not, but always the same.
    assert stamps[0] == stamps[1]
    assert stamps[0] in ((4_000_000_000_000 + 13) // 4, (4_000_000_000_000 + 15) // 4)


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("mode", PPC)
def test_the_time_base_is_virtual_time(mode: str, accelerate: bool) -> None:
    bare = Bare(mode, accelerate=accelerate)
    mftb, mftbu = x_form(371, 5) | 12 << 16 | 8 << 11, x_form(371, 6) | 13 << 16 | 8 << 11
    words = NOP, mfspr(3, 268), NOP, mfspr(4, 269), mftb, NOP, mftbu
    bare.map(CODE, RX, ppc(*words) + trap_code(mode))
    word_bits = 32 if mode == "ppc32" else 64
    for now in (0, 40, 1 << 30, 36 << 32, 0xABCDEF0123456):
        bare.pc, bare.spent = CODE, 0
        assert bare.run(FOREVER, now) is SYSCALL
        assert bare.spent == 32
        stamp, later = (now + 4) // 4, (now + 16) // 4
        assert bare.regs["r3"] == stamp & (1 << word_bits) - 1
        assert bare.regs["r4"] == stamp >> 32
        assert bare.regs["r5"] == later & (1 << word_bits) - 1
        assert bare.regs["r6"] == later >> 32


@pytest.mark.parametrize("mode", PPC)
def test_a_loop_around_the_time_base_can_be_stopped(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RX, ppc(mfspr(3, 268), 0x4BFFFFFC))
    assert bare.run(40) is BUDGET
    assert (bare.pc, bare.spent) == (CODE, 40)
