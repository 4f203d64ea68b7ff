"""The kinds of files that /proc is made of: texts, numbers, links, directories.

Mirrors:  Linux fs/proc/generic.c, fs/proc/base.c.
Deviates: the number of an inode is a function of its path, so that two runs agree.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, EIO, ENOENT, EPERM
from kernel_model.abi.fcntl import O_ACCMODE, O_RDONLY, SEEK_CUR, SEEK_SET
from kernel_model.vfs.disk import EPOCH_NS, DiskNode
from kernel_model.vfs.filesystem import Change
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Dentry, Path
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.path import shown_path
from kernel_model.vfs.permission import check_looks_into
from kernel_model.vfs.proc_text import TaskText

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.procfs import ProcFs

ROOT_INO = 1
_OPEN_TO_ALL = stat.S_IFDIR | 0o555
"""Such a directory has its task's owner, all else root's if the task is not dumpable."""
Find = Callable[["Task"], Path | OpenFile]


class ProcInode(Inode):
    """A file of /proc, made anew at every look."""

    names_change = True
    takes_names = False
    fs: ProcFs

    def __init__(self, fs: ProcFs, path: bytes, mode: int, owner: Task | None = None) -> None:
        node = DiskNode(zlib.crc32(path) | 1 << 31 if path else ROOT_INO, mode)
        node.atime_ns = node.mtime_ns = node.ctime_ns = EPOCH_NS
        if owner is not None and (mode == _OPEN_TO_ALL or owner.dumpable):
            node.uid, node.gid = owner.cred.euid, owner.cred.egid
        super().__init__(fs, node)
        self.path = path
        self.is_of_task = path[:1].isdigit()

    @property
    def size(self) -> int:
        """Nothing that anybody could count on, not even of a directory."""
        return self.node.size

    def check_change(self, what: Change) -> None:
        """Permissions of /proc/PID are fixed; so are those of /proc/sys, and whose it is."""
        sysctl = self.path == b"sys" or self.path.startswith(b"sys/")
        if (sysctl and what is not Change.TIMES) or (self.is_of_task and what is Change.MODE):
            raise EPERM(f"{what.value} of this file of /proc do not change")


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
        return TextFile(self, path, flags, self.make(self.owner or task))


class GuardedText(Text):
    """A file for those only who may look into its task."""

    owner: Task

    def special_file(self, task: Task, path: Path, flags: int) -> OpenFile | None:
        """The text as it is now. Raises EACCES."""
        check_looks_into(task, self.owner)
        return super().special_file(task, path, flags)


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

    inode: ProcInode

    def __init__(self, inode: ProcInode, path: Path, flags: int, text: bytes) -> None:
        super().__init__(inode, path, flags)
        self.text = text
        self.has_write = not inode.is_of_task

    @property
    def faults_late(self) -> bool:
        """At the end nobody looks at the buffer."""
        return self.position >= len(self.text)

    def pread(self, offset: int, count: int) -> bytes:
        """A part of the text."""
        return self.text[offset : offset + count]

    def _store(self, offset: int, data: bytes) -> int:
        raise EIO("this file of /proc is not written")

    def seek(self, offset: int, whence: int) -> int:
        """From the beginning or from where it is: nobody knows the end before it is read."""
        if whence not in (SEEK_SET, SEEK_CUR):
            raise EINVAL(f"whence {whence} in a file of /proc")
        return super().seek(offset, whence)


class Link(ProcInode):
    """A symlink to a file at hand; `find` gives the place, or the open file of a descriptor."""

    def __init__(
        self,
        fs: ProcFs,
        path: bytes,
        owner: Task,
        find: Callable[[Task], Path | OpenFile],
        rights: int = 0o777,
    ) -> None:
        super().__init__(fs, path, stat.S_IFLNK | rights, owner)
        self.owner = owner
        self.find = find

    def readlink(self, task: Task) -> bytes:
        """The path, or kind and number of what has none. Raises EACCES."""
        check_looks_into(task, self.owner)
        target = self.find(self.owner)
        place = target.path if isinstance(target, OpenFile) else target
        if place is not None:
            return shown_path(place, task.fs.root)
        assert isinstance(target, OpenFile)
        node = target.inode.node
        kind = {stat.S_IFIFO: b"pipe", stat.S_IFSOCK: b"socket"}.get(stat.S_IFMT(node.mode))
        return b"%s:[%d]" % (kind, node.ino) if kind else b"anon_inode:" + target.anon_name

    def jump(self, task: Task) -> Path | None:
        """The place itself. Raises EACCES."""
        check_looks_into(task, self.owner)
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
