"""/proc/PID and what is below it.

Mirrors: Linux fs/proc/base.c, fs/proc/fd.c, fs/proc/namespaces.c.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EACCES, ENOENT
from kernel_model.abi.fcntl import O_ACCMODE, O_CLOEXEC, O_RDONLY
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.ns_file import NAMES, Namespace, NamespaceFile
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.proc_nodes import Directory, Find, GuardedText, Link, ProcInode, Text
from kernel_model.vfs.proc_text import GUARDED_FILES, NUMBERED_FILES, PRIVATE_FILES

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.procfs import ProcFs


_LINK_BYTES = 64
"""What stat says of the length of a link in /proc/PID/fd."""


class TaskDirectory(Directory):
    """/proc/PID/task/TID: a thread."""

    def __init__(self, fs: ProcFs, path: bytes, mode: int, owner: Task) -> None:
        super().__init__(fs, path, mode, owner)
        self.owner = owner

    def children(self) -> dict[bytes, ProcInode]:
        """Links, descriptors and texts."""
        fs, owner, prefix = self.fs, self.owner, self.path + b"/"
        found: dict[bytes, ProcInode] = {
            name: (GuardedText if name in GUARDED_FILES else Text)(
                fs, prefix + name, make, owner, 0o400 if name in PRIVATE_FILES else 0o444
            )
            for name, make in fs.task_files.items()
        }
        for name, numbered in NUMBERED_FILES.items():
            found[name] = Text(fs, prefix + name, partial(numbered, fs.pid_ns), owner)
        for name, find in TASK_LINKS.items():
            found[name] = Link(fs, prefix + name, owner, find)
        info = prefix + b"fdinfo"
        found[b"fdinfo"] = DescriptorInfoDirectory(fs, info, stat.S_IFDIR | 0o500, owner)
        found[b"fd"] = DescriptorDirectory(fs, prefix + b"fd", stat.S_IFDIR | 0o500, owner)
        found[b"ns"] = NamespaceDirectory(fs, prefix + b"ns", stat.S_IFDIR | 0o511, owner)
        return found


class ProcessDirectory(TaskDirectory):
    """/proc/PID: its first thread, and a directory of all of them."""

    def children(self) -> dict[bytes, ProcInode]:
        """What a thread has, and all threads."""
        found = super().children()
        path = self.path + b"/task"
        found[b"task"] = ThreadsDirectory(self.fs, path, stat.S_IFDIR | 0o555, self.owner)
        return found


class ThreadsDirectory(Directory):
    """/proc/PID/task."""

    def __init__(self, fs: ProcFs, path: bytes, mode: int, owner: Task) -> None:
        super().__init__(fs, path, mode, owner)
        self.owner = owner

    def children(self) -> dict[bytes, ProcInode]:
        """One directory for each thread."""
        found: dict[bytes, ProcInode] = {}
        for thread in self.owner.signal.threads:
            name = b"%d" % self.fs.number_of(thread)
            path = self.path + b"/" + name
            found[name] = TaskDirectory(self.fs, path, stat.S_IFDIR | 0o555, thread)
        return found


class NamespaceDirectory(Directory):
    """/proc/PID/ns."""

    def __init__(self, fs: ProcFs, path: bytes, mode: int, owner: Task) -> None:
        super().__init__(fs, path, mode, owner)
        self.owner = owner

    def children(self) -> dict[bytes, ProcInode]:
        """Those namespaces of a live task that setns can enter."""
        if self.owner.exited:
            return {}
        return {
            name: NamespaceInode(self.fs, self.path + b"/" + name, self.owner, find(self.owner))
            for name, find in NAMES.items()
        }


class NamespaceInode(ProcInode):
    """A file of /proc/PID/ns."""

    def __init__(self, fs: ProcFs, path: bytes, owner: Task | None, namespace: Namespace) -> None:
        super().__init__(fs, path, stat.S_IFREG | 0o400, owner)
        self.namespace = namespace

    def special_file(self, task: Task, path: Path, flags: int) -> OpenFile | None:
        """A file that keeps the namespace."""
        if flags & O_ACCMODE != O_RDONLY:
            raise EACCES("a namespace is not written")
        return NamespaceFile(self.fs.kernel, self.namespace, self, path, flags)


class DescriptorDirectory(Directory):
    """/proc/PID/fd."""

    def __init__(self, fs: ProcFs, path: bytes, mode: int, owner: Task) -> None:
        super().__init__(fs, path, mode, owner)
        self.owner = owner

    def admits(self, task: Task) -> bool:
        """A process sees its own, even where root owns the directory."""
        return task.tgid == self.owner.tgid

    def children(self) -> dict[bytes, ProcInode]:
        """One link for each open descriptor."""
        found: dict[bytes, ProcInode] = {}
        for fd, file in self.owner.files.items() if self.owner.files else ():
            name = b"%d" % fd
            rights = (0o500 if file.may_read else 0) | (0o300 if file.may_write else 0)
            rights = 0 if file.only_a_place else rights
            link = Link(self.fs, self.path + b"/" + name, self.owner, _constant(file), rights)
            link.node.size = _LINK_BYTES
            found[name] = link
        return found


class DescriptorInfoDirectory(DescriptorDirectory):
    """/proc/PID/fdinfo."""

    def children(self) -> dict[bytes, ProcInode]:
        """One text for each open descriptor."""
        found: dict[bytes, ProcInode] = {}
        for fd, _ in self.owner.files.items() if self.owner.files else ():
            name = b"%d" % fd
            make = partial(_fd_text, self.fs.more.fd_lines, fd)
            found[name] = Text(self.fs, self.path + b"/" + name, make, self.owner, 0o400)
        return found


def _fd_text(more: tuple[Callable[[Task, OpenFile], bytes], ...], fd: int, task: Task) -> bytes:
    file = task.files.get_raw(fd)
    flags = task.abi.structs.open_flags.to_user(file.flags)
    if fd in task.files.close_on_exec:
        flags |= O_CLOEXEC
    text = b"pos:\t%d\nflags:\t0%o\n" % (file.position, flags)
    return text + b"".join(line(task, file) for line in more)


def _constant(file: OpenFile) -> Callable[[Task], Path | OpenFile]:
    return lambda task: file


def _exe(task: Task) -> Path | OpenFile:
    file: OpenFile | None = task.mm.exe if task.mm is not None else None
    if file is None:
        raise ENOENT("no program")
    return file


def _cwd(task: Task) -> Path | OpenFile:
    return task.fs.pwd


def _root(task: Task) -> Path | OpenFile:
    return task.fs.root


TASK_LINKS: Mapping[bytes, Find] = MappingProxyType({b"cwd": _cwd, b"exe": _exe, b"root": _root})
