"""`cr sweep` and `cr verify`: from options to what is to be checked.

PROGRAM of `cr sweep` may be a C file: then it is compiled for each arch that is wanted, and swept
on each.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cr.cli.failure import Failure
from cr.testing.subject import Subject


def sweep_program(program: str, arguments: tuple[str, ...], **given: Any) -> int:
    """Sweep a program, on each arch if it is a C file; the worst exit status."""
    from cr.cli.sweep import Plan, sweep, worst
    from cr.testing.places import Every

    names = ("jobs", "shard", "only", "keep", "reports")
    chosen = {name: given.pop(name) for name in names}
    places = given.pop("every") or Every()
    arches, freestanding = given.pop("arches"), given.pop("freestanding")
    if chosen["only"] is not None and (chosen["shard"] or chosen["jobs"]):
        raise Failure("--only is one place: --shard and --jobs make no sense with it")
    options = {name: value for name, value in chosen.items() if value is not None}
    if not program.endswith(".c"):
        if arches or freestanding:
            raise Failure("--arch and --freestanding are for a C file: a program is what it is")
        return sweep(Plan(subject=subject_of(program, arguments, given), every=places, **options))
    if len(arches) != 1 and (chosen["only"] is not None):
        raise Failure("--only is one place of one run: say which --arch")
    statuses = []
    with _compiled(program, arches, freestanding) as programs:
        for arch, path in programs.items():
            built = subject_of(str(path), arguments, dict(given))
            subject = replace(built, source=program, arch=arch, freestanding=freestanding)
            plan = Plan(subject=subject, every=places, **options)
            statuses.append(sweep(plan if len(programs) == 1 else plan.beside(arch)))
    return worst(statuses)


@contextmanager
def _compiled(
    source: str, arches: tuple[str, ...], freestanding: bool
) -> Iterator[dict[str, Path]]:
    """The programs of a C file by arch; with their symbols, for the reports."""
    from guests.stories import ARCHES
    from guests.toolchain import BuildError, build

    if not Path(source).is_file():
        raise Failure(f"{source}: there is no such file")
    with tempfile.TemporaryDirectory(prefix="cr-sweep-") as folder:
        programs = {}
        for arch in arches or ARCHES:
            target = Path(folder) / arch / Path(source).stem
            try:
                programs[arch] = build(
                    source, arch, target, freestanding, story_only=False, stripped=False
                )
            except BuildError as error:
                sentence, _, compilers_words = str(error).partition("\n")
                click.echo(compilers_words, err=True, nl=bool(compilers_words))
                raise Failure(sentence.rstrip(":")) from None
        yield programs


def verify_program(program: str, arguments: tuple[str, ...], **given: Any) -> int:
    """Verify a program; the exit status."""
    from cr.cli.verify import verify

    return verify(subject_of(program, arguments, given))


def subject_of(program: str, arguments: tuple[str, ...], given: dict[str, Any]) -> Subject:
    """What the options of `subject_options` mean."""
    if given["chaos"] and given["seed"] is None:
        given["seed"] = 0
    memory, max_time = given.pop("memory"), given.pop("max_time")
    options: dict[str, Any] = {
        "schedule_seed": given.pop("seed"),
        "random_seed": given.pop("random_seed"),
        "memory_bytes": memory << 20 if memory is not None else None,
        "max_time_ns": max_time,
        **given,
    }
    kept = {name: value for name, value in options.items() if value is not None}
    return Subject(program=program, arguments=arguments, **kept)
