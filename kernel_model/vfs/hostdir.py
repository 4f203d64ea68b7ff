"""A folder of the host, seen and never touched: the lazy lower layer of a disk.

Nothing is read until somebody asks: a folder is listed when a guest looks into it, a file is read
when a guest reads it. Every access opens component after component from the folder itself with
O_NOFOLLOW, so a symlink of the host is data (the guest sees a symlink) and never a way out, not
even when somebody swaps a folder for a symlink at the same moment. Nothing is opened for writing.

Deviates: owner, times, inode numbers and link counts of the host are not reported at all, because
          two runs of the same inputs have to give the same bytes. Device nodes are left out.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class HostError(Exception):
    """The host refuses to show something that it showed before."""


@dataclass(frozen=True)
class HostEntry:
    """One name in a folder of the host, with what of its attributes a guest may see."""

    name: bytes
    mode: int
    size: int
    target: bytes


class HostFolder:
    """The folder `root` of the host; paths are bytes, relative to it, without dot components."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.realpath(root)
        os.close(os.open(self.root, _FOLDER))

    def mode(self) -> int:
        """Type and permissions of the folder itself."""
        return os.stat(self.root).st_mode & 0o177777

    def list(self, path: bytes) -> list[HostEntry]:
        """What is in a folder, sorted by name. Raises HostError."""
        try:
            folder = self._open_folder(path)
        except OSError as error:
            raise HostError(f"host folder {path!r}: {error.strerror}") from None
        try:
            names = sorted(os.fsencode(name) for name in os.listdir(folder))
            found = [self._entry(folder, name) for name in names]
        except OSError as error:
            raise HostError(f"host folder {path!r}: {error.strerror}") from None
        finally:
            os.close(folder)
        return [entry for entry in found if entry is not None]

    def content(self, path: bytes) -> bytes:
        """The bytes of a regular file. Raises HostError."""
        parent, _, name = path.rpartition(b"/")
        try:
            folder = self._open_folder(parent)
            try:
                file = os.open(name, _FILE, dir_fd=folder)
            finally:
                os.close(folder)
            with open(file, "rb") as stream:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise HostError(f"host file {path!r} is no regular file any more")
                return stream.read()
        except OSError as error:
            raise HostError(f"host file {path!r}: {error.strerror}") from None

    def _open_folder(self, path: bytes) -> int:
        folder = os.open(self.root, _FOLDER)
        for name in path.split(b"/") if path else ():
            try:
                inner = os.open(name, _FOLDER, dir_fd=folder)
            finally:
                os.close(folder)
            folder = inner
        return folder

    @staticmethod
    def _entry(folder: int, name: bytes) -> HostEntry | None:
        try:
            seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
            mode = seen.st_mode & 0o177777
            if stat.S_ISLNK(mode):
                target = os.readlink(name, dir_fd=folder)
                return HostEntry(name, mode, len(target), target)
        except FileNotFoundError:
            return None  # gone since the folder was listed
        if stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
            return None
        return HostEntry(name, mode, seen.st_size if stat.S_ISREG(mode) else 0, b"")
