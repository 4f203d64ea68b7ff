"""`cr diff`: what changed from one image to another. Exit status 1 when something did.

Memory is told with the names of variables: those of `--program`, or else of the program that each
task runs, if it is on the disk beside one of the images.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cr.cli.failure import Failure
from cr.cli.host_console import HostConsole
from cr.cli.program import find
from cr.cli.session import disk_beside, load_disk
from cr.image.errors import ImageError
from cr.tools.diff import Symbols, SymbolsOf, changes
from cr.tools.image_bytes import Image
from cr.tools.info import TaskInfo
from emu.elf import NotAnElf, parse, symbols
from kernel_model.vfs.disk import Disk


def tell(before: Path, after: Path, program: Path | None) -> int:
    """Print the changes; whether there are any."""
    try:
        images = [Image(path.read_bytes()) for path in (before, after)]
        known = program.read_bytes() if program is not None else None
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise Failure(str(error)) from None
    if known is not None:
        try:
            symbols(known)
        except NotAnElf as problem:
            raise Failure(f"{program}: {problem}") from None
        names = _names_in(lambda executable: known)
    else:
        disks = [load_disk(tar, None) for tar in map(disk_beside, (after, before)) if tar.exists()]
        names = _names_in(lambda executable: _file_on(disks, executable))
    try:
        lines = list(changes(images[0], images[1], names))
    except ImageError as problem:
        raise Failure(f"one of them is no image: {problem}") from None
    HostConsole().sink(1, os.fsencode("".join(f"{line}\n" for line in lines)))
    return 1 if lines else 0


def _names_in(content_of: Callable[[str], bytes | None]) -> SymbolsOf:
    @cache
    def of_file(executable: str) -> tuple[Symbols, int | None]:
        """Its symbols; and where its first page would like to be, if it may lie elsewhere."""
        content = content_of(executable)
        if content is None:
            return [], None
        try:
            elf, found = parse(content), symbols(content)
        except NotAnElf:
            return [], None
        lowest = min((segment.vaddr for segment in elf.segments), default=0)
        return found, lowest & -4096 if elf.position_independent else None

    def of_task(task: TaskInfo) -> Symbols:
        found, lowest = of_file(task.executable)
        starts = [area.start for area in task.areas if area.file == task.executable]
        if lowest is None or not starts:
            return found
        return [(addr + min(starts) - lowest, name) for addr, name in found]

    return of_task


def _file_on(disks: list[Disk], executable: str) -> bytes | None:
    for disk in disks:
        node = find(disk, os.fsencode(executable))
        if node is not None and stat.S_ISREG(node.mode):
            return node.read(0, node.size)
    return None
