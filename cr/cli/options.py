"""The options that `cr run` and `cr restart` share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from cr.cli.values import date, duration, place, variable

F = TypeVar("F", bound=Callable[..., Any])


def _path(*names: str, metavar: str, help: str) -> Callable[[F], F]:
    return click.option(*names, type=click.Path(path_type=Path), metavar=metavar, help=help)


def _number(name: str, least: int, most: int, metavar: str, help: str) -> Callable[[F], F]:
    return click.option(name, type=click.IntRange(least, most), metavar=metavar, help=help)


def _value(name: str, read: Callable[[str], object], metavar: str, help: str) -> Callable[[F], F]:
    def callback(ctx: click.Context, param: click.Parameter, given: Any) -> Any:
        try:
            if isinstance(given, tuple):
                return tuple(map(read, given))
            return None if given is None else read(given)
        except ValueError as problem:
            raise click.BadParameter(str(problem)) from None

    several = read is variable
    return click.option(name, multiple=several, metavar=metavar, help=help, callback=callback)


_KERNEL: tuple[Callable[[Any], Any], ...] = (
    click.option("--cpu-features", metavar="-NAME,...", help="What the CPU lacks: -altivec,-vsx."),
    click.option("--abi", metavar="TREE", help="The kernel's linux-cr: v2, v13, v18 ... v23."),
)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("-t", "terminal", is_flag=True, help="A terminal as console."),
    _path("--root", metavar="DIR", help="A folder as the guest's root; it is never written."),
    _path("--disk", metavar="FILE.tar", help="Its disk: read if it exists, written at exit."),
    _value("--env", variable, "K=V", "A variable for the program."),
    _number("--seed", 0, (1 << 64) - 1, "N", "All the chance there is; 0 by default."),
    _value("--date", date, "ISO", "The guest's wall clock at boot; always the same by default."),
    _number("--memory", 1, 1 << 20, "MB", "The guest's memory; 512 by default."),
    *_KERNEL,
    click.option("--nocr", is_flag=True, help="A kernel that sets PF_NOCR: one sin, for ever."),
    _value("--max-time", duration, "T", "The most virtual time; then the status is 124."),
    click.option("--trace", metavar="[=FILE]", help="Tell system calls, on stderr or in FILE."),
    _value("--checkpoint-after", place, "PLACE", "25syscalls, or virtual time: 40us, 40ms, 2s."),
    _path("-o", "output", metavar="IMAGE", help="Where the image goes; and IMAGE.disk.tar."),
    click.option("--stop", is_flag=True, help="End after the checkpoint."),
    click.option("--pure", is_flag=True, help="Only records that linux-cr has."),
)


_SUBJECT: tuple[Callable[[Any], Any], ...] = (
    _path("--root", metavar="DIR", help="A folder as the guest's root; it is never written."),
    _path("--disk", metavar="FILE.tar", help="Its disk; it is never written."),
    _path("--stdin", metavar="FILE", help="What the program reads; nothing by default."),
    _value("--env", variable, "K=V", "A variable for the program."),
    _number("--seed", 0, (1 << 64) - 1, "N", "Another order of runnable tasks."),
    click.option("--chaos", is_flag=True, help="Short transfers, EINTR and more, by the seed."),
    _number("--random-seed", 0, (1 << 64) - 1, "N", "The seed of the guest's random bytes."),
    _number("--memory", 1, 1 << 20, "MB", "The guest's memory; 128 by default."),
    *_KERNEL,
    _value("--max-time", duration, "T", "The most virtual time; one hour by default."),
)


def _places(text: str) -> object:
    from cr.testing.places import every

    return every(text)


def _shard(text: str) -> tuple[int, int]:
    number, slash, of = text.partition("/")
    if slash and number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of) <= 1 << 16:
        return int(number), int(of)
    raise ValueError(f"{text!r} is no shard such as 2/5")


_SWEEP: tuple[Callable[[Any], Any], ...] = (
    _value("--every", _places, "PLACE", "syscall (the default), syscall:N, block:N, time:T."),
    _number("--jobs", 1, 256, "N", "How many processes; 1 by default."),
    _value("--shard", _shard, "I/N", "Only the I-th of N equal parts, for several machines."),
    _number("--only", 1, 1 << 40, "PLACE", "Only one place."),
    click.option(
        "--arch",
        "arches",
        multiple=True,
        type=click.Choice(("x86_32", "x86_64", "ppc32", "ppc64")),
        help="For a C file: what to compile it for; all four by default.",
    ),
    click.option("--freestanding", is_flag=True, help="For a C file: on our own runtime."),
    _path("--keep", metavar="DIR", help="Where evidence of divergences goes; cr-sweep."),
    click.option(
        "--report",
        "reports",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A report; FILE ends in .txt, .json, .xml (JUnit) or .html.",
    ),
)


_MATRIX: tuple[Callable[[Any], Any], ...] = (
    click.option("--json", "as_data", is_flag=True, help="For programs."),
    _path("--html", metavar="FILE", help="The table as a page too, its reasons in the cells."),
    click.option("--freestanding", is_flag=True, default=None, help="On our own runtime."),
    _value("--max-time", duration, "T", "The most virtual time of a run; one hour by default."),
)


def matrix_options(function: F) -> F:
    """Give a command the options of the table of kernels and images."""
    for option in reversed(_MATRIX):
        function = option(function)
    return function


def subject_options(function: F) -> F:
    """Give a command the options that say what is run, again and again."""
    for option in reversed(_SUBJECT):
        function = option(function)
    return function


def sweep_options(function: F) -> F:
    """Give a command the options of a sweep."""
    for option in reversed(_SWEEP):
        function = option(function)
    return function


def shared_options(function: F) -> F:
    """Give a command all of them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


class TracingCommand(click.Command):
    """A command whose --trace takes a value only after an equals sign."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Say what a bare --trace before PROGRAM means."""
        valued = {
            name
            for option in self.params
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        } - {"--trace"}
        args = list(args)
        index = 0
        while index < len(args) and args[index] != "--":
            if not args[index].startswith("-") and not ctx.allow_interspersed_args:
                break
            if args[index] == "--trace":
                args[index] = "--trace=-"
            index += 2 if args[index] in valued else 1
        return super().parse_args(ctx, args)
