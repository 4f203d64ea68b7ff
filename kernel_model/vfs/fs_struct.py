"""What CLONE_FS shares: root directory, current directory, umask.

Mirrors: Linux struct fs_struct.
"""

from __future__ import annotations

from kernel_model.vfs.mounts import Path


class FsStruct:
    """Where path walks of a task begin."""

    __slots__ = ("pwd", "root", "umask", "users")

    def __init__(self, root: Path, pwd: Path, umask: int = 0o022) -> None:
        self.root = root
        self.pwd = pwd
        self.umask = umask
        self.users = 1

    def copy(self) -> FsStruct:
        """For a child that does not share it."""
        return FsStruct(self.root, self.pwd, self.umask)

    def grab(self) -> FsStruct:
        """One more task shares it."""
        self.users += 1
        return self

    def drop(self) -> None:
        """One task less."""
        self.users -= 1
