"""The freezer hierarchy as a file system: directories are groups.

Mirrors: Linux kernel/cgroup.c (cgroup v1), mounted with -o freezer.
Deviates: mounted at boot on /sys/fs/cgroup/freezer, so that a restarted kernel has it too.
Not modelled: release agents, notify_on_release.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, EPERM, ESRCH
from kernel_model.freezer import FreezerCgroup
from kernel_model.vfs.disk import EPOCH_NS, DiskNode
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.openfile import OpenFile

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task

ROOT_INO = 1
MAGIC = 0x27E0EB


class CgroupFs(FileSystem):
    """One hierarchy with one controller: the freezer."""

    type_name = b"cgroup"
    magic = MAGIC

    def __init__(self, kernel: Kernel, dev: int) -> None:
        super().__init__(kernel.ram, kernel.clock, dev)
        self.kernel = kernel
        self._root = GroupDirectory(self, b"", kernel.freezer)

    @property
    def root(self) -> Inode:
        """The root group."""
        return self._root

    def options(self) -> bytes:
        """The controllers of the hierarchy."""
        return b",freezer"


def _node(path: bytes, mode: int) -> DiskNode:
    node = DiskNode(zlib.crc32(path) | 1 << 31 if path else ROOT_INO, mode)
    node.atime_ns = node.mtime_ns = node.ctime_ns = EPOCH_NS
    return node


class GroupDirectory(Inode):
    """A group."""

    names_change = True
    removes_itself = True
    fs: CgroupFs

    def __init__(self, fs: CgroupFs, path: bytes, group: FreezerCgroup) -> None:
        super().__init__(fs, _node(path, stat.S_IFDIR | 0o755))
        self.path = path
        self.group = group

    def _files(self) -> dict[bytes, tuple[int, Read, Write | None]]:
        files: dict[bytes, tuple[int, Read, Write | None]] = {
            b"tasks": (0o644, _list_tasks, _attach),
            b"cgroup.procs": (0o444, _list_processes, None),
        }
        if self.group.parent is not None:
            files[b"freezer.state"] = (0o644, _show_state, _set_state)
        return files

    def lookup(self, name: bytes) -> Inode | None:
        """A file of the group, or a group below."""
        inner = self.path + b"/" + name
        child = self.group.children.get(name)
        if child is not None:
            return GroupDirectory(self.fs, inner, child)
        found = self._files().get(name)
        return None if found is None else GroupFile(self.fs, inner, self.group, *found)

    def list(self) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode number, mode), sorted."""
        for name in sorted([*self.group.children, *self._files()]):
            inode = self.lookup(name)
            assert inode is not None
            yield name, inode.node.ino, inode.node.mode

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int, target: bytes) -> Inode:
        """mkdir makes a group; nothing else can be made."""
        if not stat.S_ISDIR(mode):
            raise EPERM("only groups can be made here")
        child = self.group.new_child(name)
        return GroupDirectory(self.fs, self.path + b"/" + name, child)

    def unlink(self, name: bytes) -> None:
        """rmdir of a group without tasks."""
        child = self.group.children.get(name)
        if child is None:
            raise EPERM("the files of a group cannot be removed")
        child.remove()

    def link(self, name: bytes, inode: Inode) -> None:
        """Refused."""
        raise EPERM("groups have no second names")

    def rename(self, name: bytes, target: Inode, new_name: bytes) -> None:
        """Refused."""
        raise EPERM("groups are not renamed")


class GroupFile(Inode):
    """A file of a group."""

    fs: CgroupFs
    names_change = True

    def __init__(
        self,
        fs: CgroupFs,
        path: bytes,
        group: FreezerCgroup,
        mode: int,
        read: Read,
        write: Write | None,
    ) -> None:
        super().__init__(fs, _node(path, stat.S_IFREG | mode))
        self.group, self.read_text, self.write_text = group, read, write

    def special_file(self, task: Task, path: Path, flags: int) -> OpenFile | None:
        """Open it."""
        return GroupOpenFile(self, path, flags, task)

    def truncate(self, size: int) -> None:
        """O_TRUNC of a shell's redirection: there is nothing to cut."""


class GroupOpenFile(OpenFile):
    """An open file of a group: read as text, each write is a command."""

    seekable = True

    def __init__(self, inode: GroupFile, path: Path, flags: int, opener: Task) -> None:
        super().__init__(inode, path, flags)
        self.file = inode
        self.opener = opener

    def read_for(self, task: Task, count: int) -> bytes:
        """Numbers are those of the reader's pid namespace."""
        self.opener = task
        return self.read(count)

    def write_for(self, task: Task, data: bytes) -> int:
        """And 0 is the writer."""
        self.opener = task
        return self.write(data)

    def pread(self, offset: int, count: int) -> bytes:
        """The text as it is now."""
        text = self.file.read_text(self.opener, self.file.group)
        return text[offset : offset + count]

    def _store(self, offset: int, data: bytes) -> int:
        if self.file.write_text is None:
            raise EINVAL("this file is not written")
        self.file.write_text(self.opener, self.file.group, data)
        return len(data)


Read = Callable[["Task", FreezerCgroup], bytes]
Write = Callable[["Task", FreezerCgroup, bytes], None]


def _members(reader: Task, group: FreezerCgroup) -> list[Task]:
    if group.parent is not None:
        return [task for task in group.members() if reader.pid_ns.holds(task)]
    return [task for task in reader.pid_ns.tasks() if task.cgroup is None and not task.exited]


def _list_tasks(reader: Task, group: FreezerCgroup) -> bytes:
    numbers = [reader.pid_ns.number_of(task.pid) for task in _members(reader, group)]
    return b"".join(b"%d\n" % number for number in sorted(numbers))


def _list_processes(reader: Task, group: FreezerCgroup) -> bytes:
    numbers = {reader.pid_ns.number_of(task.tgid) for task in _members(reader, group)}
    return b"".join(b"%d\n" % number for number in sorted(numbers))


def _attach(writer: Task, group: FreezerCgroup, data: bytes) -> None:
    text = data.strip()
    if not text.isdigit():
        raise EINVAL(f"{data!r} is no pid")
    task = writer.find(int(text)) if int(text) else writer
    if task is None or task.exited:
        raise ESRCH(f"there is no task {int(text)}")
    group.attach(task)


def _show_state(reader: Task, group: FreezerCgroup) -> bytes:
    return group.state.value.encode() + b"\n"


def _set_state(writer: Task, group: FreezerCgroup, data: bytes) -> None:
    group.set_state(data)
