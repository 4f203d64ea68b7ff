"""Bugs planted in restart: the sweep catches each, and the report names what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import cr.pipe
import cr.restart
from cr.testing.places import Every
from cr.testing.sweep import Segment, run_segment
from guests.stories import ARCHES
from kernel_model.mm.backing import SharedMemory
from kernel_model.task import Task
from tests.sweep.conftest import Subjects

Plant = Callable[[pytest.MonkeyPatch], None]


def after_install(change: Callable[[Task], None]) -> Plant:
    """A bug in the restore of a task."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        install = cr.restart.install

        def wrong(task: Task, parts: Any) -> None:
            install(task, parts)
            change(task)

        patch.setattr(cr.restart, "install", wrong)

    return plant


def wrong_register(task: Task) -> None:
    task.regs.words[task.abi.arguments[3]] ^= 1 << 7


def lost_mask(task: Task) -> None:
    task.blocked = 0


def lost_pipe_bytes(patch: pytest.MonkeyPatch) -> None:
    fill = cr.pipe._fill

    def wrong(ctx: Any, record: Any, pipe: Any, inode: Any) -> Any:
        parked = fill(ctx, record, pipe, inode)
        del pipe.buffer[-1:]
        return parked

    patch.setattr(cr.pipe, "_fill", wrong)


def late_timers(patch: pytest.MonkeyPatch) -> None:
    start = cr.restart.start_timers

    def wrong(task: Task) -> None:
        start(task)
        timer = task.signal.itimers[0]
        timer.due += 1000 if timer.due else 0

    patch.setattr(cr.restart, "start_timers", wrong)


def wrong_shared_page(patch: pytest.MonkeyPatch) -> None:
    place = SharedMemory.place_page

    def wrong(self: SharedMemory, page_no: int, content: memoryview) -> None:
        changed = bytearray(content)
        changed[5] ^= 0x20
        place(self, page_no, memoryview(bytes(changed)))

    patch.setattr(SharedMemory, "place_page", wrong)


PLANTED: list[tuple[str, Plant, str, str]] = [
    ("basics/counter", after_install(wrong_register), "register", "register "),
    ("files/pipe", lost_pipe_bytes, "pipe", "bytes of pipe"),
    ("signals/pending", after_install(lost_mask), "signal mask", "signal mask"),
    ("time/interval_timer", late_timers, "timer", "ITIMER_REAL"),
    ("memory/shared_anonymous", wrong_shared_page, "shared memory", "shared memory, byte 0x"),
]


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize(
    ("story", "plant", "kind", "what"), PLANTED, ids=[kind for _, _, kind, _ in PLANTED]
)
def test_it_is_caught_and_named(
    story: str,
    plant: Plant,
    kind: str,
    what: str,
    arch: str,
    subjects: Subjects,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    segment = Segment(subjects(story, arch), Every("syscall"))
    assert run_segment(segment).failures == []
    plant(monkeypatch)
    failures = run_segment(segment).failures
    assert failures
    first = failures[0].divergence.first
    assert failures[0].when == "restart"
    assert (first.kind, what in first.what) == (kind, True), str(first)


def test_a_bug_that_no_dump_shows_is_found_when_the_run_goes_on(
    subjects: Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process believes in its timer, but the clock will ring later."""
    start = cr.restart.start_timers

    def wrong(task: Task) -> None:
        start(task)
        timer = task.signal.itimers[0].timer
        if timer is not None:
            timer.due_ns += 5000
            task.kernel.clock._look()

    monkeypatch.setattr(cr.restart, "start_timers", wrong)
    subject = subjects("time/interval_timer", "x86_64")
    failures = run_segment(Segment(subject, Every("syscall"))).failures
    assert {failure.when for failure in failures} == {"run"}
    assert failures[0].divergence.where


@pytest.mark.parametrize("arch", ARCHES)
def test_a_refused_restart_is_a_finding(
    arch: str, subjects: Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = subjects("basics/counter", arch)
    checkpoint = cr.System.checkpoint
    monkeypatch.setattr(cr.System, "checkpoint", lambda self: checkpoint(self)[:-8])
    findings = run_segment(Segment(subject, Every("syscall", 4)))
    assert [failure.when for failure in findings.failures] == ["restart"] * findings.places
    assert "restart: expected a running kernel" in str(findings.failures[0].divergence.first)
