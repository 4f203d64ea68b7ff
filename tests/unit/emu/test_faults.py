"""What is relied on about faults: where they are reported, and that nothing was half done."""

from __future__ import annotations

import pytest

from emu.pagetable import DIRTY, READ
from emu.stops import MemoryFault
from tests.unit.emu.bare import (
    ALL,
    CODE,
    DATA,
    NOP,
    PPC,
    RW,
    RWX,
    RX,
    X86,
    Bare,
    li,
    lwz,
    ppc,
    stw,
    trap_code,
)


def middle_of_a_block(mode: str, *, store: bool, offset: int = 3) -> tuple[bytes, int, int]:
    """Code, where its access lies, and its length: a move, the access, a move, a system call."""
    if mode in PPC:
        access = stw(3, 4, offset) if store else lwz(5, 4, offset)
        code = ppc(li(3, 1), access, li(3, 2)) + trap_code(mode)
        return code, 4, len(code)
    access_code = bytes([0x89 if store else 0x8B, 0x53, offset])
    code = b"\xb8\x01\0\0\0" + access_code + b"\xb8\x02\0\0\0" + trap_code(mode)
    return code, 5, len(code)


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("store", [False, True])
@pytest.mark.parametrize("mode", ALL)
def test_a_fault_in_mid_block_is_exact_and_can_be_resumed(
    mode: str, store: bool, accelerate: bool
) -> None:
    bare = Bare(mode, accelerate=accelerate)
    code, where, length = middle_of_a_block(mode, store=store)
    bare.map(CODE, RX, code)
    bare.regs[bare.r2] = DATA
    for _ in range(2):  # refused twice: nothing has changed in between
        assert bare.run() == MemoryFault(DATA + 3, "write" if store else "read")
        assert bare.pc == CODE + where
        assert bare.regs[bare.r1] == 1
        assert bare.spent == where
    bare.map(DATA, RW)
    assert str(bare.run()) == "SyscallTrap()"
    assert bare.regs[bare.r1] == 2
    assert bare.spent == length


@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize("mode", ALL)
def test_a_store_across_two_pages_does_nothing_when_one_is_missing(mode: str, missing: int) -> None:
    bare = Bare(mode)
    code, where, _ = middle_of_a_block(mode, store=True, offset=0)
    bare.map(CODE, RX, code)
    bare.regs[bare.r2] = DATA + 0xFFE
    bare.regs[bare.r3] = 0xFFFFFFFF
    frames = {page: bare.map(DATA + (page << 12), RW) for page in (0, 1) if page != missing}
    stop = bare.run()
    assert stop == MemoryFault(DATA + (0x1000 if missing else 0xFFE), "write")
    assert bare.pc == CODE + where
    for frame in frames.values():
        assert bytes(bare.ram.page(frame)) == bytes(4096)


def test_store_multiple_across_two_pages_does_nothing_when_one_is_missing() -> None:
    for mode in PPC:
        bare = Bare(mode)
        bare.map(CODE, RX, ppc(NOP, 47 << 26 | 24 << 21 | 4 << 16, 0x44000002))  # stmw r24, 0(r4)
        bare.regs["r4"] = DATA + 0xFF0
        frame = bare.map(DATA, RW)
        assert bare.run() == MemoryFault(DATA + 0x1000, "write")
        assert bare.pc == CODE + 4
        for register in range(24, 32):
            bare.regs[f"r{register}"] = register
        bare.map(DATA + 0x1000, RW)
        bare.run()
        assert bare.ram.read(frame, 0xFFC, 4) == (27).to_bytes(4, "big")


@pytest.mark.parametrize("mode", X86)
def test_a_string_instruction_goes_on_where_it_faulted(mode: str) -> None:
    bare = Bare(mode)
    bare.map(CODE, RX, b"\x90\xf3\xaa\x90" + trap_code(mode))  # rep stosb
    bare.regs[bare.di] = DATA + 0xFF0
    bare.regs[bare.cx] = 0x40
    bare.regs[bare.r1] = 7
    frame = bare.map(DATA, RW)
    assert bare.run() == MemoryFault(DATA + 0x1000, "write")
    assert (bare.pc, bare.regs[bare.cx], bare.regs[bare.di]) == (CODE + 1, 0x30, DATA + 0x1000)
    assert bare.ram.read(frame, 0xFF0, 16) == bytes([7]) * 16
    next_frame = bare.map(DATA + 0x1000, RW)
    bare.run()
    assert bare.ram.read(next_frame, 0, 0x31) == bytes([7]) * 0x30 + b"\0"
    # One for each iteration: 0x40 times two bytes, and what stands around them.
    whole = bare.spent
    fresh = Bare(mode)
    fresh.map(CODE, RX, b"\x90\xf3\xaa\x90" + trap_code(mode))
    fresh.map(DATA, RW)
    fresh.map(DATA + 0x1000, RW)
    fresh.regs[fresh.di], fresh.regs[fresh.cx] = DATA + 0xFF0, 0x40
    fresh.run()
    assert fresh.spent == whole


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("mode", ALL)
def test_the_first_store_marks_the_page_dirty_and_a_load_does_not(
    mode: str, accelerate: bool
) -> None:
    bare = Bare(mode, accelerate=accelerate)
    load, _, _ = middle_of_a_block(mode, store=False)
    store, _, _ = middle_of_a_block(mode, store=True)
    bare.map(CODE, RX, load + store)
    bare.map(DATA, RW)
    bare.regs[bare.r2] = DATA
    bare.run()
    assert not bare.table.get(DATA >> 12) & DIRTY
    bare.run()
    assert bare.table.get(DATA >> 12) & DIRTY


@pytest.mark.parametrize("mode", ALL)
def test_a_store_to_a_page_that_was_read_is_still_refused(mode: str) -> None:
    bare = Bare(mode)
    load, _, length = middle_of_a_block(mode, store=False)
    store, where, _ = middle_of_a_block(mode, store=True)
    bare.map(CODE, RX, load + store)
    bare.map(DATA, READ)
    bare.regs[bare.r2] = DATA
    bare.run()
    assert bare.run() == MemoryFault(DATA + 3, "write")
    assert bare.pc == CODE + length + where


@pytest.mark.parametrize("mode", ALL)
def test_jumps_to_nowhere_and_to_data(mode: str) -> None:
    bare = Bare(mode)
    for _ in range(2):
        bare.pc = 0
        assert (bare.run(), bare.pc) == (MemoryFault(0, "fetch"), 0)
    bare.map(DATA, RW, trap_code(mode))
    bare.pc = DATA + 4
    assert (bare.run(), bare.pc) == (MemoryFault(DATA + 4, "fetch"), DATA + 4)
    # By a jump of the guest's own.
    if mode in PPC:
        code = ppc(li(3, 0), 31 << 26 | 3 << 21 | 9 << 16 | 467 << 1, 0x4E800420)  # mtctr, bctr
    else:
        code = b"\x31\xc0\xff\xe0"  # xor, jmp *
    bare.map(CODE, RX, code)
    for _ in range(2):
        bare.pc = CODE
        assert (bare.run(), bare.pc) == (MemoryFault(0, "fetch"), 0)
    assert bare.spent == 2 * len(code)


@pytest.mark.parametrize("accelerate", [True, False])
@pytest.mark.parametrize("mode", ALL)
def test_code_that_runs_off_its_page_has_run_up_to_the_border(mode: str, accelerate: bool) -> None:
    bare = Bare(mode, accelerate=accelerate)
    if mode in PPC:
        code = ppc(li(3, 1), li(3, 2), li(3, 3), li(3, 4))
    else:
        code = b"\x90" * 6 + b"\xb8\x04\0\0\0" + b"\x90" * 5
    bare.pc = CODE + 0x1000 - len(code)
    bare.map(bare.pc, RX, code)
    for _ in range(2):
        assert bare.run() == MemoryFault(CODE + 0x1000, "fetch")
        assert (bare.pc, bare.regs[bare.r1]) == (CODE + 0x1000, 4)
        assert bare.spent == len(code)
    bare.map(CODE + 0x1000, RX, trap_code(mode))
    bare.run()
    assert bare.spent == len(code) + len(trap_code(mode))


@pytest.mark.parametrize("mode", X86)
def test_an_instruction_that_straddles_the_border(mode: str) -> None:
    bare = Bare(mode)
    bare.pc = CODE + 0xFF0
    bare.map(bare.pc, RX, b"\x90" * 14 + b"\xb8\x34")  # mov $0x1234, %eax
    for _ in range(2):
        assert bare.run() == MemoryFault(CODE + 0x1000, "fetch")
        assert (bare.pc, bare.spent) == (CODE + 0xFFE, 14)
    bare.map(CODE + 0x1000, RX, b"\x12\0\0" + trap_code(mode))
    bare.run()
    assert bare.regs[bare.r1] == 0x1234
    assert bare.spent == 14 + 5 + 2
    # The border once more, by a jump: nothing is left of the run that ended there.
    bare.pc = CODE + 0xFFE
    bare.run()
    assert bare.pc == CODE + 0x1005


@pytest.mark.parametrize("mode", X86)
def test_code_that_stores_into_itself_just_before_the_border(mode: str) -> None:
    bare = Bare(mode)
    bare.pc = CODE + 0xFF0
    bare.map(bare.pc, RWX, b"\x90" * 12 + b"\x88\x03" + b"\xb8\x34")  # mov %al, (%ebx)
    bare.regs[bare.r2], bare.regs[bare.r1] = bare.pc, 0x90
    assert bare.run() == MemoryFault(CODE + 0x1000, "fetch")
    assert bare.pc == CODE + 0xFFE
    bare.map(CODE + 0x1000, RX, b"\x12\0\0" + trap_code(mode))
    assert str(bare.run()) == "SyscallTrap()"
    assert bare.regs[bare.r1] == 0x1234


@pytest.mark.parametrize("mode", X86)
def test_a_loop_that_reaches_the_border_only_in_the_end(mode: str) -> None:
    # inc; cmp $9; jne back; then off the page.
    code = b"\xff\xc0\x83\xf8\x09\x75\xf9\x90"
    bare = Bare(mode)
    bare.pc = CODE + 0x1000 - len(code)
    bare.map(bare.pc, RX, code)
    assert bare.run() == MemoryFault(CODE + 0x1000, "fetch")
    assert (bare.regs[bare.r1], bare.pc) == (9, CODE + 0x1000)
    assert bare.spent == 9 * 7 + 1


@pytest.mark.parametrize("mode", ALL)
def test_lowered_rights_and_moved_pages_are_honoured_at_the_next_run(mode: str) -> None:
    bare = Bare(mode)
    store, _, _ = middle_of_a_block(mode, store=True)
    bare.map(CODE, RX, store)
    bare.map(DATA, RW)
    bare.regs[bare.r2], bare.regs[bare.r3] = DATA, 0x01010101
    bare.run()
    bare.protect(DATA, READ)
    bare.pc = CODE
    assert bare.run() == MemoryFault(DATA + 3, "write")
    frame = bare.map(DATA, RW)  # elsewhere
    bare.run()
    assert bare.ram.read(frame, 0, 8) != bytes(8) or mode in PPC
    bare.table.clear(DATA >> 12)
    bare.pc, bare.resumed = CODE, False
    assert bare.run() == MemoryFault(DATA + 3, "write")
    bare.table.clear(CODE >> 12)
    bare.pc, bare.resumed = CODE, False
    assert bare.run() == MemoryFault(CODE, "fetch")
    bare.map(CODE, RWX, trap_code(mode))
    bare.pc, bare.resumed = CODE, False
    assert str(bare.run()) == "SyscallTrap()"
