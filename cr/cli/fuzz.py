"""`cr fuzz`: changed images, offered to kernels that must not mind.

The exit status: 0 all were refused or ran on, 1 one broke the law, 2 bad input.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console as RichConsole
from rich.progress import Progress

from cr.cli.failure import BAD_INPUT, INTERRUPTED, Failure
from cr.cli.session import disk_beside, load_disk
from cr.cli.whole_files import Staging
from cr.image.errors import ImageError
from cr.testing.anvil import Specimen
from cr.testing.fuzz import Broken, Finding, Toll, fuzz, strike_once
from cr.testing.processes import in_processes
from cr.tools.image_bytes import Image

BROKEN = 1
_LINES = 100


@dataclass(frozen=True)
class Plan:
    """A run of the fuzzer as the command line wants it."""

    images: tuple[Path, ...]
    count: int
    seed: int
    jobs: int
    keep: Path
    strike: Path | None


def run(plan: Plan) -> int:
    """Do it, tell it, keep what was found; the exit status."""
    specimens = [specimen_of(path) for path in plan.images]
    for specimen in specimens:
        answer = strike_once(specimen, specimen.image)
        if isinstance(answer, Broken) or not answer.startswith("went on"):
            told = answer.told.strip().splitlines()[-1] if isinstance(answer, Broken) else answer
            raise Failure(f"{specimen.name} does not restart as it is: {told}", BAD_INPUT)
    if plan.strike is not None:
        return _strike(specimens[0], plan.strike)
    with Progress(console=RichConsole(stderr=True), disable=not sys.stderr.isatty()) as bar:
        teller = _Teller(plan, bar)
        if plan.jobs == 1:
            toll = fuzz(specimens, plan.count, plan.seed, teller.progress)
        else:
            toll = Toll()
            for part in _in_processes(plan, specimens):
                toll.add(part)
                teller.progress(toll)
        teller.progress(toll)
        told = teller.words(toll)
    click.echo(told)
    if toll.findings:
        return BROKEN
    return INTERRUPTED if toll.interrupted else 0


class _Teller:
    """Says how it goes: a bar for a person, now and then a line for a log; and what is found."""

    def __init__(self, plan: Plan, bar: Progress) -> None:
        self.plan = plan
        self.bar = bar
        self.line = bar.add_task("fuzz", total=plan.count)
        self.shelf = _Shelf(plan)
        self.told = 0
        self.next_line = plan.count // _LINES

    def progress(self, toll: Toll) -> None:
        """After a batch."""
        self.bar.update(self.line, completed=toll.inputs)
        if self.plan.jobs == 1:
            self.shelf.keep(toll)
        for finding in toll.findings[self.told :]:
            click.echo(f"{self.shelf.told(finding)}{finding.problem.strip().splitlines()[-1]}")
        self.told = len(toll.findings)
        if self.bar.disable and self.next_line <= toll.inputs < self.plan.count:
            self.next_line += self.plan.count // _LINES
            click.echo(self.words(toll), err=True)

    def words(self, toll: Toll) -> str:
        """The toll so far, in two lines."""
        seconds = self.bar.tasks[0].elapsed or 0.0
        return (
            f"{toll.inputs} images in {seconds:.0f} s: {toll.refused} refused, "
            f"{toll.accepted} restarted, {len(toll.findings)} broke the law; "
            f"{len(toll.said)} different answers\n"
            f"slowest {toll.slowest_s:.3f} s ({toll.slowest}), "
            f"memory +{toll.grown_bytes >> 20} MB"
        )


def specimen_of(path: Path) -> Specimen:
    """An image file, and its disk beside it. Raises Failure."""
    try:
        image = path.read_bytes()
        arch = Image(image).summary.arch
    except ImageError as problem:
        raise Failure(f"{path} is no image: {problem}") from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    return Specimen(str(path), arch, image, load_disk(disk_beside(path), None))


def _strike(specimen: Specimen, path: Path) -> int:
    try:
        answer = strike_once(specimen, path.read_bytes())
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    click.echo(answer.told if isinstance(answer, Broken) else answer)
    return BROKEN if isinstance(answer, Broken) else 0


class _Shelf:
    """Where findings are kept, each as soon as it is found: a Ctrl-C must not lose it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.kept = 0

    def target(self, finding: Finding) -> Path:
        """The file of a finding; each process has a seed of its own."""
        whose = "" if self.plan.jobs == 1 else f"{finding.seed}-"
        return self.plan.keep / f"finding-{whose}{finding.number}.img"

    def told(self, finding: Finding) -> str:
        """What it is, and the command that repeats it."""
        strike = ["cr", "fuzz", "--strike", str(self.target(finding)), finding.specimen]
        what = f"{finding.specimen}: {finding.what}\nseed {finding.seed}\n"
        return f"{what}repeat: {shlex.join(strike)}\n"

    def keep(self, toll: Toll) -> None:
        """Write what has been found since the last time. Raises Failure."""
        for finding in toll.findings[self.kept :]:
            self._write(finding)
        self.kept = len(toll.findings)

    def _write(self, finding: Finding) -> None:
        target = self.target(finding)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(f"{target.parent} cannot be made: {error.strerror}") from None
        with Staging() as files:
            files.write(target, lambda file: file.write(finding.image))
            text = self.told(finding) + finding.problem
            files.write(target.with_suffix(".txt"), lambda file: file.write(text.encode()))
            files.commit()


def _in_processes(plan: Plan, specimens: Sequence[Specimen]) -> Iterator[Toll]:
    jobs = min(plan.jobs, plan.count)
    works = [
        (plan, specimens, plan.count // jobs + (job < plan.count % jobs), plan.seed + job)
        for job in range(jobs)
    ]
    return in_processes(jobs, strike_many, works)


def strike_many(plan: Plan, specimens: Sequence[Specimen], count: int, seed: int) -> Toll:
    """One process of several: a part of the count, under a seed of its own."""
    return fuzz(specimens, count, seed, _Shelf(plan).keep)
