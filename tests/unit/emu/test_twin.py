"""The accelerator and its twin in Python do the same."""

from __future__ import annotations

import pytest

from bench.guest import boot
from emu.accel import FIELDS, load_accelerator
from emu.arch.modes import MODES
from emu.machine import Machine
from emu.pagetable import DIRTY
from kernel_model.task import State
from tests.unit.emu.bare import ALL, CODE, DATA, RW, RX, Bare
from tests.unit.emu.programs import PAGES, Run, random_program

pytestmark = pytest.mark.skipif(load_accelerator() is None, reason="no accelerator was built")

SHARED = "spent block_start block_end stop fills fills_limit until fault_addr".split()


@pytest.mark.parametrize("mode", ALL)
def test_random_programs(mode: str) -> None:
    for seed in range(20, 24):
        code = random_program(mode, seed, 40)
        fast, slow = (Run(mode, code, accelerate=a, present=False) for a in (True, False))
        assert fast.story([1, 50, 333]) == slow.story([1, 50, 333])
        assert fast.memory() == slow.memory()
        for page in range(PAGES):
            entries = {run.bare.table.get((DATA >> 12) + page) & DIRTY for run in (fast, slow)}
            assert len(entries) == 1
        cpus = [run.bare.machine.cpu(mode) for run in (fast, slow)]
        for name in SHARED:
            assert cpus[0].words[FIELDS[name]] == cpus[1].words[FIELDS[name]], name
        assert fast.bare.regs.units == slow.bare.regs.units


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["x86_32", "x86_64", "ppc32", "ppc64"])
@pytest.mark.parametrize("story", ["basics/formats", "memory/private_file", "cpu/float_series"])
def test_guests(story: str, arch: str) -> None:
    kernels = [boot(story, arch, accelerate=accelerate) for accelerate in (True, False)]
    for turn in range(100_000):
        states = []
        for kernel in kernels:
            task = kernel.tasks[1]
            ended = task.state is State.ZOMBIE
            if not ended:
                kernel.run_turn(kernel.clock.units + 20_000, kernel.completed_calls + 1)
            states.append((ended, kernel.clock.units, list(task.regs.words), task.regs.units))
        assert states[0] == states[1], turn
        if states[0][0]:
            break
    used = [kernel.console.output for kernel in kernels]
    assert used[0] == used[1] != b""
    assert kernels[0].ram.buffer[: 1 << 20] == kernels[1].ram.buffer[: 1 << 20]


def test_a_large_working_set_makes_the_tlb_grow() -> None:
    """Else every access would miss: the engine begins with room for 256 pages."""
    fills, limit = touch_many_pages(True)
    assert touch_many_pages(False) == (fills, limit)
    assert fills < 12_000
    assert limit > 1024


def touch_many_pages(accelerate: bool) -> tuple[int, int]:
    """Fills for 40 rounds over 1,000 pages, and how many may come before the next flush."""
    bare = Bare("x86_64", accelerate=accelerate, machine=Machine(8 << 20, accelerate=accelerate))
    # loop: mov (%rdi), %eax; add $4096, %rdi; cmp %rsi, %rdi; jb loop; syscall
    bare.map(CODE, RX, bytes.fromhex("8b07 4881c700100000 4839f7 72f2 0f05"))
    for page in range(1000):
        bare.map(0x100000 + 4096 * page, RW)
    fills = 0
    for _ in range(40):
        bare.pc = CODE
        bare.regs["rdi"], bare.regs["rsi"] = 0x100000, 0x100000 + 4096 * 1000
        before = bare.machine.cpu("x86_64").words[FIELDS["fills"]]
        bare.run()
        after = bare.machine.cpu("x86_64").words[FIELDS["fills"]]
        fills += after - before if after >= before else after + 1024
    return fills, bare.machine.cpu("x86_64").words[FIELDS["fills_limit"]]


def test_every_mode_is_covered() -> None:
    assert set(MODES) == set(ALL)
