"""`cr matrix`: which kernel restarts whose image of one C program.

The exit status: 0 every image restarts on the kernel that made it, 1 one of them does not, 2 bad
input.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console as RichConsole
from rich.progress import Progress

from cr.cli.failure import Failure
from cr.cli.whole_files import Staging, check_folder
from cr.testing import matrix
from cr.testing.matrix_report import as_html, as_json, as_text
from cr.testing.subject import MAX_TIME_NS

NATIVE_FAILED = 1


def show(
    source: Path,
    arguments: tuple[str, ...],
    *,
    as_data: bool = False,
    html: Path | None = None,
    freestanding: bool | None = None,
    max_time: int | None = None,
) -> int:
    """Build, checkpoint, try, and print the table; the exit status."""
    if not source.is_file():
        raise Failure(f"{source}: there is no such file")
    if html is not None:
        check_folder(html)
    with tempfile.TemporaryDirectory(prefix="cr-matrix-") as folder, _bar() as bar:
        programs = _programs(source, Path(folder), freestanding)
        line = bar.add_task(source.name, total=len(matrix.origins()) * len(matrix.kernels()))
        rows = list(
            matrix.all_rows(programs, arguments, max_time or MAX_TIME_NS, lambda: bar.advance(line))
        )
    if html is not None:
        with Staging() as files:
            page = as_html(source.name, rows).encode()
            files.write(html, lambda file: file.write(page))
            files.commit()
    click.echo((as_json if as_data else as_text)(source.name, rows), nl=False)
    return NATIVE_FAILED if any(row.native.reason for row in rows) else 0


def _bar() -> Progress:
    return Progress(console=RichConsole(stderr=True), disable=not sys.stderr.isatty())


def _programs(source: Path, folder: Path, freestanding: bool | None) -> dict[str, Path | str]:
    """The program for each arch, or why there is none. Raises Failure if there is none at all."""
    from guests.stories import ARCHES
    from guests.toolchain import BuildError, build

    programs: dict[str, Path | str] = {}
    words: set[str] = set()
    for arch in ARCHES:
        target = folder / arch / source.stem
        try:
            programs[arch] = build(source, arch, target, freestanding, story_only=False)
        except BuildError as error:
            sentence, _, compilers_words = str(error).partition("\n")
            sentence = sentence.rstrip(":").replace(f"{source}", source.name)
            words.add(compilers_words)
            programs[arch] = f"there is no program: {sentence}"
    for said in sorted(words - {""}):
        click.echo(said, err=True)
    if all(isinstance(built, str) for built in programs.values()):
        raise Failure(str(next(iter(programs.values()))))
    return programs
