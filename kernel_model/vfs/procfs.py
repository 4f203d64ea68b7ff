"""/proc: files whose content is made when they are opened.

Two tables in proc_text.py say what there is: `TASK_FILES` for /proc/PID, `ROOT_FILES` for /proc
itself. Each maps a name to a function that makes the text of a task, or of the kernel as the
reading task sees it. Boot may give more (`MoreFiles`), so that other floors add files without being
known here. An open file keeps the text of the moment of its opening, as seq_file nearly does. The
links exe, cwd, root and fd/N lead to the file itself, not to a text.

There is one instance for each pid namespace: its numbers are those of that namespace.

Mirrors:      Linux fs/proc/root.c, fs/proc/base.c.
Not modelled: writing, mem, and most other files.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Dentry
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.proc_nodes import Directory, FixedLink, Number, ProcInode, SelfLink, Text
from kernel_model.vfs.proc_tasks import ProcessDirectory
from kernel_model.vfs.proc_text import ROOT_FILES, TASK_FILES, TaskText

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.pids import PidNamespace
    from kernel_model.sysctl import Sysctl
    from kernel_model.task import Task


@dataclass(frozen=True)
class MoreFiles:
    """What floors above add."""

    task_files: Mapping[bytes, TaskText] = field(default_factory=dict)
    """Files of /proc/PID."""
    fd_lines: tuple[Callable[[Task, OpenFile], bytes], ...] = ()
    """Lines of /proc/PID/fdinfo/N."""
    sysctls: Mapping[bytes, Sysctl] = field(default_factory=dict)
    """Numbers in /proc/sys."""


NOTHING_MORE = MoreFiles()


class ProcFs(FileSystem):
    """The file system that is mounted on /proc."""

    type_name = b"proc"
    has_fsync = False
    block_bytes = 1024
    magic = 0x9FA0

    def __init__(
        self,
        kernel: Kernel,
        dev: int,
        pid_ns: PidNamespace | None,
        *,
        more: MoreFiles = NOTHING_MORE,
    ) -> None:
        super().__init__(kernel.ram, kernel.clock, dev)
        self.kernel = kernel
        self.pid_ns = pid_ns
        """None: it has ended, and nobody is there any more."""
        self.more = more
        self.task_files = {**TASK_FILES, **more.task_files}
        self._root = RootDirectory(self, b"", stat.S_IFDIR | 0o555)

    @property
    def root(self) -> Inode:
        """/proc itself."""
        return self._root

    def of_namespace(self, dev: int, pid_ns: PidNamespace | None) -> ProcFs:
        """The same files, with the tasks of another pid namespace."""
        return ProcFs(self.kernel, dev, pid_ns, more=self.more)

    def past(self, top: Dentry, path: bytes, mode: int, uid: int, gid: int) -> Dentry:
        """For restart: the name of a file that was opened when its task was there."""
        dentry = top
        cls = Directory if stat.S_ISDIR(mode) else ProcInode
        for name in path.split(b"/"):
            dentry = Dentry(dentry, name, cls(self, path, mode))
        dentry.inode.node.uid, dentry.inode.node.gid = uid, gid
        return dentry

    def tasks(self) -> list[Task]:
        """Who is seen here, in the order of the numbers."""
        return self.pid_ns.tasks() if self.pid_ns is not None else []

    def task(self, number: int) -> Task | None:
        """Who has a number here."""
        return self.pid_ns.task(number) if self.pid_ns is not None else None

    def number_of(self, task: Task) -> int:
        """The number of a task here; 0: none."""
        return self.pid_ns.number_of(task.pid) if self.pid_ns is not None else 0


class Tree(Directory):
    """A directory of files whose paths begin alike (/proc/sys and below)."""

    def children(self) -> dict[bytes, ProcInode]:
        """Files and directories one level below."""
        found: dict[bytes, ProcInode] = {}
        prefix = self.path + b"/" if self.path else b""
        for path in (*ROOT_FILES, *(b"sys/" + name for name in self.fs.more.sysctls)):
            if not path.startswith(prefix):
                continue
            name, slash, _ = path[len(prefix) :].partition(b"/")
            if slash:
                found[name] = Tree(self.fs, prefix + name, stat.S_IFDIR | 0o555)
            elif path in ROOT_FILES:
                found[name] = Text(self.fs, path, ROOT_FILES[path], None)
            else:
                found[name] = Number(self.fs, path, path.removeprefix(b"sys/"))
        return found


class RootDirectory(Tree):
    """/proc: one directory for each thread group, self, and the files of the kernel."""

    def children(self) -> dict[bytes, ProcInode]:
        """Everything; a lookup of one process does not come here."""
        found = super().children()
        found[b"self"] = SelfLink(self.fs, b"self", stat.S_IFLNK | 0o777)
        found[b"mounts"] = FixedLink(self.fs, b"mounts", b"self/mounts")
        for task in self.fs.tasks():
            number = self.fs.number_of(task)
            process = self._process(number)
            if process is not None:
                found[b"%d" % number] = process
        return found

    def lookup(self, name: bytes) -> Inode | None:
        """A process by number, or a file of the kernel."""
        if name.isdigit() and len(name) < 11 and name[:1] != b"0":
            return self._process(int(name))
        if name == b"self":
            return SelfLink(self.fs, b"self", stat.S_IFLNK | 0o777)
        if name == b"mounts":
            return FixedLink(self.fs, b"mounts", b"self/mounts")
        return super().children().get(name)

    def _process(self, number: int) -> ProcInode | None:
        task = self.fs.task(number)
        if task is None or not task.is_leader:
            return None
        return ProcessDirectory(self.fs, b"%d" % number, stat.S_IFDIR | 0o555, task)
