"""The descriptors of a thread group: small integers for open files.

Mirrors: Linux struct files_struct, fs/file.c, the F_DUPFD part of fs/fcntl.c.
"""

from __future__ import annotations

from collections.abc import Iterator

from kernel_model.abi.errno import EBADF, EINVAL, EMFILE
from kernel_model.dnotify import leave_marks
from kernel_model.vfs.locks import leave_table
from kernel_model.vfs.openfile import OpenFile


class FdTable:
    """fd -> open file. Whoever wants a new descriptor says which RLIMIT_NOFILE is in force."""

    __slots__ = ("close_on_exec", "files", "users")

    def __init__(self) -> None:
        self.files: list[OpenFile | None] = []
        self.close_on_exec: set[int] = set()
        self.users = 1

    def get(self, fd: int) -> OpenFile:
        """The open file of a descriptor. Raises EBADF, for one opened with O_PATH too (fget)."""
        file = self.get_raw(fd)
        if file.only_a_place:
            raise EBADF(f"descriptor {fd} was opened with O_PATH")
        return file

    def get_raw(self, fd: int) -> OpenFile:
        """As `get`, for calls that take one opened with O_PATH (fget_raw)."""
        if 0 <= fd < len(self.files):
            file = self.files[fd]
            if file is not None:
                return file
        raise EBADF(f"descriptor {fd} is not open")

    def items(self) -> Iterator[tuple[int, OpenFile]]:
        """All open descriptors, ascending."""
        for fd, file in enumerate(self.files):
            if file is not None:
                yield fd, file

    def lowest_free(self, limit: int, lowest: int = 0) -> int:
        """The descriptor that the next open gives. Raises EMFILE."""
        fd = lowest
        while fd < len(self.files) and self.files[fd] is not None:
            fd += 1
        if fd >= limit:
            raise EMFILE(f"all {limit} descriptors are in use")
        return fd

    def install(self, file: OpenFile, limit: int, *, cloexec: bool = False) -> int:
        """Give `file` the lowest free descriptor; the table takes over the caller's use of it.

        When there is none, EMFILE; the file is then still the caller's.
        """
        fd = self.lowest_free(limit)
        self.install_at(fd, file, cloexec=cloexec)
        return fd

    def install_at(self, fd: int, file: OpenFile, *, cloexec: bool = False) -> None:
        """Put `file` at a descriptor that is free (restart, start of the first program)."""
        files = self.files
        if fd >= len(files):
            files.extend([None] * (fd + 1 - len(files)))
        files[fd] = file
        if cloexec:
            self.close_on_exec.add(fd)
        else:
            self.close_on_exec.discard(fd)

    def close(self, fd: int) -> None:
        """Free a descriptor. Raises EBADF."""
        file = self.get_raw(fd)
        self.files[fd] = None
        self.close_on_exec.discard(fd)
        self._let_go(file)

    def _let_go(self, file: OpenFile) -> None:
        if file.inode.locks is not None:
            leave_table(file.inode, self)
        if file.inode.marks is not None:
            leave_marks(file, self)
        file.drop()

    def duplicate(self, fd: int, limit: int, lowest: int = 0, *, cloexec: bool = False) -> int:
        """dup and F_DUPFD: another descriptor, not below `lowest`, for the same open file."""
        file = self.get_raw(fd)
        if lowest < 0 or lowest >= limit:
            raise EINVAL(f"no descriptor from {lowest} on below the limit of {limit}")
        new = self.lowest_free(limit, lowest)
        self.install_at(new, file.grab(), cloexec=cloexec)
        return new

    def duplicate_to(self, fd: int, new: int, limit: int, *, cloexec: bool = False) -> int:
        """dup2 and dup3 of two different descriptors: `new` is closed first if open."""
        file = self.get_raw(fd)
        if not 0 <= new < limit:
            raise EBADF(f"descriptor {new} is not below the limit of {limit}")
        old = self.files[new] if new < len(self.files) else None
        self.install_at(new, file.grab(), cloexec=cloexec)
        if old is not None:
            self._let_go(old)
        return new

    def copy(self) -> FdTable:
        """For a child that does not share the table: the same open files."""
        table = FdTable()
        table.files = [file and file.grab() for file in self.files]
        table.close_on_exec = set(self.close_on_exec)
        return table

    def close_for_exec(self) -> None:
        """Close what is marked close-on-exec."""
        for fd in sorted(self.close_on_exec):
            self.close(fd)

    def grab(self) -> FdTable:
        """One more task shares the table."""
        self.users += 1
        return self

    def drop(self) -> None:
        """One task less; the last one closes everything, lowest first."""
        self.users -= 1
        if not self.users:
            for fd, _ in self.items():
                self.close(fd)
