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


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("-t", "terminal", is_flag=True, help="A terminal as console."),
    _path("--root", metavar="DIR", help="A folder as the guest's root; it is never written."),
    _path("--disk", metavar="FILE.tar", help="Its disk: read if it exists, written at exit."),
    _value("--env", variable, "K=V", "A variable for the program."),
    _number("--seed", 0, (1 << 64) - 1, "N", "All the chance there is; 0 by default."),
    _value("--date", date, "ISO", "The guest's wall clock at boot; always the same by default."),
    _number("--memory", 1, 1 << 20, "MB", "The guest's memory; 512 by default."),
    _value("--max-time", duration, "T", "The most virtual time; then the status is 124."),
    click.option("--trace", metavar="[=FILE]", help="Tell system calls, on stderr or in FILE."),
    _value("--checkpoint-after", place, "PLACE", "25syscalls, or virtual time: 40us, 40ms, 2s."),
    _path("-o", "output", metavar="IMAGE", help="Where the image goes; and IMAGE.disk.tar."),
    click.option("--stop", is_flag=True, help="End after the checkpoint."),
    click.option("--pure", is_flag=True, help="Only records that linux-cr has."),
)


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
