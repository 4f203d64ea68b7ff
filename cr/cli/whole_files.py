"""Files that are there whole or not at all.

`Staging` writes to temporary names beside the targets; `commit` gives them their names once all
are on the disk. What is no regular file (a device, a pipe) cannot be replaced and is written as
it is.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from cr.cli.failure import Failure


class Staging:
    """A group of files that get their names together. Use in a `with` block."""

    def __init__(self) -> None:
        self._ready: list[tuple[str, Path]] = []

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for temporary, _ in self._ready:
            os.unlink(temporary)
        self._ready.clear()

    def write(self, target: Path, writer: Callable[[BinaryIO], object]) -> None:
        """Let `writer` write one file. Raises Failure if it cannot be stored."""
        try:
            target = Path(os.path.realpath(target))
            if _is_special(target):
                with open(target, "wb") as file:
                    writer(file)
                return
            self._stage(target, writer)
        except OSError as error:
            raise Failure(f"{target} cannot be written: {error.strerror}") from None

    def _stage(self, target: Path, writer: Callable[[BinaryIO], object]) -> None:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        self._ready.append((temporary, target))
        with open(handle, "wb") as file:
            writer(file)
            file.flush()
            os.fchmod(handle, _mode_of_new_files())
            os.fsync(handle)

    def commit(self) -> None:
        """All were written: put them in place, in the order in which they were written."""
        while self._ready:
            temporary, target = self._ready[0]
            try:
                os.replace(temporary, target)
                self._ready.pop(0)
                _sync_folder(target.parent)
            except OSError as error:
                raise Failure(f"{target} cannot be written: {error.strerror}") from None


def check_folder(target: Path) -> None:
    """Say at once, and not after a long run, that a file can never be written there."""
    folder = Path(os.path.realpath(target)).parent
    if not folder.is_dir():
        raise Failure(f"{target} cannot be written: there is no folder {folder}")
    if target.is_dir():
        raise Failure(f"{target} cannot be written: it is a directory")


def _is_special(target: Path) -> bool:
    try:
        return not stat.S_ISREG(os.stat(target).st_mode)
    except FileNotFoundError:
        return False


def _mode_of_new_files() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
