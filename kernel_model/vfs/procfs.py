"""/proc: files whose content is made when they are opened.

Two tables in proc_text.py say what there is: `TASK_FILES` for /proc/PID, `ROOT_FILES` for /proc
itself. Each maps a name to a function that makes the text of a task, or of the kernel as the
reading task sees it. Boot may give more (`MoreFiles`), so that other floors add files without being
known here. An open file keeps the text of the moment of its opening, as seq_file nearly does. The
links exe, cwd, root and fd/N lead to the file itself, not to a text.

Mirrors:  Linux fs/proc/base.c, fs/proc/array.c, fs/proc/uptime.c, fs/namespaces.c.
Deviates: the number of an inode is a function of its path, so that two runs agree.
There is one instance for each pid namespace: its numbers are those of that namespace.

Not modelled: writing, mem, and most other files.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EACCES, ENOENT
from kernel_model.abi.fcntl import O_ACCMODE, O_CLOEXEC, O_RDONLY
from kernel_model.vfs.disk import EPOCH_NS, DiskNode
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Dentry, Path
from kernel_model.vfs.ns_file import NAMES, Namespace, NamespaceFile
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.path import shown_path
from kernel_model.vfs.proc_text import NUMBERED_FILES, ROOT_FILES, TASK_FILES, TaskText

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.pids import PidNamespace
    from kernel_model.sysctl import Sysctl
    from kernel_model.task import Task

ROOT_INO = 1


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


class ProcInode(Inode):
    """A file of /proc, made anew at every look."""

    names_change = True
    fs: ProcFs

    def __init__(self, fs: ProcFs, path: bytes, mode: int, owner: Task | None = None) -> None:
        node = DiskNode(zlib.crc32(path) | 1 << 31 if path else ROOT_INO, mode)
        node.atime_ns = node.mtime_ns = node.ctime_ns = EPOCH_NS
        if owner is not None:
            node.uid, node.gid = owner.cred.euid, owner.cred.egid
        super().__init__(fs, node)
        self.path = path


class Text(ProcInode):
    """A file: `make` gives its content."""

    def __init__(
        self, fs: ProcFs, path: bytes, make: TaskText, owner: Task | None, mode: int = 0o444
    ) -> None:
        super().__init__(fs, path, stat.S_IFREG | mode, owner)
        self.make = make
        self.owner = owner

    def special_file(self, task: Task, path: Path, flags: int) -> OpenFile | None:
        """The text as it is now."""
        if flags & O_ACCMODE != O_RDONLY:
            raise EACCES("files of /proc are not written")
        return TextFile(self, path, flags, self.make(self.owner or task))


class Number(Text):
    """A file of /proc/sys: who may write it changes the kernel."""

    def __init__(self, fs: ProcFs, path: bytes, name: bytes) -> None:
        super().__init__(fs, path, lambda task: task.kernel.sysctls.text(name), None, 0o644)
        self.name = name

    def special_file(self, task: Task, path: Path, flags: int) -> OpenFile | None:
        """The text as it is now, or a file that takes another number."""
        if flags & O_ACCMODE == O_RDONLY:
            return super().special_file(task, path, flags)
        return NumberFile(self, path, flags)


class NumberFile(OpenFile):
    """A file of /proc/sys that is open to be written."""

    seekable = True
    can_wait = False
    inode: Number

    def pread(self, offset: int, count: int) -> bytes:
        """A part of the text, as it is now."""
        return self.inode.fs.kernel.sysctls.text(self.inode.name)[offset : offset + count]

    def _store(self, offset: int, data: bytes) -> int:
        if not offset:
            self.inode.fs.kernel.sysctls.write(self.inode.name, data)
        return len(data)


class TextFile(OpenFile):
    """An open file with fixed text."""

    seekable = True
    can_wait = False

    def __init__(self, inode: Inode, path: Path, flags: int, text: bytes) -> None:
        super().__init__(inode, path, flags)
        self.text = text

    def pread(self, offset: int, count: int) -> bytes:
        """A part of the text."""
        return self.text[offset : offset + count]


class Link(ProcInode):
    """A symlink to a file at hand; `find` gives the place, or the open file of a descriptor."""

    def __init__(
        self, fs: ProcFs, path: bytes, owner: Task, find: Callable[[Task], Path | OpenFile]
    ) -> None:
        super().__init__(fs, path, stat.S_IFLNK | 0o777, owner)
        self.owner = owner
        self.find = find

    def readlink(self, task: Task) -> bytes:
        """The path, or kind and number of what has none."""
        target = self.find(self.owner)
        place = target.path if isinstance(target, OpenFile) else target
        if place is not None:
            return shown_path(place, task.fs.root)
        assert isinstance(target, OpenFile)
        node = target.inode.node
        kind = {stat.S_IFIFO: b"pipe", stat.S_IFSOCK: b"socket"}.get(stat.S_IFMT(node.mode))
        return b"%s:[%d]" % (kind, node.ino) if kind else b"anon_inode:"

    def jump(self, task: Task) -> Path | None:
        """The place itself."""
        target = self.find(self.owner)
        place = target.path if isinstance(target, OpenFile) else target
        if place is None:
            assert isinstance(target, OpenFile)
            name = self.readlink(task)
            return Path(task.fs.root.mount, Dentry(None, name, target.inode))
        return place


class SelfLink(ProcInode):
    """/proc/self."""

    def readlink(self, task: Task) -> bytes:
        """The number of the reader's thread group. Raises ENOENT if it has none here."""
        pid_ns = self.fs.pid_ns
        number = pid_ns.number_of(task.tgid) if pid_ns is not None else 0
        if not number:
            raise ENOENT("the reader is not in this pid namespace")
        return b"%d" % number


class FixedLink(ProcInode):
    """A symlink with a text."""

    def __init__(self, fs: ProcFs, path: bytes, target: bytes) -> None:
        super().__init__(fs, path, stat.S_IFLNK | 0o777)
        self.node.target = target


class Directory(ProcInode):
    """A directory: subclasses say what is in it."""

    def children(self) -> dict[bytes, ProcInode]:
        """All that is in the directory now; nothing if its task is gone."""
        return {}

    def lookup(self, name: bytes) -> Inode | None:
        """What `name` is now."""
        return self.children().get(name)

    def list(self) -> Iterator[tuple[bytes, int, int]]:
        """All names, sorted; numbers as numbers."""
        found = self.children()
        for name in sorted(found, key=lambda name: (not name.isdigit(), len(name), name)):
            yield name, found[name].node.ino, found[name].mode


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


class TaskDirectory(Directory):
    """/proc/PID/task/TID: a thread."""

    def __init__(self, fs: ProcFs, path: bytes, mode: int, owner: Task) -> None:
        super().__init__(fs, path, mode, owner)
        self.owner = owner

    def children(self) -> dict[bytes, ProcInode]:
        """Links, descriptors and texts."""
        fs, owner, prefix = self.fs, self.owner, self.path + b"/"
        found: dict[bytes, ProcInode] = {
            name: Text(fs, prefix + name, make, owner) for name, make in fs.task_files.items()
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

    def children(self) -> dict[bytes, ProcInode]:
        """One link for each open descriptor."""
        found: dict[bytes, ProcInode] = {}
        for fd, file in self.owner.files.items() if self.owner.files else ():
            name = b"%d" % fd
            found[name] = Link(self.fs, self.path + b"/" + name, self.owner, _constant(file))
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
    file = task.files.get(fd)
    flags = task.abi.structs.open_flags.to_user(file.flags)
    if fd in task.files.close_on_exec:
        flags |= O_CLOEXEC
    text = b"pos:\t%d\nflags:\t0%o\n" % (file.position, flags)
    return text + b"".join(line(task, file) for line in more)


Find = Callable[["Task"], Path | OpenFile]


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
