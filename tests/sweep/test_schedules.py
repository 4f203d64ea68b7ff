"""Other schedules: the seed of the scheduler, chaos, and sleepers that are woken for nothing.

Law 5: wake every sleeper at every tick, and nothing changes. Law 6: another scheduler seed, and
stories that say `order: any` print the same. And in a chaotic run too a checkpoint, a reboot and a
restart are invisible.
"""

from __future__ import annotations

from random import Random

import pytest

import cr
from cr.system import System
from cr.testing.places import Every
from cr.testing.sweep import Segment, run_segment
from cr.until import Ended
from guests.stories import ARCHES, Story, all_stories, find_story
from kernel_model.chaos import Chaos
from kernel_model.clock import UNITS_PER_NS, Clock
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.console import Console
from kernel_model.sched import Scheduler
from kernel_model.signals import SIGCHLD
from kernel_model.task import State
from tests.harness.model import (
    MAX_TIME_NS,
    MEMORY_BYTES,
    ModelOutcome,
    assert_same,
    cycled,
    disk_with,
    outcome,
    program_bytes,
    run_straight,
    start,
)
from tests.harness.tiny_tasks import pausing
from tests.sweep.conftest import Subjects

SIX = "processes/six"
SEEDS_IN_EVERY_RUN, SEEDS_AT_NIGHT = 6, 1000
SPURIOUS_IN_EVERY_RUN = (
    "events/epoll_level",
    "ipc/messages",
    "ipc/semaphores",
    "processes/six",
    "processes/threads",
    "signals/signalfd",
)
SIGNALLED_EVERYBODY = 400
"""In how many steps the time of a run is cut for law 5."""


def stories(keep: tuple[str, ...]) -> list[object]:
    return [
        pytest.param(
            story,
            arch,
            id=f"{story.name}-{arch}",
            marks=[] if story.name in keep else [pytest.mark.nightly],
        )
        for story in all_stories()
        if story.never_because is None
        and not story.name.startswith(("checkpoint/", "generations/"))
        for arch in story.arches
    ]


@pytest.mark.parametrize(("story", "arch"), stories(SPURIOUS_IN_EVERY_RUN))
def test_law_5_spurious_wakeups(story: Story, arch: str) -> None:
    expected = run_straight(story, arch, story.builds[0])
    kernel = start(story, arch, story.builds[0])
    step_ns = max(1, expected.units // UNITS_PER_NS // SIGNALLED_EVERYBODY)
    while kernel.run(cr.after_time(step_ns), max_time_ns=MAX_TIME_NS) is not Ended.EXITED:
        for task in list(kernel.tasks.values()):
            if task.state is State.SLEEPING:
                task.wake()
    # Being woken costs no time, so all is as it was; only who goes first may differ.
    result = outcome(kernel, kernel.console.output)
    assert story.agrees(result.console)
    assert (result.status, result.not_modelled) == (expected.status, expected.not_modelled)
    kernel.power_off()


def seeded(story: Story, arch: str, seed: int, *, chaos: bool = False) -> System:
    program = program_bytes(story.path, arch, story.builds[0] == "freestanding")
    console = Console()
    console.feed(story.stdin.encode())
    kernel = cr.boot(
        arch,
        disk_with(program),
        console=console,
        memory_bytes=MEMORY_BYTES,
        schedule_seed=seed,
        chaos=chaos,
    )
    kernel.spawn("/bin/program", *story.args)
    return kernel


def ended(kernel: System, before: bytes = b"") -> ModelOutcome:
    assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    result = outcome(kernel, before + kernel.console.output)
    kernel.power_off()
    return result


def any_order() -> list[Story]:
    return [story for story in all_stories() if story.any_order]


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("story", any_order(), ids=lambda story: story.name)
def test_law_6_other_scheduler_seeds(story: Story, arch: str) -> None:
    lengths = set()
    for seed in range(1, 5):
        result = ended(seeded(story, arch, seed))
        assert story.agrees(result.console), f"seed {seed}: {result.console}"
        assert result.status == story.exits
        lengths.add((result.units, result.calls))
    assert len(lengths) > 1 or story.name != SIX


def with_and_without(arch: str, seed: int) -> None:
    """One chaotic run to its end, and one that is checkpointed at a seeded point."""
    story = find_story(SIX)
    straight = ended(seeded(story, arch, seed, chaos=True))
    assert story.agrees(straight.console), f"seed {seed}: {straight.console}"
    kernel = seeded(story, arch, seed, chaos=True)
    point = Random(seed).randrange(1, straight.calls)
    assert kernel.run(cr.after_syscalls(point), max_time_ns=MAX_TIME_NS) is Ended.REACHED
    written = kernel.console.output
    assert_same(ended(cycled(kernel), written), straight)


@pytest.mark.parametrize("arch", ARCHES)
def test_six_processes_with_a_few_seeds(arch: str) -> None:
    for seed in range(SEEDS_IN_EVERY_RUN):
        with_and_without(arch, seed)


@pytest.mark.nightly
@pytest.mark.parametrize("arch", ARCHES)
def test_six_processes_with_all_seeds(arch: str) -> None:
    for seed in range(SEEDS_AT_NIGHT):
        with_and_without(arch, seed)


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHES)
def test_chaos_at_every_call(arch: str, subjects: Subjects, law_seed: int) -> None:
    subject = subjects(SIX, arch).with_seed(law_seed, chaos=True)
    findings = run_segment(Segment(subject, Every("syscall", 3)))
    assert (findings.failures, findings.refusals) == ([], {})
    assert findings.restarted == findings.places > 50


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("name", ["signals/wait_for", "sockets/slow_stream"])
def test_chaos_interrupts_and_shortens(name: str, arch: str, subjects: Subjects) -> None:
    """EINTR for those who may get it without a handler, short transfers; and C/R does not show."""
    story = find_story(name)
    calm = run_straight(story, arch, story.builds[0])
    longer = 0
    for seed in range(4):
        result = ended(seeded(story, arch, seed, chaos=True))
        assert story.agrees(result.console), f"seed {seed}: {result.console}"
        assert result.status == story.exits
        longer += result.calls > calm.calls
    assert longer >= 3  # what was interrupted or cut short was done again
    subject = subjects(name, arch).with_seed(3, chaos=True)
    findings = run_segment(Segment(subject, Every("syscall", 3)))
    assert (findings.failures, findings.refusals) == ([], {})


def test_the_seed_alone_is_the_state() -> None:
    """Asking changes nothing: the same question at the same time has the same answer."""
    clock = Clock(0)
    chaos = Chaos(clock, 7, True)
    first = [chaos.draw("queue", pid, 1000) for pid in range(20)]
    assert [chaos.draw("queue", pid, 1000) for pid in range(20)] == first
    assert Chaos(clock, 7, True).draw("queue", 3, 1000) == first[3]
    clock.units += 4
    assert [chaos.draw("queue", pid, 1000) for pid in range(20)] != first
    assert [Chaos(clock, 8).draw("queue", pid, 1000) for pid in range(20)] != first


def test_a_restarted_kernel_has_the_seed_of_the_image() -> None:
    kernel = seeded(find_story("basics/counter"), "x86_64", 5, chaos=True)
    kernel.run(cr.after_syscalls(3))
    image = kernel.checkpoint()
    kernel.power_off()
    other = cr.boot("x86_64", kernel.disk, memory_bytes=MEMORY_BYTES)
    other.restart(image)
    assert other.chaos.state() == (5, True)
    other.power_off()
    plain = seeded(find_story("basics/counter"), "x86_64", 5)
    plain.chaos.seed = None
    plain.run(cr.after_syscalls(3))
    image = plain.checkpoint()
    plain.power_off()
    chaotic = cr.boot("x86_64", plain.disk, memory_bytes=MEMORY_BYTES, schedule_seed=9, chaos=True)
    chaotic.restart(image)
    assert chaotic.chaos.state() == (None, False)
    chaotic.power_off()


def test_a_mask_is_taken_back_when_chaos_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chaos, "interrupts", lambda chaos, task, sleep: sleep.stoppable)
    kernel = seeded(find_story("events/epoll_mask"), "x86_64", 1, chaos=True)
    while kernel.run(cr.after_syscalls(1), max_time_ns=MAX_TIME_NS) is Ended.REACHED:
        for task in kernel.tasks.values():
            assert task.saved_blocked is None or task.attention or task.syscall is not None
    kernel.power_off()


def test_a_priority_that_is_over_leaves_no_trace() -> None:
    """Whether somebody was real-time once is in no image."""
    _, task = pausing("x86_64")
    children = [copy_process(task, CloneArgs(SIGCHLD)) for _ in range(6)]
    orders = []
    for realtime in (False, True):
        scheduler = Scheduler(Chaos(Clock(0), 7))
        scheduler.realtime = realtime
        for child in children:
            scheduler.enqueue(child)
        orders.append(list(scheduler.queue))
    assert orders[0] == orders[1] != children
