"""Laws about runs that must not differ: host processes, wake-ups, pages, pure images, leaks."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cr
from cr.system import System
from cr.until import Ended
from emu.memory import PAGE_SHIFT, ZERO_FRAME
from guests.stories import ARCHES, find_story
from kernel_model.mm.fault import BadAccess, OutOfMemory, handle_fault
from kernel_model.task import State
from tests.harness.hostile import assert_all_given_back, state_of
from tests.harness.model import (
    MAX_TIME_NS,
    assert_same,
    every_call,
    outcome,
    run_cycled,
    run_straight,
    start,
)

ROOT = Path(__file__).resolve().parents[2]
OWN_RECORDS = 0x8000
SLEEPERS = (
    "processes/fork_wait",
    "processes/pipe_pingpong",
    "signals/restart_read",
    "time/interval_timer",
    "time/nanosleep",
    "time/sleep_interrupted",
)
PAGERS = (
    "cpu/x87_sse",
    "libc/sort_malloc",
    "memory/deep_recursion",
    "memory/mprotect_fix",
    "memory/private_file",
    "memory/shared_file",
    "signals/nested",
)


def on_its_arches(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, arch) for name in names for arch in ARCHES if arch in find_story(name).arches]


def told_by(mode: str, hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.properties.same_bytes", mode],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.slow
def test_same_bytes_in_another_process() -> None:
    first = told_by("accelerated", "1")
    assert len(first.splitlines()) > 40
    assert told_by("accelerated", "2").splitlines() == first.splitlines()
    assert told_by("plain", "3").splitlines() == first.splitlines()


@pytest.mark.parametrize(("name", "arch"), on_its_arches(SLEEPERS))
def test_spurious_wakeups(name: str, arch: str) -> None:
    """At every turn every sleeper is woken for nothing."""
    story = find_story(name)
    expected = run_straight(story, arch, story.builds[0])
    kernel = start(story, arch, story.builds[0])
    woken = 0
    step_ns = max(1, expected.units // 4 // 400)
    while kernel.run(cr.after_time(step_ns), max_time_ns=MAX_TIME_NS) is not Ended.EXITED:
        for task in list(kernel.tasks.values()):
            woken += task.state is State.SLEEPING
            task.wake()
    assert_same(outcome(kernel, kernel.console.output), expected)
    assert woken
    kernel.power_off()


def prefault(kernel: System) -> System:
    """Bring in every page that may be read."""
    for task in kernel.tasks.values():
        for vma in list(task.mm.vmas) if task.mm is not None else []:
            for page_no in range(vma.first_page, min(vma.last_page, vma.first_page + 64)):
                if task.mm is None or task.mm.table.get(page_no):
                    continue
                try:
                    handle_fault(task.mm, page_no << PAGE_SHIFT, "read", task.stack_limit)
                except (BadAccess, OutOfMemory):
                    break
    return kernel


def evict(kernel: System) -> System:
    """Take away every page that comes back by itself."""
    for task in kernel.tasks.values():
        for vma in task.mm.vmas if task.mm is not None else []:
            assert task.mm is not None
            own = vma.backing.pages if vma.backing is not None else {}
            for page_no, entry in list(task.mm.table.entries(vma.first_page, vma.last_page)):
                frame = entry >> PAGE_SHIFT
                if frame == ZERO_FRAME or own.get(vma.page_offset(page_no)) == frame:
                    task.mm.zap(page_no, page_no + 1)
    return kernel


def flush(kernel: System) -> System:
    """Forget all translations of addresses and of code."""
    kernel.ram.stale_code = kernel.machine.tables.stale = True
    return kernel


@pytest.mark.parametrize("between", [prefault, evict, flush])
@pytest.mark.parametrize(("name", "arch"), on_its_arches(PAGERS))
def test_pages_make_no_difference(
    name: str, arch: str, between: Callable[[System], System]
) -> None:
    case = (find_story(name), arch, find_story(name).builds[0])
    expected = run_straight(*case)
    kernel = start(*case)
    for place in every_call():
        if kernel.run(place, max_time_ns=MAX_TIME_NS) is Ended.EXITED:
            break
        between(kernel)
    assert_same(outcome(kernel, kernel.console.output), expected)
    kernel.power_off()


def pure_cycle(kernel: System) -> System:
    image = kernel.checkpoint(pure=True)
    assert [item.name for item in image.records if item.type_no >= OWN_RECORDS] == []
    kernel = kernel.reboot()
    kernel.restart(image)
    return kernel


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize(
    "name", ["basics/counter", "libc/sort_malloc", "memory/mremap", "signals/queue", "files/pipe"]
)
def test_pure_images_are_enough_for_the_output(name: str, arch: str) -> None:
    story = find_story(name)
    result = run_cycled(story, arch, story.builds[0], every_call(), pure_cycle)
    assert story.agrees(result.console), result.console
    assert result.status == story.exits


@pytest.mark.parametrize(("name", "arch"), on_its_arches(PAGERS + SLEEPERS))
def test_nothing_is_kept_by_the_dead(name: str, arch: str) -> None:
    """A finished run, and one that was killed half way, give everything back."""
    story = find_story(name)
    for calls in (10_000, 7):
        kernel = start(story, arch, story.builds[0])
        fresh = start(story, arch, story.builds[0])
        for task in reversed(list(fresh.tasks.values())):
            task.exit_group(0)
        fresh.vfs.shrink()
        kernel.run(cr.after_syscalls(calls), max_time_ns=MAX_TIME_NS)
        assert_all_given_back(kernel, state_of(fresh))
        kernel.power_off()
        fresh.power_off()
