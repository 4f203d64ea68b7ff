"""Inodes: files as the running kernel sees them, and the file systems that they belong to.

An inode is a thin object over a `DiskNode`: attributes go straight to the node. File data lives
in the node too, until somebody maps the file: then `page()` puts it into a page frame, and from
then on the frame is the truth for that page. read and write look at the frames first, so
read(2), write(2) and every mapping see the same bytes. `sync()` copies frames back to the node.

Whoever maps pages tells the inode (`add_mapping`), so that truncation can take pages away from
address spaces, and asks for pages that will be stored to with `page(n, write=True)`.

Mirrors:  Linux fs/inode.c, mm/filemap.c.
Deviates: pages enter the page cache when they are mapped, not when they are read: a file's bytes
          are in memory anyway. Access times do not move on reading, as under mount -o noatime:
          else every look at a file of the host folder would make it a changed file.
Not modelled: quota, page reclaim other than `shrink()`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from emu.memory import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE, OutOfFrames
from kernel_model.abi.errno import EFAULT, EFBIG, EIO, ENOTDIR, EPERM, ETXTBSY
from kernel_model.vfs.disk import DiskError, DiskNode
from kernel_model.vfs.notify import notice_gone

if TYPE_CHECKING:
    from kernel_model.mm.vma import Vma
    from kernel_model.net.socket import Socket
    from kernel_model.pipe import Pipe
    from kernel_model.task import Task
    from kernel_model.vfs.filesystem import Change, FileSystem
    from kernel_model.vfs.locks import FileLocks
    from kernel_model.vfs.mounts import Path
    from kernel_model.vfs.notify import Mark
    from kernel_model.vfs.openfile import OpenFile

MAX_FILE_BYTES = (1 << 63) - 1
LAST_PAGE = MAX_FILE_BYTES >> PAGE_SHIFT
DIRECTORY_BYTES = 4096
F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE = 1, 2, 4, 8


class FileMapper(Protocol):
    """An address space that maps files."""

    vmas: list[Vma]

    def unmap_file_range(self, inode: Inode, first: int, last: int, /) -> None: ...


class Inode:
    """A file of any type. Directories override the name operations."""

    names_change = False
    """A directory whose names come and go without anybody's doing (procfs): never cached."""

    takes_names = True
    """Whether a name may be made in the directory; else there is none to be made (ENOENT)."""

    removes_itself = False
    """A directory that says itself whether it can be removed, with all that it shows (cgroup)."""

    def __init__(self, fs: FileSystem, node: DiskNode) -> None:
        self.fs = fs
        self.node = node
        self.pages: dict[int, int] = {}
        self.dirty: set[int] = set()
        self.mappings: dict[FileMapper, int] = {}
        """Address spaces that map this file, and how many vmas of each (a dict keeps order)."""
        self.homes = 0
        """Whose current directory or root it is."""
        self.opens = 0
        """Open file descriptions; the data of an unlinked file lives until the last is gone."""
        self.writers = 0
        """Open file descriptions that may write; above 0 it cannot be executed."""
        self.executions = 0
        """Address spaces that execute it; above 0 it cannot be opened for writing."""
        self.locks: FileLocks | None = None
        """flocks and record locks, while there are any."""
        self.pipe: Pipe | None = None
        """The pipe behind a FIFO, once somebody has opened it."""
        self.socket: Socket | None = None
        """The socket that is bound to this name, while it lives."""
        self.marks: list[Mark] | None = None
        """Who watches it (inotify, dnotify)."""
        self.seals: int | None = None
        """F_SEAL_* of a file of memfd_create; None: it is another file."""

    # -- attributes

    @property
    def mode(self) -> int:
        """Type and permissions."""
        return self.node.mode

    @property
    def is_dir(self) -> bool:
        """Whether this is a directory."""
        return (self.node.mode & 0o170000) == stat.S_IFDIR

    @property
    def is_link(self) -> bool:
        """Whether this is a symbolic link."""
        return (self.node.mode & 0o170000) == stat.S_IFLNK

    @property
    def is_regular(self) -> bool:
        """Whether this is a regular file."""
        return (self.node.mode & 0o170000) == stat.S_IFREG

    @property
    def size(self) -> int:
        """st_size."""
        return DIRECTORY_BYTES if self.is_dir else self.node.size

    @property
    def nlink(self) -> int:
        """How many names; for a directory two and its subdirectories."""
        if self.is_dir and not self.node.listed:
            self.node.entries()
        return self.node.nlink

    def check_change(self, _what: Change) -> None:
        """Raise what its file system says of a change that anybody wants to make."""
        refused = self.fs.refuses_attributes
        if refused is not None:
            raise refused("files of this file system have no attributes to set")

    def admits(self, _task: Task) -> bool:
        """Whether a task may do with it what it wants, whatever the permissions say."""
        return False

    def touch(self, *, modified: bool = True) -> None:
        """Set ctime, and mtime if the content was modified, to now."""
        now_ns = self.fs.clock.realtime_ns()
        self.node.ctime_ns = now_ns
        if modified:
            self.node.mtime_ns = now_ns

    # -- names (directories only)

    def lookup(self, name: bytes) -> Inode | None:
        """What `name` is in this directory."""
        raise ENOTDIR(f"inode {self.node.ino} is not a directory")

    def list(self) -> Iterator[tuple[bytes, int, int]]:
        """(name, inode number, mode) of all names, sorted, without the dots."""
        raise ENOTDIR(f"inode {self.node.ino} is not a directory")

    def create(self, name: bytes, mode: int, uid: int, gid: int, rdev: int, target: bytes) -> Inode:
        """A new file of any type under a name that is free."""
        raise EPERM(f"{self.fs.type_name.decode()} makes no files")

    def link(self, name: bytes, inode: Inode) -> None:
        """One more name for a file of this file system."""
        raise EPERM(f"{self.fs.type_name.decode()} has no hard links")

    def unlink(self, name: bytes) -> None:
        """Take a name away; a directory must be empty (the caller has looked)."""
        raise EPERM(f"{self.fs.type_name.decode()} removes no files")

    def rename(self, name: bytes, target: Inode, new_name: bytes) -> None:
        """Move a name to the directory `target`; what was there loses its name."""
        raise EPERM(f"{self.fs.type_name.decode()} renames no files")

    def readlink(self, task: Task) -> bytes:
        """The text of a symbolic link."""
        return self.node.target

    def jump(self, task: Task) -> Path | None:
        """Where a symlink of procfs leads without any text; None for an ordinary one."""
        return None

    # -- opening

    def special_file(self, task: Task, path: Path, flags: int) -> OpenFile | None:
        """The open file of an inode whose content is generated (procfs); None for all others."""
        return None

    def deny_write(self) -> None:
        """The file is about to be executed. Raises ETXTBSY if somebody may write it."""
        if self.writers:
            raise ETXTBSY(f"inode {self.node.ino} is open for writing")
        self.executions += 1

    def allow_write(self) -> None:
        """One execution less."""
        self.executions -= 1

    # -- life

    def release(self, *, writer: bool) -> None:
        """One open file description less."""
        self.opens -= 1
        self.writers -= writer
        self.forget_if_unused()

    def left(self) -> None:
        """It is somebody's current directory, or root, no longer."""
        self.homes -= 1
        self.forget_if_unused()

    def forget_if_unused(self) -> None:
        """Free the page cache of a file that has neither names nor users."""
        if not self.opens and not self.homes and not self.node.nlink:
            notice_gone(self)
            for frame in self.pages.values():
                self.fs.ram.drop(frame)
            self.pages.clear()
            self.dirty.clear()
            self.fs.forget(self)

    # -- data

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes; fewer at the end of the file."""
        end = min(offset + count, self.node.size)
        if offset >= end:
            return b""
        try:
            if not self.pages:
                return self.node.read(offset, end - offset)
            return b"".join(self._read_pages(offset, end))
        except DiskError as error:
            raise EIO(str(error)) from None

    def _read_pages(self, offset: int, end: int) -> Iterator[bytes]:
        while offset < end:
            inner = offset & PAGE_MASK
            count = min(PAGE_SIZE - inner, end - offset)
            frame = self.pages.get(offset >> PAGE_SHIFT)
            if frame is None:
                yield self.node.read(offset, count)
            else:
                yield self.fs.ram.read(frame, inner, count)
            offset += count

    def write_at(self, offset: int, data: bytes | memoryview) -> int:
        """Store all of `data`; the file grows when needed."""
        end = offset + len(data)
        if end > MAX_FILE_BYTES:
            raise EFBIG("beyond the largest file offset")
        old_size = self.node.size
        if self.seals:
            self._check_seals(F_SEAL_WRITE | (F_SEAL_GROW if end > old_size else 0))
        self._reserve(offset, len(data))
        try:
            self.node.store(offset, data)
        except DiskError as error:
            raise EIO(str(error)) from None
        if self.pages:
            if end > old_size:
                self._zero_tail(old_size)
            self._write_pages(offset, data)
        now_ns = self.fs.clock.realtime_ns()
        self.node.mtime_ns = self.node.ctime_ns = now_ns
        return len(data)

    def _write_pages(self, offset: int, data: bytes | memoryview) -> None:
        done = 0
        while done < len(data):
            inner = offset & PAGE_MASK
            count = min(PAGE_SIZE - inner, len(data) - done)
            frame = self.pages.get(offset >> PAGE_SHIFT)
            if frame is not None:
                self.fs.ram.write(frame, inner, data[done : done + count])
            done += count
            offset += count

    def truncate(self, size: int) -> None:
        """Set the size; pages behind it leave the cache and every address space."""
        old_size = self.node.size
        if self.seals and size != old_size:
            self._check_seals(F_SEAL_GROW if size > old_size else F_SEAL_SHRINK)
        if size > old_size:
            self._zero_tail(old_size)
        try:
            before = self.node.stored
            self.node.resize(size)
        except DiskError as error:
            raise EIO(str(error)) from None
        if size < old_size:
            self.fs.reserve(self.node.stored - before)
        if size < old_size:
            self._drop_pages_from((size + PAGE_MASK) >> PAGE_SHIFT)
            self._zero_tail(size)
        self.touch()

    def _check_seals(self, against: int) -> None:
        assert self.seals is not None
        if self.seals & against:
            raise EPERM(f"the file has the seals {self.seals:#x}")

    def _drop_pages_from(self, first: int) -> None:
        for mapper in self.mappings:
            mapper.unmap_file_range(self, first, LAST_PAGE)
        for page_no in [n for n in self.pages if n >= first]:
            self.fs.ram.drop(self.pages.pop(page_no))
            self.dirty.discard(page_no)

    def _zero_tail(self, size: int) -> None:
        # A mapping may have stored behind the end of the file, in its last page.
        inner = size & PAGE_MASK
        frame = self.pages.get(size >> PAGE_SHIFT)
        if inner and frame is not None:
            self.fs.ram.write(frame, inner, bytes(PAGE_SIZE - inner))

    # -- mapped pages

    @property
    def page_count(self) -> int:
        """How many pages the file has; mapping a page behind them is a bus error."""
        return (self.node.size + PAGE_MASK) >> PAGE_SHIFT

    def page(self, page_no: int, *, write: bool = False) -> int:
        """The frame of a page, faulted in; it stays the cache's, a mapper grabs it for itself.

        `write`: the page will be stored to through a shared mapping. Raises EFAULT behind the end
        of the file, EIO or ENOSPC (each is SIGBUS to the fault handler), and OutOfFrames.
        """
        frame = self.pages.get(page_no)
        if frame is None:
            if not 0 <= page_no < self.page_count:
                raise EFAULT(f"page {page_no} lies behind the end of inode {self.node.ino}")
            start = page_no << PAGE_SHIFT
            try:
                data = self.node.read(start, min(PAGE_SIZE, self.node.size - start))
            except DiskError as error:
                raise EIO(str(error)) from None
            frame = self._alloc()
            self.fs.ram.write(frame, 0, data)
            self.pages[page_no] = frame
        if write and page_no not in self.dirty:
            start = page_no << PAGE_SHIFT
            count = min(PAGE_SIZE, self.node.size - start)
            self._reserve(start, count)
            # A store through the mapping must find its room taken: sync cannot fail.
            self.node.store(start, self.node.read(start, count))
            self.dirty.add(page_no)
        return frame

    def _reserve(self, offset: int, count: int) -> None:
        more_bytes = self.node.growth(offset, count)
        if more_bytes > 0:
            self.fs.reserve(more_bytes)

    def _alloc(self) -> int:
        try:
            return self.fs.ram.alloc()
        except OutOfFrames:
            if not self.fs.shrink():
                raise
            return self.fs.ram.alloc()

    def add_mapping(self, mapper: FileMapper) -> None:
        """A vma of `mapper` maps this file."""
        self.mappings[mapper] = self.mappings.get(mapper, 0) + 1

    def remove_mapping(self, mapper: FileMapper) -> None:
        """A vma of `mapper` maps this file no longer."""
        self.mappings[mapper] -= 1
        if not self.mappings[mapper]:
            del self.mappings[mapper]

    def sync(self) -> None:
        """Copy stored-to pages to the node; those that are still mapped stay dirty."""
        for page_no in sorted(self.dirty):
            frame = self.pages[page_no]
            start = page_no << PAGE_SHIFT
            count = min(PAGE_SIZE, self.node.size - start)
            self.node.store(start, self.fs.ram.read(frame, 0, count))
            if self.fs.ram.users[frame] == 1:
                self.dirty.discard(page_no)

    def shrink(self) -> int:
        """Drop the pages that nobody maps; how many frames that gave back."""
        self.sync()
        idle = [n for n, frame in self.pages.items() if self.fs.ram.users[frame] == 1]
        for page_no in idle:
            self.fs.ram.drop(self.pages.pop(page_no))
        return len(idle)
