"""The command `cr`: what it has, and how it ends.

The exit status is the guest's, 128 + n if signal n ended it. Our own: 2 bad input, 3 a checkpoint
or restart was refused, 124 --max-time was reached (or nothing could ever run again), 130 Ctrl-C.
stdout carries only what the guest writes there; every word of ours is on stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from cr.cli.failure import BAD_INPUT, BROKEN_PIPE, INTERRUPTED, Failure
from cr.cli.options import (
    TracingCommand,
    matrix_options,
    shared_options,
    subject_options,
    sweep_options,
)

ARCHES = ("x86_32", "x86_64", "ppc32", "ppc64")


class Commands(click.Group):
    """The commands of `cr`: what is wrong with a command line is told in one sentence."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command and leave."""
        extra["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **extra))
        except NoArgsIsHelpError as nothing:
            nothing.show()
        except click.ClickException as wrong:
            told = wrong.format_message().replace("\n", " ")
            click.echo(f"cr: {_one_line(told)}", err=True)
        except click.Abort:
            click.echo("cr: interrupted", err=True)
            sys.exit(INTERRUPTED)
        sys.exit(BAD_INPUT)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="linux-cr")
def cr() -> None:
    """Checkpoint and restart of real Linux programs, as in-kernel linux-cr did it."""


@cr.command(cls=TracingCommand, context_settings={"allow_interspersed_args": False})
@shared_options
@click.option("--as-init", is_flag=True, help="PROGRAM itself is the first process.")
@click.option("--kernel", type=click.Choice(ARCHES), help="The kernel; by default PROGRAM's own.")
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(program: str, arguments: tuple[str, ...], **given: Any) -> None:
    """Run a program, a file of the guest or of the host, on the CPU that it is for."""
    from cr.cli.start import run_program

    _end(lambda: run_program(program, arguments, **given))


@cr.command(cls=TracingCommand)
@shared_options
@click.argument("image", type=click.Path(path_type=Path))
def restart(image: Path, **given: Any) -> None:
    """Go on where an image was taken, in a fresh kernel."""
    from cr.cli.start import restart_image

    _end(lambda: restart_image(image, **given))


@cr.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def info(image: Path, as_json: bool) -> None:
    """Tell what is in an image: tasks, memory, files."""
    from cr.cli.info import tell

    _end(lambda: tell(image, as_json))


@cr.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--to", "dialect", required=True, metavar="DIALECT")
@click.option("-o", "output", required=True, type=click.Path(path_type=Path), metavar="OUT")
@click.option("--lossy", is_flag=True, help="To v21-minimal: write a name, and no program.")
def convert(image: Path, dialect: str, output: Path, *, lossy: bool) -> None:
    """Write an image as another version of linux-cr would have written it.

    DIALECT is one of those of docs/DIALECTS.md; OUT.disk.tar, the disk, goes with OUT.
    """
    from cr.cli.convert import convert_image

    _end(lambda: convert_image(image, dialect, output, lossy=lossy))


@cr.command(context_settings={"allow_interspersed_args": False})
@subject_options
@sweep_options
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sweep(program: str, arguments: tuple[str, ...], **given: Any) -> None:
    """Checkpoint, reboot and restart a program at every place, and compare with its own run."""
    from cr.cli.subjects import sweep_program

    _end(lambda: sweep_program(program, arguments, **given))


@cr.command(context_settings={"allow_interspersed_args": False})
@subject_options
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def verify(program: str, arguments: tuple[str, ...], **given: Any) -> None:
    """Run a program in several processes, and compare the runs at every step."""
    from cr.cli.subjects import verify_program

    _end(lambda: verify_program(program, arguments, **given))


@cr.command(context_settings={"allow_interspersed_args": False})
@subject_options
@click.option("--pure", is_flag=True, help="With the records of linux-cr alone.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def check(program: str, arguments: tuple[str, ...], **given: Any) -> None:
    """Tell when a program could not be checkpointed, at which call, and why."""
    from cr.cli.check import check_program

    _end(lambda: check_program(program, arguments, **given))


@cr.command(context_settings={"allow_interspersed_args": False})
@matrix_options
@click.argument("source", type=click.Path(path_type=Path), metavar="PROGRAM.c")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def matrix(source: Path, arguments: tuple[str, ...], **given: Any) -> None:
    """Checkpoint a program on every kernel, and tell which kernels restart it, or why not."""
    from cr.cli.matrix import show

    _end(lambda: show(source, arguments, **given))


@cr.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(1), default=10_000, help="How many; 10,000.")
@click.option("--seed", type=click.IntRange(0), default=1, help="All the chance there is; 1.")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Processes; 1.")
@click.option("--keep", type=click.Path(path_type=Path), default=Path("cr-fuzz"), metavar="DIR")
@click.option("--strike", type=click.Path(path_type=Path), metavar="FILE", help="Only this one.")
def fuzz(images: tuple[Path, ...], **given: Any) -> None:
    """Change images, and offer them to kernels: they must refuse them in words, or run on."""
    from cr.cli.fuzz import Plan, run

    _end(lambda: run(Plan(images=images, **given)))


@cr.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--program", type=click.Path(path_type=Path), help="Whose symbols name memory.")
def diff(before: Path, after: Path, program: Path | None) -> None:
    """Tell what changed from one image to another; status 1 when something did."""
    from cr.cli.diff import tell

    _end(lambda: tell(before, after, program))


@cr.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="FILE.c")
@click.option("-a", "--arch", required=True, type=click.Choice(ARCHES))
@click.option("-o", "output", required=True, type=click.Path(path_type=Path), metavar="OUT")
@click.option("--freestanding", is_flag=True, help="Without a C library, on our own runtime.")
def build(source: Path, arch: str, output: Path, freestanding: bool) -> None:
    """Compile a C file to a static program of an arch."""
    from cr.cli.build import build_program

    _end(lambda: build_program(source, arch, output, freestanding))


@cr.command()
@click.option("-a", "--arch", "arches", multiple=True, type=click.Choice(ARCHES))
def demo(arches: tuple[str, ...]) -> None:
    """The main job: checkpoint, throw the kernel away, restart, on every arch."""
    from cr.cli.demo import show

    _end(lambda: show(arches or ARCHES))


def _end(act: Callable[[], int]) -> None:
    """Leave with the status that `act` says, or with that of its failure and one sentence."""
    try:
        status = act()
    except Failure as failure:
        click.echo(f"cr: {_one_line(failure.sentence)}", err=True)
        status = failure.status
    except KeyboardInterrupt:
        click.echo("cr: interrupted", err=True)
        status = INTERRUPTED
    except BrokenPipeError:  # click would make it 1, which says something else
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        click.echo("cr: nobody reads the output any more", err=True)
        status = BROKEN_PIPE
    sys.exit(status)


def _one_line(sentence: str) -> str:
    """Names may hold anything; nothing of it reaches a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in sentence)


def main() -> None:
    """The entry point of the installed command."""
    from cr.cli.host_console import occupy_standard_descriptors

    occupy_standard_descriptors()
    try:
        cr(prog_name="cr")
    except OSError as error:
        sys.exit(_cannot_tell(error))


def _cannot_tell(error: OSError) -> int:
    """A full disk behind stdout or stderr: whatever was done, nobody can be told, so it failed."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        click.echo(f"cr: the output cannot be written: {_one_line(error.strerror or '')}", err=True)
    except OSError:
        os.dup2(null, 2)
    os.dup2(null, 1)  # what is still in a buffer must not fail once more at the end
    return BAD_INPUT


if __name__ == "__main__":
    main()
