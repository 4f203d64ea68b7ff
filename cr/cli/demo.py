"""`cr demo`: the main job, shown. On each arch a program runs to its end; then it runs again, is
checkpointed in the middle, its kernel is thrown away, and it goes on in a new one. What both runs
print has to be the same.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console as RichConsole
from rich.table import Table

from cr.cli.failure import REFUSED, Failure
from cr.cli.program import install
from cr.context import Refused
from cr.image.errors import ImageError
from cr.system import System, boot
from cr.until import after_syscalls
from guests.stories import find_story
from guests.toolchain import BuildError, build
from kernel_model.task import Task
from kernel_model.vfs.disk import Disk

STORIES = ("basics/counter", "cpu/float_series", "files/unlinked")


@dataclass(frozen=True)
class Outcome:
    """One program on one arch, run twice."""

    story: str
    arch: str
    calls: int
    at_calls: int
    at_ns: int
    image_bytes: int
    whole: bytes
    before: bytes
    after: bytes
    whole_status: int
    status: int

    @property
    def equal(self) -> bool:
        """Whether nobody could tell that there was an interruption."""
        same_output = self.before + self.after == self.whole
        return same_output and self.status == self.whole_status


def show(arches: Iterable[str], *, console: RichConsole | None = None) -> int:
    """Run the stories on each arch, and print a table; 1 if any output differs."""
    console = console or RichConsole()
    arches = list(dict.fromkeys(arches))
    with tempfile.TemporaryDirectory(prefix="cr-demo-") as folder:
        programs = _build_all(arches, Path(folder), console)
        outcomes = [
            interrupted_and_not(programs[story, arch], story, arch)
            for arch in arches
            for story in STORIES
        ]
    console.print(_table(outcomes))
    failed = [outcome for outcome in outcomes if not outcome.equal]
    for outcome in failed:
        console.print(f"{outcome.story} on {outcome.arch} differs:")
        console.print(f"  uninterrupted {outcome.whole!r}, status {outcome.whole_status}")
        console.print(f"  restarted {outcome.before + outcome.after!r}, status {outcome.status}")
    if not failed:
        console.print(
            f"On {', '.join(arches)}: each program was interrupted by a checkpoint, its kernel was "
            "thrown away (rebooted), the program was restarted from the image in a new kernel, and "
            "its output equals an uninterrupted run's."
        )
    return 1 if failed else 0


def interrupted_and_not(program: Path, story: str, arch: str) -> Outcome:
    """Run a program to its end; then again, with a reboot in the middle."""
    args = find_story(story).args
    kernel, task = _start(program, arch, args)
    kernel.run()
    whole, whole_status, calls = kernel.console.output, task.exit_status, kernel.completed_calls
    kernel.power_off()

    kernel, _ = _start(program, arch, args)
    kernel.run(until=after_syscalls(max(1, calls // 2)))
    at_calls, at_ns, before = kernel.completed_calls, kernel.clock.now_ns(), kernel.console.output
    try:
        image = kernel.checkpoint()
        kernel = kernel.reboot()
        task = kernel.restart(image)
    except (Refused, ImageError) as problem:
        raise Failure(f"{story} on {arch}: {problem}", REFUSED) from None
    kernel.run()
    outcome = Outcome(
        story=story,
        arch=arch,
        calls=calls,
        at_calls=at_calls,
        at_ns=at_ns,
        image_bytes=len(image),
        whole=whole,
        before=before,
        after=kernel.console.output,
        whole_status=whole_status,
        status=task.exit_status,
    )
    kernel.power_off()
    return outcome


def _start(program: Path, arch: str, args: tuple[str, ...]) -> tuple[System, Task]:
    disk = Disk.empty()
    path = install(disk, program)
    kernel = boot(arch, disk)
    return kernel, kernel.spawn(path, *args)


def _build_all(
    arches: list[str], folder: Path, console: RichConsole
) -> dict[tuple[str, str], Path]:
    """The programs, by story and arch. The compiler is a process of its own, so two at a time."""
    wanted = [(story, arch) for story in STORIES for arch in arches]

    def build_one(story_and_arch: tuple[str, str]) -> Path:
        story, arch = story_and_arch
        found = find_story(story)
        return build(found.path, arch, folder / arch / found.path.stem, freestanding=True)

    try:
        with (
            console.status("building the guests"),
            ThreadPoolExecutor(max_workers=2) as workers,
        ):
            return dict(zip(wanted, workers.map(build_one, wanted)))
    except BuildError as problem:
        raise Failure(str(problem)) from None


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="checkpoint, reboot, restart", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("arch", "program", "interrupted at", "image", "output after reboot"):
        table.add_column(heading, no_wrap=True)
    for outcome in outcomes:
        table.add_row(
            outcome.arch,
            outcome.story.partition("/")[2],
            f"call {outcome.at_calls}/{outcome.calls}, {outcome.at_ns / 1000:.1f} us",
            f"{outcome.image_bytes / 1000:.1f} kB",
            "equal" if outcome.equal else "DIFFERENT",
        )
    return table
