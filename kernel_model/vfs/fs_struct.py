"""What CLONE_FS shares: root directory, current directory, umask.

Mirrors: Linux struct fs_struct.
"""

from __future__ import annotations

from kernel_model.vfs.mounts import Path


class FsStruct:
    """Where path walks of a task begin."""

    __slots__ = ("_pwd", "_root", "umask", "users")

    def __init__(self, root: Path, pwd: Path, umask: int = 0o022) -> None:
        self._root = root
        self._pwd = pwd
        self.umask = umask
        self.users = 1
        root.inode.homes += 1
        pwd.inode.homes += 1

    @property
    def root(self) -> Path:
        """The root directory."""
        return self._root

    @root.setter
    def root(self, place: Path) -> None:
        before, self._root = self._root, place
        place.inode.homes += 1
        before.inode.left()

    @property
    def pwd(self) -> Path:
        """The current directory."""
        return self._pwd

    @pwd.setter
    def pwd(self, place: Path) -> None:
        before, self._pwd = self._pwd, place
        place.inode.homes += 1
        before.inode.left()

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
        if not self.users:
            self._root.inode.left()
            self._pwd.inode.left()
