"""The law of the clock again, with real programs and the kernel: same time, same output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.guest import FOREVER, boot, finish
from emu.stops import Stop
from kernel_model.kernel import Kernel
from kernel_model.mm.fault import BadAccess, handle_fault
from kernel_model.mm.vma import VM_EXEC, VM_READ, VM_WRITE
from kernel_model.task import State, Task

STORIES = [
    "cpu/float_series",
    "cpu/busy",
    "memory/deep_recursion",
    "memory/mmap_heap",
    "memory/private_file",
    "files/directory",
    "libc/sort_malloc",
    "time/nanosleep",
]
ARCHES = ["x86_32", "x86_64", "ppc32", "ppc64"]
Prepare = Callable[[Kernel, Task], None]


def prefault(_: Kernel, task: Task) -> None:
    """Touch every page of every mapping in every way that is allowed."""
    mm = task.mm
    assert mm is not None
    for vma in list(mm.vmas):
        for page_no in range(vma.start >> 12, vma.end >> 12):
            if mm.table.get(page_no):
                continue
            for right, access in ((VM_READ, "read"), (VM_WRITE, "write"), (VM_EXEC, "fetch")):
                if vma.flags & right:
                    try:
                        handle_fault(mm, page_no << 12, access, task.stack_limit)
                    except BadAccess as bad:
                        assert bad.bus


def flush(kernel: Kernel, _: Task) -> None:
    """Forget all translations, of addresses and of code."""
    kernel.machine.tables.stale = True
    kernel.ram.stale_code = True


def before_every_run(kernel: Kernel, prepare: Prepare) -> None:
    """Do something each time before the machine runs the only task."""
    task, run = kernel.tasks[1], kernel.machine.run

    def prepared(*arguments: object, **named: object) -> tuple[Stop, int]:
        prepare(kernel, task)
        return run(*arguments, **named)  # type: ignore[arg-type]

    kernel.machine.run = prepared  # type: ignore[method-assign]


def outcome(kernel: Kernel) -> tuple[bytes, int, int]:
    """Output, time, exit status."""
    return finish(kernel), kernel.clock.units, kernel.tasks[1].exit_code


def in_small_steps(kernel: Kernel, step: int) -> tuple[tuple[bytes, int, int], list[int]]:
    """The outcome when the machine is stopped again and again, and at which times."""
    task = kernel.tasks[1]
    times = []
    while task.state is not State.ZOMBIE:
        assert kernel.run_turn(kernel.clock.units + step, FOREVER)
        times.append(kernel.clock.units)
    return outcome(kernel), times


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("story", STORIES)
def test_same_time_and_output(story: str, arch: str) -> None:
    plain = outcome(boot(story, arch))
    assert plain[0]
    for prepare in (prefault, flush):
        kernel = boot(story, arch)
        before_every_run(kernel, prepare)
        assert outcome(kernel) == plain, prepare.__name__
    for step in (501, 30_011):
        if plain[1] > 5_000 * step:
            continue
        told = in_small_steps(boot(story, arch), step)
        assert told[0] == plain
        for prepare in (prefault, flush):
            kernel = boot(story, arch)
            before_every_run(kernel, prepare)
            assert in_small_steps(kernel, step) == told, (step, prepare.__name__)


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("story", ["cpu/busy", "memory/deep_recursion", "libc/sort_malloc"])
def test_timers_fire_at_the_same_times(story: str, arch: str) -> None:
    told = []
    for prepare in (None, prefault, flush):
        kernel = boot(story, arch)
        if prepare is not None:
            before_every_run(kernel, prepare)
        fired: list[int] = []
        for due_ns in range(100, 200_000, 317):
            kernel.clock.set_timer(due_ns, lambda: fired.append(kernel.clock.units))  # noqa: B023
        told.append((outcome(kernel), fired))
    assert told[0] == told[1] == told[2]
    assert len(told[0][1]) > 100
