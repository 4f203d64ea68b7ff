"""`cr fuzz`: changed images, offered to kernels that must not mind.

The exit status: 0 all were refused or ran on, 1 one broke the law, 2 bad input.
"""

from __future__ import annotations

import multiprocessing
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console as RichConsole
from rich.progress import Progress

from cr.cli.failure import BAD_INPUT, Failure
from cr.cli.session import disk_beside, load_disk
from cr.cli.whole_files import Staging
from cr.image.errors import ImageError
from cr.testing.anvil import Specimen
from cr.testing.fuzz import Broken, Finding, Toll, fuzz, strike_once
from cr.tools.image_bytes import Image

BROKEN = 1


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
    toll = Toll()
    with Progress(console=RichConsole(stderr=True), disable=not sys.stderr.isatty()) as bar:
        line = bar.add_task("fuzz", total=plan.count)
        if plan.jobs == 1:
            toll = fuzz(specimens, plan.count, plan.seed, lambda n: bar.advance(line, n))
        else:
            for part in _in_processes(plan, specimens):
                toll.add(part)
                bar.advance(line, part.inputs)
        seconds = bar.tasks[0].elapsed or 0.0
    click.echo(
        f"{toll.inputs} images in {seconds:.0f} s: {toll.refused} refused, "
        f"{toll.accepted} restarted, {len(toll.findings)} broke the law; "
        f"{len(toll.said)} different answers"
    )
    click.echo(
        f"slowest {toll.slowest_s:.3f} s ({toll.slowest}), memory +{toll.grown_bytes >> 20} MB"
    )
    for index, finding in enumerate(toll.findings, 1):
        _keep(plan, specimens, finding, plan.keep / f"finding-{index}.img")
    return BROKEN if toll.findings else 0


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


def _in_processes(plan: Plan, specimens: Sequence[Specimen]) -> Iterator[Toll]:
    context = multiprocessing.get_context("spawn")
    jobs = min(plan.jobs, plan.count)
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        works = [
            pool.submit(fuzz, specimens, plan.count // jobs + (job < plan.count % jobs), seed)
            for job, seed in enumerate(range(plan.seed, plan.seed + jobs))
        ]
        for done in as_completed(works):
            yield done.result()


def _keep(plan: Plan, specimens: Sequence[Specimen], finding: Finding, target: Path) -> None:
    name = next(item.name for item in specimens if finding.specimen.startswith(item.name + " on "))
    repeat = shlex.join(["cr", "fuzz", "--strike", str(target), name])
    told = f"{finding.specimen}: {finding.what}\nseed {plan.seed}\nrepeat: {repeat}\n"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"{target.parent} cannot be made: {error.strerror}") from None
    with Staging() as files:
        files.write(target, lambda file: file.write(finding.image))
        text = told + finding.problem
        files.write(target.with_suffix(".txt"), lambda file: file.write(text.encode()))
        files.commit()
    click.echo(f"{told}{finding.problem.strip().splitlines()[-1]}")
