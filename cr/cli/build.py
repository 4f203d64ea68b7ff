"""`cr build`: the guests' compiler, for any C file."""

from __future__ import annotations

from pathlib import Path

import click

from cr.cli.failure import Failure


def build_program(source: Path, arch: str, output: Path, freestanding: bool) -> int:
    """Compile one C file; with musl, or without any C library."""
    from guests.toolchain import BuildError, build

    if not source.is_file():
        raise Failure(f"{source}: there is no such file")
    try:
        build(source, arch, output, freestanding, story_only=False)
    except BuildError as error:
        sentence, _, compilers_words = str(error).partition("\n")
        click.echo(compilers_words, err=True, nl=bool(compilers_words))
        raise Failure(sentence.rstrip(":")) from None
    except OSError as error:
        raise Failure(f"{output} cannot be written: {error.strerror}") from None
    return 0
