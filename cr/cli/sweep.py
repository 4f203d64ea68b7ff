"""`cr sweep`: checkpoint at every place of a run, reboot, restart, compare; one or more processes.

The exit status: 0 all places restarted and equal, 1 a divergence, 2 bad input, 3 no divergence but
a checkpoint was refused, 124 the program itself never ends.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import click
from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from cr.cli.failure import BAD_INPUT, REFUSED, TIMED_OUT, Failure
from cr.cli.whole_files import Staging, check_folder
from cr.testing.evidence import keep
from cr.testing.places import Every
from cr.testing.processes import in_processes
from cr.testing.report import FORMATS, Report, as_text
from cr.testing.subject import Subject
from cr.testing.sweep import Findings, Segment, Straight, run_segment, run_straight
from kernel_model.kernel import Deadlock

DIVERGED = 1
_PLACES_AT_ONCE = 250
"""How many places a process looks at before it tells what it found."""
_MOST_KEPT = 10


@dataclass(frozen=True)
class Plan:
    """A sweep as the command line wants it."""

    subject: Subject
    every: Every
    jobs: int = 1
    shard: tuple[int, int] = (1, 1)
    only: int | None = None
    keep: Path = Path("cr-sweep")
    reports: tuple[Path, ...] = ()

    def beside(self, arch: str) -> Plan:
        """One of several arches: its evidence and its reports have the arch in their names."""
        reports = tuple(path.with_suffix(f".{arch}{path.suffix}") for path in self.reports)
        return replace(self, keep=self.keep / arch, reports=reports)


class _Rate(ProgressColumn):
    """Places per second."""

    def render(self, task: Task) -> Text:
        """What is shown."""
        return Text(f"{task.finished_speed or task.speed or 0:.0f} places/s")


def sweep(plan: Plan) -> int:
    """Do it, tell it, and keep the evidence; the exit status."""
    for target in plan.reports:
        if target.suffix not in FORMATS:
            raise Failure(f"{target}: a report ends in one of {', '.join(FORMATS)}", BAD_INPUT)
        check_folder(target)
    try:
        straight = run_straight(plan.subject, plan.every)
    except Deadlock as problem:
        raise Failure(str(problem), TIMED_OUT) from None
    if not straight.ended:
        raise Failure("the program does not end within --max-time", TIMED_OUT)
    report = look(plan, straight)
    if not report.findings.places and plan.shard == (1, 1):
        which = "place" if plan.only is None else f"place {plan.only}"
        raise Failure(f"there is no {which} of --every {plan.every} in this run", BAD_INPUT)
    segment = report.segment
    unkept = None
    try:
        for failure in report.findings.failures[:_MOST_KEPT]:
            report.kept[failure.place] = keep(plan.keep, segment, failure)
    except OSError as error:
        unkept = Failure(f"{plan.keep}: the evidence cannot be kept: {error.strerror}")
    click.echo(as_text(report), nl=False)
    _write_reports(plan, report)
    if unkept is not None:
        raise unkept
    if report.findings.failures:
        return DIVERGED
    return REFUSED if report.findings.refusals else 0


def _write_reports(plan: Plan, report: Report) -> None:
    with Staging() as files:
        for target in plan.reports:
            text = FORMATS[target.suffix](report).encode()
            files.write(target, partial(_write, text))
        files.commit()


def _write(text: bytes, file: BinaryIO) -> None:
    file.write(text)


def worst(statuses: list[int]) -> int:
    """Of several sweeps: a divergence is worse than a refusal."""
    return DIVERGED if DIVERGED in statuses else max(statuses, default=0)


def look(plan: Plan, straight: Straight) -> Report:
    """Look at all places, with a bar that shows how it goes."""
    whole = Segment(plan.subject, plan.every)
    first, last = _bounds(plan, straight)
    findings = Findings()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=RichConsole(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as bar:
        total = max(1, (last or straight.places) - first + 1)
        line = bar.add_task(f"sweep {Path(plan.subject.program).name}", total=total)

        def progress(places: int) -> None:
            bar.advance(line, places)

        if plan.jobs == 1:
            segment = replace(whole, first=first, last=last)
            findings.add(run_segment(segment, progress))
        else:
            pieces = _pieces(whole, first, last, straight.places)
            for part in in_processes(plan.jobs, run_segment, ((piece,) for piece in pieces)):
                findings.add(part)
                progress(part.places)
        seconds = bar.tasks[0].elapsed or 0.0
    findings.failures.sort(key=lambda failure: failure.place)
    return Report(whole, straight, findings, seconds)


def _bounds(plan: Plan, straight: Straight) -> tuple[int, int | None]:
    """The first and the last place to look at; no last one: to the end."""
    if plan.only is not None:
        return plan.only, plan.only
    number, of = plan.shard
    first = straight.places * (number - 1) // of + 1
    return first, None if number == of else straight.places * number // of


def _pieces(whole: Segment, first: int, last: int | None, places: int) -> Iterator[Segment]:
    start = first
    while last is None or start <= last:
        end = start + _PLACES_AT_ONCE - 1
        if last is None and end >= places:
            yield replace(whole, first=start, last=None)
            return
        yield replace(whole, first=start, last=end if last is None else min(end, last))
        start = end + 1
