"""Laws over all stories, on all modes: a few in every run, the whole at night.

(Law 5, and law 6 for stories that say `order: any`: tests/sweep/test_schedules.py. Law 7, the same
bytes from a second checkpoint, is part of every cycle of tests/guests/test_stories.py.)
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

import cr
from cr.checkpoint import checkpoint_tasks
from cr.collect import check_contained, check_visited
from cr.context import Checkpoint
from cr.image.types import CHECKPOINT_NETNS
from cr.system import System
from cr.tree import tasks_of
from cr.until import Ended
from guests.stories import ENVIRONMENT, Story, all_stories
from kernel_model.console import Console
from kernel_model.trace import Event, SyscallEntered
from tests.harness.model import (
    MAX_TIME_NS,
    MEMORY_BYTES,
    assert_same,
    disk_with,
    every_call,
    outcome,
    program_bytes,
    run_straight,
    spread,
    start,
)
from tests.properties.test_same_run import evict, flush, prefault

SEEDS = range(1, 4)
ASKS_FOR_PAGES = {"process/proc_sys"}
"""These read how many pages are resident (/proc/self/statm): law 10 is not about them."""
_IN_EVERY_RUN = 11
"""One in so many cases."""


def cases() -> list[object]:
    found = [
        (story, arch)
        for story in all_stories()
        if story.never_because is None
        for arch in story.arches
    ]
    return [
        pytest.param(
            story,
            arch,
            id=f"{story.name}-{arch}",
            marks=[] if number % _IN_EVERY_RUN == 0 else [pytest.mark.nightly],
        )
        for number, (story, arch) in enumerate(found)
    ]


of_all = pytest.mark.parametrize(("story", "arch"), cases())


def seeded(story: Story, arch: str, seed: int) -> System:
    program = program_bytes(story.path, arch, story.builds[0] == "freestanding")
    console = Console()
    console.feed(story.stdin.encode())
    kernel = cr.boot(
        arch,
        disk_with(program),
        console=console,
        memory_bytes=MEMORY_BYTES,
        schedule_seed=seed,
        abi=story.abi,
    )
    kernel.spawn("/bin/program", *story.args, env=ENVIRONMENT)
    return kernel


@of_all
def test_law_6_a_single_task_does_not_mind_the_scheduler(story: Story, arch: str) -> None:
    kernel = start(story, arch, story.builds[0])
    pids = set()

    def listen(event: Event) -> None:
        if isinstance(event, SyscallEntered):
            pids.add(event.pid)

    kernel.trace.sinks.append(listen)
    assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    expected = outcome(kernel, kernel.console.output)
    kernel.power_off()
    if pids - {1, 2}:
        return  # it has several; law 6 is about it only if it says `order: any`
    for seed in SEEDS:
        kernel = seeded(story, arch, seed)
        assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
        result = outcome(kernel, kernel.console.output)
        assert story.agrees(result.console), f"seed {seed}: {result.console}"
        assert (result.status, result.calls) == (expected.status, expected.calls)
        kernel.power_off()


@of_all
def test_law_8_collect_finds_the_users_that_objects_count(story: Story, arch: str) -> None:
    calls = run_straight(story, arch, story.builds[0]).calls
    kernel = start(story, arch, story.builds[0])
    for place in spread(calls):
        if kernel.run(place, max_time_ns=MAX_TIME_NS) is not Ended.REACHED:
            break
        tasks = [task for _, task in sorted(kernel.tasks.items())]
        ctx = Checkpoint(kernel, [], kernel.vfs.root, pure=False, caller=None)
        found = check_contained(ctx, tasks)
        checkpoint_tasks(ctx, tasks_of(tasks[0]), CHECKPOINT_NETNS)
        check_visited(ctx, found)
    kernel.power_off()


@pytest.mark.slow
@pytest.mark.parametrize("between", [prefault, evict, flush], ids=lambda between: between.__name__)
@of_all
def test_law_10_pages_make_no_difference(
    story: Story, arch: str, between: Callable[[System], System]
) -> None:
    if story.name in ASKS_FOR_PAGES:
        pytest.skip("it reads how many pages are resident")
    expected = run_straight(story, arch, story.builds[0])
    kernel = start(story, arch, story.builds[0])
    for place in every_call():
        if kernel.run(place, max_time_ns=MAX_TIME_NS) is Ended.EXITED:
            break
        between(kernel)
    assert_same(outcome(kernel, kernel.console.output), expected)
    kernel.power_off()
