"""`cr run` and `cr restart`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cr.cli.failure import REFUSED, Failure
from cr.cli.program import arch_of, find_program
from cr.cli.session import (
    Options,
    boot,
    disk_beside,
    finish,
    host_of,
    load_disk,
    serve_terminal,
)
from cr.image.errors import ImageError
from cr.system import DEFAULT_ENVIRONMENT, System
from cr.tools.image_bytes import Image
from kernel_model.abi.errno import LinuxError
from kernel_model.strace import Strace


def run_program(program: str, arguments: tuple[str, ...], **given: Any) -> int:
    """Run a program in a new kernel; the exit status."""
    options = _options(given)
    tar = options.disk if options.disk is not None and options.disk.exists() else None
    disk = load_disk(tar, options.root)
    path = find_program(disk, program)
    host = host_of(options)
    kernel = boot(arch_of(disk, path, options.kernel), disk, options, host)
    env = DEFAULT_ENVIRONMENT | dict(options.env)
    with _traced(kernel, options.trace):
        try:
            task = kernel.spawn(
                path, *arguments, env=env, terminal=options.terminal, as_init=options.as_init
            )
        except LinuxError as error:
            raise Failure(f"{program} cannot be run: {error} ({error.name})") from None
        serve_terminal(kernel, host)
        return finish(kernel, task, options, host)


def restart_image(path: Path, **given: Any) -> int:
    """Go on with an image in a new kernel; the exit status."""
    options = _options(given)
    if options.env:
        raise Failure("--env is for `cr run`: the variables of an image are in its memory")
    image = read_image(path)
    try:
        arch, abi = image.summary.arch, options.abi
        if abi is None:
            abi = image.summary.abi or None
    except ImageError as problem:
        raise Failure(f"{path} is no image that we can restart: {problem}") from None
    tar = options.disk if options.disk is not None and options.disk.exists() else None
    disk = load_disk(tar or disk_beside(path), options.root)
    host = host_of(options)
    kernel = boot(arch, disk, replace(options, abi=abi), host)
    with _traced(kernel, options.trace):
        try:
            task = kernel.restart(image)
        except ImageError as problem:
            raise Failure(f"{path}: the restart was refused: {problem}", REFUSED) from None
        serve_terminal(kernel, host)
        return finish(kernel, task, options, host)


def read_image(path: Path) -> Image:
    """The bytes of an image file. Raises Failure if there are none."""
    try:
        return Image(path.read_bytes())
    except (OSError, ValueError) as error:
        sentence = error.strerror if isinstance(error, OSError) else error
        raise Failure(f"{path}: {sentence}") from None


def _options(given: dict[str, Any]) -> Options:
    options = Options(**{name: value for name, value in given.items() if value is not None})
    options.check()
    return options


@contextmanager
def _traced(kernel: System, trace: str | None) -> Iterator[None]:
    if trace is None:
        yield
        return
    try:
        file = sys.stderr if trace == "-" else open(trace, "w", encoding="utf-8")
    except OSError as error:
        raise Failure(f"{trace} cannot be written: {error.strerror}") from None
    sink = Strace(kernel, file.write)
    kernel.trace.sinks.append(sink)
    try:
        yield
        sink.finish()
        file.flush()
        if file is not sys.stderr:
            file.close()
    except OSError as error:
        raise Failure(f"the trace cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):  # what is left in the buffer; the failure is told already
            if file is not sys.stderr:
                file.close()
