"""The disk: the tree of files that survives when the kernel is thrown away.

A disk is a tree of `DiskNode`s: attributes, names, bytes; no page frames, no clock, no kernel.
It gives inode numbers, which are never used twice. It can lie above a folder of the host: then
nodes are made when somebody looks, and every change stays in the nodes (copy-on-write; the host
is never written). What was changed is found by comparing a node with what the folder says, so
there is no mark that somebody could forget to set.

Deviates: a file is stored whole, so a hole takes memory, and growing beyond `capacity_bytes` is
          ENOSPC. Files below have owner 0:0, one fixed time, and numbers derived from their path.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

from kernel_model.vfs.content import Content
from kernel_model.vfs.hostdir import HostError, HostFolder

EPOCH_NS = 1_262_304_000 * 1_000_000_000
"""2010-01-01: the time of all that has no time of its own."""
ROOT_INO = 2
HOST_INO = 0x8000_0000
"""Numbers of files of the host folder begin here; they fit in the 32 bits of the old stat()."""
CAPACITY_BYTES = 1 << 30


class DiskError(Exception):
    """This tar or this host folder cannot be a disk (or is none any more), with a sentence."""


class Lower:
    """Where a node comes from: the file at `path` of the host folder, and what it was like."""

    __slots__ = ("disk", "mode", "names", "path", "size")

    def __init__(self, disk: Disk, path: bytes, mode: int, size: int) -> None:
        self.disk = disk
        self.path = path
        self.mode = mode
        self.size = size
        self.names: dict[bytes, DiskNode] | None = None
        """What the folder held when it was first listed."""


class DiskNode:
    """A file as it lies on the disk. Plain data: no rule of the kernel is enforced here."""

    __slots__ = (
        "_content",
        "_entries",
        "atime_ns",
        "ctime_ns",
        "gid",
        "ino",
        "lower",
        "mode",
        "mtime_ns",
        "nlink",
        "rdev",
        "size",
        "target",
        "uid",
    )

    def __init__(self, ino: int, mode: int, lower: Lower | None = None) -> None:
        self.ino = ino
        self.mode = mode
        self.uid = 0
        self.gid = 0
        self.atime_ns = self.mtime_ns = self.ctime_ns = EPOCH_NS
        self.nlink = 2 if stat.S_ISDIR(mode) else 1
        self.rdev = 0
        self.target = b""
        self.size = lower.size if lower else 0
        self.lower = lower
        self._content: Content | None = None if lower else Content()
        self._entries: dict[bytes, DiskNode] | None = None if lower else {}

    def entries(self) -> dict[bytes, DiskNode]:
        """The names in this directory (a live dict). Raises DiskError if the host refuses."""
        if self._entries is None:
            assert self.lower is not None
            self.lower.names = self.lower.disk.list_lower(self.lower.path)
            self._entries = dict(self.lower.names)
            self.nlink += sum(stat.S_ISDIR(node.mode) for node in self._entries.values())
        return self._entries

    @property
    def content_changed(self) -> bool:
        """Whether the bytes were loaded to be changed, so that they may differ from the host's."""
        return self._content is not None

    @property
    def listed(self) -> bool:
        """Whether the names are known already."""
        return self._entries is not None

    @property
    def stored(self) -> int:
        """How many bytes are kept; the rest of the file is holes."""
        if self._content is not None:
            return self._content.stored
        return self.lower.size if self.lower else 0

    def growth(self, offset: int, count: int) -> int:
        """How many bytes more would be kept after a store."""
        if self._content is None:
            return max(0, offset + count - self.stored)
        return self._content.growth(offset, count)

    def extents(self) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of what is kept, ascending."""
        return self._own_content().extents()

    def digest(self) -> str:
        """16 hexadecimal digits that tell the bytes, without the zeros behind them."""
        return self._own_content().digest()

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`; what was never written is zero."""
        if self._content is not None:
            return self._content.read(offset, count)
        return self._lower_bytes()[offset : offset + count].ljust(count, b"\0")

    def store(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Put bytes at `offset`; the size grows when needed."""
        self._own_content().store(offset, data)
        self.size = max(self.size, offset + len(data))

    def resize(self, size: int) -> None:
        """Cut the file, or let it grow by zeros that take no room."""
        if size < self.size:
            self._own_content().cut(size)
        self.size = size

    def _own_content(self) -> Content:
        if self._content is None:
            self._content = Content(self._lower_bytes()[: self.size])
        return self._content

    def _lower_bytes(self) -> bytes:
        assert self.lower is not None
        return self.lower.disk.lower_bytes(self.lower.path, self.lower.size)


class Disk:
    """A tree of files with its own inode numbers, on its own or above a folder of the host."""

    def __init__(self, folder: HostFolder | None = None) -> None:
        self.folder = folder
        self.capacity_bytes = CAPACITY_BYTES
        self.used_bytes = 0
        self.next_ino = ROOT_INO + 1
        self._host_inos: dict[int, bytes] = {}
        self._host_bytes: dict[bytes, bytes] = {}
        if folder is None:
            self.root = DiskNode(ROOT_INO, stat.S_IFDIR | 0o755)
        else:
            mode = folder.mode()
            self.root = DiskNode(ROOT_INO, mode, Lower(self, b"", mode, 0))

    @staticmethod
    def empty() -> Disk:
        """A disk with nothing but a root directory."""
        return Disk()

    @staticmethod
    def from_dir(path: str | os.PathLike[str]) -> Disk:
        """A disk above a folder of the host. Raises DiskError if there is no such folder."""
        try:
            return Disk(HostFolder(path))
        except OSError as error:
            raise DiskError(f"{os.fspath(path)}: {error.strerror}") from None

    def new_node(self, mode: int) -> DiskNode:
        """A node with a number that was never used before; it has no name yet."""
        node = DiskNode(self.next_ino, mode)
        self.next_ino += 1
        return node

    def numbered_node(self, ino: int, mode: int) -> DiskNode:
        """A node with a number that it had before (an unlinked file of an image)."""
        if ino < HOST_INO:
            self.next_ino = max(self.next_ino, ino + 1)
        return DiskNode(ino, mode)

    def list_lower(self, path: bytes) -> dict[bytes, DiskNode]:
        """Fresh nodes for what the host has in one folder."""
        assert self.folder is not None
        try:
            listed = self.folder.list(path)
        except HostError as error:
            raise DiskError(str(error)) from None
        nodes = {}
        for entry in listed:
            inner = path + b"/" + entry.name if path else entry.name
            lower = Lower(self, inner, entry.mode, entry.size)
            node = nodes[entry.name] = DiskNode(self._host_ino(inner), entry.mode, lower)
            node.target = entry.target
        return nodes

    def lower_bytes(self, path: bytes, size: int) -> bytes:
        """The bytes of a file of the host folder, read once; no more than `size` of them."""
        data = self._host_bytes.get(path)
        if data is None:
            assert self.folder is not None
            try:
                data = self._host_bytes[path] = self.folder.content(path)[:size]
            except HostError as error:
                raise DiskError(str(error)) from None
        return data

    def _host_ino(self, path: bytes) -> int:
        salt = 0
        while True:
            digest = hashlib.blake2b(path, digest_size=4, salt=salt.to_bytes(4, "big")).digest()
            ino = HOST_INO | int.from_bytes(digest, "big")
            if self._host_inos.setdefault(ino, path) == path:
                return ino
            salt += 1
