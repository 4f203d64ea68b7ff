"""Bugs planted in restart: the sweep catches each, and the report names what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import cr.pipe
import cr.restart
from cr.cli.main import cr as command
from cr.cli.session import disk_beside, load_disk
from cr.system import System
from cr.testing.places import Every
from cr.testing.snapshot import symbols_of
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


PAGES = r"""
#include "guest.h"

volatile int counted[3000];
volatile char letters[3000];

int main(void)
{
    volatile char *heap = sbrk(8192);
    for (int i = 0; i < 4; i++) {
        counted[1500] = letters[1000] = heap[100] = i + 1;
        say("%d\n", counted[1500]);
    }
    return 0;
}
"""


def place_of(kernel: System, region: str) -> tuple[Task, int]:
    """The task, and an address of a byte that the program has written there."""
    task = kernel.tasks[2]
    assert task.mm is not None
    if region == "[heap]":
        return task, task.mm.layout.start_brk + 100
    if region == "[stack]":
        return task, task.mm.layout.start_stack
    (addr,) = [addr for addr, name in symbols_of(task) if name == region]
    return task, addr + 6


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("region", ["counted", "letters", "[heap]", "[stack]"])
def test_a_byte_of_memory_has_a_region_and_a_variable(
    region: str,
    arch: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """In the report of `cr sweep`, and in what `cr diff` says of the evidence."""
    source = tmp_path / "pages.c"
    source.write_text(PAGES)
    restart = System.restart

    def wrong(self: System, image: bytes | memoryview) -> Task:
        root = restart(self, image)
        if self.tasks[2].exited:
            return root
        task, addr = place_of(self, region)
        (byte,) = task.user.read(addr, 1)
        task.user.write(addr, bytes([byte ^ 0x40]))
        return root

    monkeypatch.setattr(System, "restart", wrong)
    run = CliRunner().invoke
    kept = tmp_path / "kept"
    options = [
        "sweep",
        "--arch",
        arch,
        "--freestanding",
        "--keep",
        str(kept),
        "--every",
        "syscall:4",
    ]
    done = run(command, [*options, str(source)])
    assert done.exit_code == 1, done.output
    named = f"({region}+0x6)" if region[0] != "[" else region
    found = re.search(r"task 2: memory, byte (0x[0-9a-f]+)(.*?): expected", done.output)
    assert found and named in found[2], done.output
    monkeypatch.undo()

    image = kept / "place-000001" / "image"
    kernel = cr.boot(arch, load_disk(disk_beside(image), None), memory_bytes=64 << 20)
    kernel.restart(image.read_bytes())
    task, addr = place_of(kernel, region)
    (byte,) = task.user.read(addr, 1)
    task.user.write(addr, bytes([byte ^ 0x40]))
    other = tmp_path / "other"
    other.write_bytes(kernel.checkpoint())
    kernel.power_off()
    assert run(command, ["diff", str(image), str(other)]).exit_code == 1
    (line,) = capfd.readouterr().out.splitlines()
    wanted = {"[heap]": "of the heap", "[stack]": "of the stack"}.get(region, named)
    assert re.search(f" 1 bytes (changed|are not zero), the first at {found[1]}", line)
    assert wanted in line
