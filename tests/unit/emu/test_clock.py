"""The law of the clock: time depends on the path of instructions and on nothing else.

Pages all there or none, translations kept or thrown away before every run: slices end at the same
instructions, at the same times, with the same registers.
"""

from __future__ import annotations

import random

import pytest

from emu.stops import SYSCALL, MemoryFault
from tests.unit.emu.bare import (
    ALL,
    CODE,
    DATA,
    FOREVER,
    NOP,
    PPC,
    RW,
    RX,
    X86,
    Bare,
    addi,
    lwz,
    ppc,
    trap_code,
)
from tests.unit.emu.programs import Run, random_program

BUDGETS = {"tiny": [1], "mixed": [37, 5, 1000, 211], "large": [FOREVER]}


@pytest.mark.parametrize("budgets", BUDGETS)
@pytest.mark.parametrize("mode", ALL)
def test_slices_end_where_they_end(mode: str, budgets: str) -> None:
    for seed in range(3):
        code = random_program(mode, seed, 12 if budgets == "tiny" else 60)
        plain = Run(mode, code, present=True)
        story = plain.story(BUDGETS[budgets])
        for present, flush in ((False, False), (True, True), (False, True)):
            other = Run(mode, code, present=present, flush=flush)
            assert other.story(BUDGETS[budgets]) == story, (seed, present, flush)
            assert other.memory() == plain.memory()


@pytest.mark.parametrize("mode", ALL)
def test_the_whole_time_does_not_depend_on_the_budgets(mode: str) -> None:
    code = random_program(mode, 9, 80)
    ends = {str(Run(mode, code, present=False).story(b)[-1]) for b in BUDGETS.values()}
    assert len(ends) == 1


@pytest.mark.parametrize("mode", ALL)
def test_a_fault_goes_on_when_another_task_has_run_in_between(mode: str) -> None:
    """Even on a spent budget, up to the next branch that is taken."""
    code = b"\x8b\x0b\x90" if mode not in PPC else ppc(lwz(5, 4, 0), NOP)
    first = Bare(mode)
    second = Bare(mode, machine=first.machine)
    for bare in (first, second):
        bare.map(CODE, RX, (code + trap_code(mode)) * 2)
        bare.regs[bare.r2] = DATA
        if bare is second:
            bare.pc = CODE + len(code + trap_code(mode))
        assert isinstance(bare.run(), MemoryFault)
        bare.map(DATA, RW)
    assert first.run(0) is SYSCALL
    assert first.spent == len(code) + len(trap_code(mode))


@pytest.mark.parametrize("mode", ALL)
def test_long_code_without_a_branch(mode: str) -> None:
    """The translator cuts it into blocks by limits of its own; no slice ends at such a cut."""
    one = ppc(addi(3, 3, 1)) if mode in PPC else b"\xff\xc0"
    for start in (0, 1000):
        bare = Bare(mode)
        count = 2500
        code = one * count + trap_code(mode)
        for offset in range(0, len(code) + 4096, 4096):
            bare.map(CODE + offset, RX, code[offset : offset + 4096])
        bare.pc = CODE + start * len(one)
        assert str(bare.run(1)) == "SyscallTrap()"
        assert bare.regs[bare.r1] == count - start
        assert bare.spent == len(code) - start * len(one)


@pytest.mark.parametrize("mode", X86)
def test_string_instructions_are_charged_for_each_iteration(mode: str) -> None:
    for count in (0, 1, 2, 1000):
        run = Run(mode, b"\xf3\xaa" + trap_code(mode), present=True)
        bare = run.bare
        bare.regs[bare.di], bare.regs[bare.cx] = 0x40000, count
        run.slice(FOREVER)
        again = Run(mode, b"\xf3\xaa" + trap_code(mode), present=False)
        again.bare.regs[bare.di], again.bare.regs[bare.cx] = 0x40000, count
        again.slice(FOREVER)
        assert run.now == again.now
        assert run.now >= 2 * max(count, 1) + 2
        if count == 1000:
            assert run.now <= 2 * (count + 1) + 2


def test_the_programs_differ() -> None:
    for mode in ALL:
        assert random_program(mode, 1, 20) != random_program(mode, 2, 20)
        assert len(random_program(mode, random.Random(1).randrange(99), 60)) > 200
