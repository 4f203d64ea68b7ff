"""Every register that is given to a CPU comes back, and stays with its task."""

from __future__ import annotations

import random
import struct

import pytest

from emu.arch import ppc as ppc_units
from emu.arch import x86_fpu
from emu.stops import SYSCALL
from tests.unit.emu.bare import (
    ALL,
    CODE,
    DATA,
    NOP,
    PPC,
    RW,
    RX,
    X86,
    Bare,
    addi,
    li,
    mfspr,
    mtspr,
    ppc,
    stw,
    trap_code,
    x_form,
)

FLAGS_USER = 0xCD5  # CF PF AF ZF SF DF OF
RESERVED_FLAGS = 0x202


def nop(mode: str) -> bytes:
    """One instruction that does nothing, then the system call."""
    return (ppc(NOP) if mode in PPC else b"\x90") + trap_code(mode)


def random_fxsave(source: random.Random, xmm_count: int) -> bytes:
    """Any state that FXRSTOR accepts, with the instruction and data pointers zero."""
    head = struct.pack(
        "<HHBBHQQII",
        source.getrandbits(16) & 0x0F3F | 0x40,
        source.getrandbits(16) & 0x7F7F,
        source.getrandbits(8),
        0,
        0,
        0,
        0,
        source.getrandbits(16) & 0xFFBF,
        0xFFFF,
    )
    special = [
        bytes(10),  # zero
        (1).to_bytes(10, "little"),  # the smallest denormal
        b"\xff" * 8 + b"\xff\x7f",  # a quiet NaN
        b"\x01" + bytes(6) + b"\x80\xff\xff",  # a signalling NaN
    ]
    stack = b"".join(
        (source.choice(special) if source.random() < 0.3 else source.randbytes(10)).ljust(16, b"\0")
        for _ in range(8)
    )
    return (head + stack + source.randbytes(16 * xmm_count)).ljust(512, b"\0")


def random_units(mode: str, source: random.Random) -> dict[str, bytes]:
    """State of every unit of a mode."""
    if mode in X86:
        return {"fpu": random_fxsave(source, 16 if mode == "x86_64" else 8)}
    # FPSCR: rounding and sticky bits whose summaries the CPU would not recompute.
    fp = source.randbytes(256) + struct.pack(">Q", source.choice((0, 1, 2, 3, 0x8000, 0x1F000)))
    vscr = bytes(12) + struct.pack(">I", source.choice((0, 1, 0x10000, 0x10001)))
    vrsave = source.randbytes(4)
    units = {"fp": fp, "altivec": source.randbytes(512) + vscr + bytes(4) + vrsave}
    if mode == "ppc64":
        units["vsx"] = source.randbytes(256)
    return units


def fill(bare: Bare, source: random.Random) -> None:
    """Random values into everything that a program can set."""
    regs, mode = bare.regs, bare.mode
    bits = 8 * regs.spec.word_bytes
    for name in regs.spec.fast[1:]:
        regs[name] = source.getrandbits(bits)
    if mode in X86:
        flags = "rflags" if mode == "x86_64" else "eflags"
        regs[flags] = source.getrandbits(12) & FLAGS_USER | RESERVED_FLAGS
    else:
        regs["cr"] = source.getrandbits(32)
        regs["xer"] = source.getrandbits(32) & 0xE000007F
    if mode == "x86_64":
        regs["fs_base"], regs["gs_base"] = source.getrandbits(47), source.getrandbits(47)
    regs.units = random_units(mode, source)
    bare.pc = CODE


def image(bare: Bare) -> tuple[list[int], dict[str, int], dict[str, bytes]]:
    """All registers as plain values."""
    regs = bare.regs
    system = {name: regs[name] for name in regs.spec.system}
    return list(regs.words)[1:], system, regs.units


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("mode", ALL)
def test_round_trip(mode: str, accelerate: bool) -> None:
    bare = Bare(mode, accelerate=accelerate)
    bare.map(CODE, RX, nop(mode))
    for seed in range(20):
        fill(bare, random.Random(seed))
        before = image(bare)
        assert bare.run() is SYSCALL
        bare.regs.leave()
        assert image(bare) == before, seed


@pytest.mark.parametrize("mode", ALL)
def test_tasks_that_take_turns_on_one_cpu_do_not_meet(mode: str) -> None:
    first = Bare(mode)
    tasks = [first, Bare(mode, machine=first.machine), Bare(mode, machine=first.machine)]
    images = []
    for seed, bare in enumerate(tasks):
        bare.map(CODE, RX, nop(mode))
        fill(bare, random.Random(seed + 100))
        images.append(image(bare))
    tasks[2].regs.units = dict(tasks[2].regs.spec.initial_units)  # one that has touched nothing
    images[2] = image(tasks[2])
    order = random.Random(1)
    for _ in range(30):
        bare = order.choice(tasks)
        bare.pc = CODE
        assert bare.run() is SYSCALL
        if order.random() < 0.2:
            assert image(bare) == images[tasks.index(bare)]
    for bare, expected in zip(tasks, images):
        assert image(bare) == expected


@pytest.mark.parametrize("mode", ALL)
def test_a_copy_has_the_same_registers_and_a_life_of_its_own(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RX, nop(mode))
    fill(bare, random.Random(5))
    bare.run()
    twin = Bare(mode, machine=bare.machine)
    twin.regs = bare.regs.copy()
    assert image(twin) == image(bare)
    twin.regs.units = random_units(mode, random.Random(6))
    assert image(twin) != image(bare)


@pytest.mark.parametrize("mode, slot, selector", [("x86_32", 0, 0x33), ("x86_32 compat", 2, 0x73)])
def test_thread_local_storage_through_a_descriptor(mode: str, slot: int, selector: int) -> None:
    """The program loads gs itself, as after set_thread_area; another task has another base."""
    tasks: list[Bare] = []
    for number in (1, 2):
        bare = Bare(mode, machine=tasks[0].machine if tasks else None)
        base = DATA + 0x100 * number
        low, high = base & 0xFFFF, base >> 16 & 0xFF
        # A 32-bit data segment of ring 3 with limit 4 GiB, as fill_ldt makes it; not accessed yet.
        descriptor = 0xFFFF | low << 16 | high << 32 | 0xF2 << 40 | 0xCF << 48 | base >> 24 << 56
        bare.regs[f"tls{slot}"] = descriptor
        bare.map(CODE, RX, b"\x8e\xe8" + trap_code(mode) + b"\x65\xa1\x04\0\0\0" + trap_code(mode))
        bare.map(DATA, RW)
        frame = bare.table.get(DATA >> 12) >> 12
        bare.ram.write(frame, 0x100 * number + 4, number.to_bytes(4, "little"))
        bare.regs["eax"] = selector
        tasks.append(bare)
    for bare in tasks:
        assert bare.run() is SYSCALL
    for _ in range(2):
        for number, bare in enumerate(tasks, 1):
            bare.pc = CODE + 4
            assert bare.run() is SYSCALL
            assert (bare.regs["gs"], bare.regs["eax"]) == (selector, number)


@pytest.mark.parametrize("mode, data", [("x86_32", 0x7B), ("x86_32 compat", 0x2B)])
def test_a_selector_of_nothing_becomes_zero_and_no_other_suffers(mode: str, data: int) -> None:
    first = Bare(mode)
    second = Bare(mode, machine=first.machine)
    for bare in (first, second):
        bare.map(CODE, RX, trap_code(mode))
    first.regs["gs"] = data
    for bad in (0x1234, 0x08, 0xFFFF, 0x33):
        second.regs["ds"], second.regs["fs"], second.regs["gs"] = bad, data, bad
        for bare in (first, second):
            bare.pc = CODE
            assert bare.run() is SYSCALL
        found = [second.regs[name] for name in ("ds", "es", "fs", "gs")]
        assert found == [0, data, data, 0]
        assert first.regs["gs"] == data


def test_a_segment_base_that_the_program_uses() -> None:
    bare = Bare("x86_64")
    bare.map(CODE, RX, b"\x64\x48\x8b\x04\x25\x08\0\0\0" + trap_code("x86_64"))  # mov %fs:8, %rax
    bare.map(DATA, RW, bytes(8) + (77).to_bytes(8, "little"))
    bare.regs["fs_base"] = DATA
    bare.run()
    assert bare.regs["rax"] == 77


def test_mmx_lies_in_the_x87_registers() -> None:
    for mode in X86:
        bare = Bare(mode)
        bare.map(CODE, RX, b"\x0f\x6e\xda" + trap_code(mode))  # movd %edx, %mm3
        bare.regs[bare.r3] = 0x12345678
        bare.run()
        state = bare.regs.units["fpu"]
        # The engine does not set the exponent to all ones, as a processor would.
        assert state[32 + 48 : 32 + 56] == (0x12345678).to_bytes(8, "little")
        assert state[4] == 0xFF


def test_the_x87_stack_is_in_the_order_of_its_top() -> None:
    for mode in X86:
        bare = Bare(mode)
        bare.map(CODE, RX, b"\xd9\xe8\xd9\xee\xd9\xeb" + trap_code(mode))  # fld1, fldz, fldpi
        bare.run()
        state = bare.regs.units["fpu"]
        assert state[3] >> 3 & 7 == 5
        assert state[4] == 0b11100000
        assert state[32:42] == bytes.fromhex("35c26821a2da0fc90040")
        assert state[64:74] == bytes.fromhex("0000000000000080ff3f")
        assert state[6:24] == bytes(18)


def test_what_no_register_holds_is_zero_whatever_was_given() -> None:
    for mode in X86:
        first = Bare(mode)
        second = Bare(mode, machine=first.machine)
        for bare in (first, second):
            bare.map(CODE, RX, nop(mode))
        image = bytearray(x86_fpu.INITIAL)
        image[5:24] = b"\xff" * 19  # pointers and opcode
        image[416:512] = b"\xff" * 96  # reserved
        first.regs.units = {"fpu": bytes(image)}
        first.run()
        second.run()
        assert first.regs.units["fpu"] == x86_fpu.INITIAL
        assert second.regs.units["fpu"] == x86_fpu.INITIAL


def test_the_first_state_is_linuxs() -> None:
    assert x86_fpu.INITIAL[:2] == b"\x7f\x03"
    for mode in X86:
        bare = Bare(mode)
        bare.map(CODE, RX, nop(mode))
        bare.run()
        bare.regs.leave()
        assert bare.regs.units["fpu"] == x86_fpu.INITIAL


@pytest.mark.parametrize("mode", PPC)
def test_units_are_switched_on_when_they_are_used_at_no_cost(mode: str) -> None:
    vor, fadd = 4 << 26 | 1156, 63 << 26 | 1 << 21 | 42
    for words, units in (
        ((NOP, NOP), set()),
        ((NOP, fadd), {"fp"}),
        ((NOP, vor), {"altivec"}),
        ((vor, fadd), {"fp", "altivec"}),
    ):
        bare = Bare(mode)
        bare.map(CODE, RX, ppc(*words) + trap_code(mode))
        bare.regs["xer"] = 0xA0000005
        assert bare.run() is SYSCALL
        assert bare.spent == 12
        assert set(bare.regs.units) == units
        assert bare.regs["xer"] == 0xA0000005
    if mode == "ppc64":
        bare = Bare(mode)
        bare.map(CODE, RX, ppc(60 << 26 | 1 << 21 | 146 << 3) + trap_code(mode))  # xxlor
        bare.run()
        assert set(bare.regs.units) == {"fp", "altivec", "vsx"}


@pytest.mark.parametrize("mode", PPC)
def test_carry_and_overflow_are_the_programs_own(mode: str) -> None:
    bare = Bare(mode)
    # subfo. style: addic sets CA; then mfxer must agree with what the model reads.
    code = ppc(li(3, -1), 12 << 26 | 4 << 21 | 3 << 16 | 1, mfspr(6, 1)) + trap_code(mode)
    bare.map(CODE, RX, code)
    bare.run()
    assert bare.regs["r6"] & 0xFFFFFFFF == bare.regs["xer"]
    assert bare.regs["xer"] & 0x20000000


@pytest.mark.parametrize("mode", PPC)
def test_vrsave_and_vscr_as_the_program_sees_them(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RX, ppc(li(3, 0x123), mtspr(3, 256), 4 << 26 | 1156) + trap_code(mode))
    bare.run()
    unit = bare.regs.units["altivec"]
    other = Bare(mode, machine=bare.machine)  # who never set it reads nobody else's
    other.map(CODE, RX, ppc(mfspr(3, 256)) + trap_code(mode))
    other.regs["r3"] = 1
    other.run()
    assert (other.regs["r3"], other.regs.units) == (0, {})
    assert len(unit) == ppc_units.ALTIVEC_BYTES
    assert unit[532:536] == b"\0\0\1\x23"


@pytest.mark.parametrize("mode", PPC)
def test_a_switch_drops_the_reservation(mode: str) -> None:
    first = Bare(mode)
    second = Bare(mode, machine=first.machine)
    lwarx, stwcx = x_form(20, 5, 0, 4), x_form(150, 6, 0, 4) | 1
    for bare in (first, second):
        code = ppc(lwarx) + trap_code(mode) + ppc(li(6, 1), stwcx) + trap_code(mode)
        bare.map(CODE, RX, code)
        bare.map(DATA, RW)
        bare.regs["r4"] = DATA
    plain = Bare(mode, machine=first.machine)
    plain.map(CODE, RX, trap_code(mode))
    for other in (second, plain):  # the memory holds the same: only the reservation can tell
        first.pc = second.pc = plain.pc = CODE
        first.run()
        other.run()
        first.run()
        assert not first.regs["cr"] >> 28 & 2
    first.pc = CODE
    first.run()
    first.run()
    assert first.regs["cr"] >> 28 & 2  # nobody came in between


def test_the_assembler_of_these_tests() -> None:
    assert ppc(addi(3, 4, -1), stw(3, 4, 8)) == bytes.fromhex("3864ffff90640008")
