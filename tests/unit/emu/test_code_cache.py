"""Translated code is never older than the code."""

from __future__ import annotations

import pytest

from emu.machine import Machine
from emu.stops import SYSCALL, MemoryFault
from tests.unit.emu.bare import (
    ALL,
    CODE,
    DATA,
    PPC,
    RW,
    RWX,
    RX,
    X86,
    Bare,
    li,
    ppc,
    stw,
    trap_code,
)


def set_r1(mode: str, value: int) -> bytes:
    """Code that puts a number into the first register and traps."""
    if mode in PPC:
        return ppc(li(3, value)) + trap_code(mode)
    return b"\xb8" + value.to_bytes(4, "little") + trap_code(mode)


@pytest.mark.parametrize("mode", ALL)
def test_guest_stores_into_code_that_has_run(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RWX, set_r1(mode, 1))
    bare.run()
    assert bare.regs[bare.r1] == 1
    if mode in PPC:
        patch = ppc(stw(5, 4, 0)) + trap_code(mode)
        bare.regs["r5"] = li(3, 2)
    else:
        patch = b"\x89\x53\x01" + trap_code(mode)  # mov %edx, 1(%ebx)
        bare.regs[bare.r3] = 2
    bare.map(DATA, RX, patch)
    bare.regs[bare.r2] = CODE
    bare.pc = DATA
    assert bare.run() is SYSCALL
    bare.pc = CODE
    bare.run()
    assert bare.regs[bare.r1] == 2


@pytest.mark.parametrize("mode", ALL)
def test_guest_stores_through_another_mapping(mode: str) -> None:
    bare = Bare(mode)
    frame = bare.map(CODE, RX, set_r1(mode, 1))
    bare.table.set(0x60, frame, 1 | RW)
    bare.run()
    if mode in PPC:
        patch = ppc(stw(5, 4, 0)) + trap_code(mode)
        bare.regs["r5"] = li(3, 2)
    else:
        patch = b"\x89\x53\x01" + trap_code(mode)
        bare.regs[bare.r3] = 2
    bare.map(DATA, RX, patch)
    bare.regs[bare.r2] = 0x60000
    bare.pc = DATA
    assert bare.run() is SYSCALL
    bare.pc = CODE
    bare.run()
    assert bare.regs[bare.r1] == 2


@pytest.mark.parametrize("mode", X86)
def test_a_store_into_the_very_next_instruction(mode: str) -> None:
    bare = Bare(mode)
    # mov %edx, 1+next(%ebx); mov $1, %eax
    bare.map(CODE, RWX, b"\x89\x53\x04" + set_r1(mode, 1))
    bare.regs[bare.r2], bare.regs[bare.r3] = CODE, 9
    bare.run()
    assert bare.regs[bare.r1] == 9


@pytest.mark.parametrize("mode", ALL)
def test_the_kernels_writes_are_seen_by_every_cpu(mode: str) -> None:
    first = Bare(mode)
    frame = first.map(CODE, RX, set_r1(mode, 1))
    others = [Bare(mode, machine=first.machine)]
    if mode == "x86_64":
        others.append(Bare("x86_32 compat", machine=first.machine))
    if mode == "ppc64":
        others.append(Bare("ppc32", machine=first.machine))
    for other in others:
        other.table.set(CODE >> 12, frame, 1 | RX)
    first.ram.grab(frame)
    for value in (1, 2, 3):
        first.ram.write(frame, 0, set_r1(mode, value))
        for bare in (first, *others):
            bare.pc = CODE
            bare.run()
            if bare.mode == "x86_32 compat":
                assert bare.regs["eax"] == value
            else:
                assert bare.regs[bare.r1] == value


@pytest.mark.parametrize("mode", ALL)
def test_a_frame_of_code_that_was_freed_and_given_to_somebody_else(mode: str) -> None:
    bare = Bare(mode)
    frame = bare.map(CODE, RX, set_r1(mode, 1))
    bare.run()
    bare.table.clear(CODE >> 12)
    bare.ram.drop(frame)
    assert bare.map(CODE, RX) == frame
    # Filled without `write`, as a frame that nobody has mapped yet may be.
    bare.ram.view[frame << 12 : (frame << 12) + 16] = set_r1(mode, 2).ljust(16, b"\0")
    bare.pc = CODE
    bare.run()
    assert bare.regs[bare.r1] == 2


@pytest.mark.parametrize("mode", ALL)
def test_the_next_machine_on_the_same_memory(mode: str) -> None:
    bare = Bare(mode)
    frame = bare.map(CODE, RX, set_r1(mode, 1))
    bare.run()
    ram = bare.machine.power_off()
    after = Bare(mode, machine=Machine(0, ram=ram))
    assert after.map(CODE, RX) == frame
    assert bytes(ram.page(frame)) == bytes(4096)
    ram.write(frame, 0, set_r1(mode, 2))
    after.run()
    assert after.regs[after.r1] == 2


@pytest.mark.parametrize("mode", X86)
def test_a_block_over_two_pages_when_the_second_moves(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RX, b"")
    bare.pc = CODE + 0xFFE
    bare.ram.write(bare.table.get(CODE >> 12) >> 12, 0xFFE, b"\x90\x90")
    bare.map(CODE + 0x1000, RX, set_r1(mode, 1))
    bare.run()
    bare.pc = CODE + 0xFFE
    bare.map(CODE + 0x1000, RX, set_r1(mode, 2))
    bare.run()
    assert bare.regs[bare.r1] == 2
    bare.table.clear((CODE >> 12) + 1)
    bare.pc = CODE + 0xFFE
    assert bare.run() == MemoryFault(CODE + 0x1000, "fetch")
    assert bare.pc == CODE + 0x1000
