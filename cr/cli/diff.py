"""`cr diff`: what changed from one image to another. Exit status 1 when something did."""

from __future__ import annotations

import os
from pathlib import Path

from cr.cli.failure import Failure
from cr.cli.host_console import HostConsole
from cr.image.errors import ImageError
from cr.tools.diff import Symbols, changes
from cr.tools.image_bytes import Image
from emu.elf import NotAnElf, symbols


def tell(before: Path, after: Path, program: Path | None) -> int:
    """Print the changes; whether there are any."""
    names: Symbols = []
    try:
        if program is not None:
            names = symbols(program.read_bytes())
        images = [Image(path.read_bytes()) for path in (before, after)]
    except NotAnElf as problem:
        raise Failure(f"{program}: {problem}") from None
    except (OSError, ValueError) as error:
        raise Failure(str(error)) from None
    try:
        lines = list(changes(images[0], images[1], names))
    except ImageError as problem:
        raise Failure(f"one of them is no image: {problem}") from None
    HostConsole().sink(1, os.fsencode("".join(f"{line}\n" for line in lines)))
    return 1 if lines else 0
