"""A disk as a tar archive, and back: byte for byte the same archive again.

Members are in the order of a sorted walk. What tar has no field for is in PAX records:

    LINUXCR.ino, nlink, mtime ...   the inode number, times in nanoseconds (atime, mtime, ctime)
    LINUXCR.type                    "socket", for what tar has no type for
    LINUXCR.lower                   the path in the host folder that a member was made from
    LINUXCR.keep                    the content is that of the host folder
    LINUXCR.whiteout                the name is in the host folder and was removed
    LINUXCR.next_ino                (global) the number of the next file

Of a disk above a host folder only the changes are written: members that differ from what the
folder says, and whiteouts. A directory that moved is one member that says where it came from;
below it again only differences are written.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import BinaryIO

from kernel_model.abi.fcntl import NAME_MAX, device_of, makedev
from kernel_model.vfs import tar
from kernel_model.vfs.disk import EPOCH_NS, HOST_INO, ROOT_INO, Disk, DiskError, DiskNode
from kernel_model.vfs.inode import MAX_FILE_BYTES
from kernel_model.vfs.tar import Member, TarError

PREFIX = "LINUXCR."
_TYPES = {
    stat.S_IFREG: tar.REGULAR,
    stat.S_IFLNK: tar.SYMLINK,
    stat.S_IFCHR: tar.CHARACTER,
    stat.S_IFBLK: tar.BLOCK_DEVICE,
    stat.S_IFDIR: tar.DIRECTORY,
    stat.S_IFIFO: tar.FIFO,
    stat.S_IFSOCK: tar.REGULAR,
}
_MODES = {kind: mode for mode, kind in _TYPES.items() if mode != stat.S_IFSOCK}


def write_tar(disk: Disk, file: BinaryIO) -> None:
    """Write all of a disk, or its changes if it lies above a host folder."""
    for piece in tar.pack(_members(disk)):
        file.write(piece)


def _members(disk: Disk) -> Iterator[Member]:
    yield Member(b"", tar.GLOBAL, pax={PREFIX + "next_ino": b"%d" % disk.next_ino})
    seen: dict[int, bytes] = {}
    # A stack of our own: a guest can make directories deeper than Python may recurse.
    stack: list[tuple[bytes, DiskNode | None, bytes | None]] = [(b".", disk.root, b"")]
    while stack:
        path, node, expected = stack.pop()
        if node is None:
            yield Member(path, pax={PREFIX + "whiteout": b"1"})
            continue
        first = seen.setdefault(node.ino, path)
        if first != path:
            yield Member(path, tar.HARD_LINK, link=first)
            continue
        in_place = node.lower is not None and node.lower.path == expected
        if not in_place or _changed(node):
            yield _member(node, path)
        if stat.S_ISDIR(node.mode) and node.listed:
            stack.extend(reversed(list(_children(node, path))))


def _children(node: DiskNode, path: bytes) -> Iterator[tuple[bytes, DiskNode | None, bytes | None]]:
    """(path, node or None if it was removed, path in the host folder that belongs there)."""
    names = node.entries()
    below = node.lower.names or {} if node.lower else {}
    prefix = b"" if path == b"." else path + b"/"
    for name in sorted(names.keys() | below.keys()):
        origin = below.get(name)
        expected = origin.lower.path if origin is not None and origin.lower else None
        yield prefix + name, names.get(name), expected


def _changed(node: DiskNode) -> bool:
    assert node.lower is not None
    if node.mode != node.lower.mode or node.size != node.lower.size or node.uid or node.gid:
        return True
    if any(time != EPOCH_NS for time in (node.atime_ns, node.mtime_ns, node.ctime_ns)):
        return True
    if stat.S_ISDIR(node.mode):
        return False
    return node.nlink != 1 or node.content_changed


def _member(node: DiskNode, path: bytes) -> Member:
    kind = stat.S_IFMT(node.mode)
    pax = {
        PREFIX + "ino": b"%d" % node.ino,
        PREFIX + "size": b"%d" % node.size,
        "atime": tar.time_text(node.atime_ns),
        "ctime": tar.time_text(node.ctime_ns),
        "mtime": tar.time_text(node.mtime_ns),
    }
    if kind == stat.S_IFSOCK:
        pax[PREFIX + "type"] = b"socket"
    if node.lower is not None:
        pax[PREFIX + "lower"] = node.lower.path
    content = b""
    if node.lower is not None and not node.content_changed:
        pax[PREFIX + "keep"] = b"1"
    elif kind == stat.S_IFREG:
        extents = list(node.extents())
        content = b"".join(data for _, data in extents)
        if [offset for offset, _ in extents] not in ([], [0]):
            pairs = (b"%d:%d" % (offset, len(data)) for offset, data in extents)
            pax[PREFIX + "extents"] = b",".join(pairs)
    return Member(
        path,
        _TYPES[kind],
        node.mode & 0o7777,
        node.uid,
        node.gid,
        node.mtime_ns // 1_000_000_000,
        node.target,
        device_of(node.rdev),
        content,
        pax,
    )


def read_tar(data: bytes, below: Disk | None = None) -> Disk:
    """The disk of an archive; `below` is the fresh disk of the host folder that it lies above.

    Archives of other programs are read too. Raises DiskError, having changed nothing of `below`
    that anybody could see, since `below` must not be used for anything else.
    """
    disk = below or Disk.empty()
    reader = _Reader(disk)
    try:
        for member in tar.unpack(data):
            reader.take(member)
        reader.finish()
    except TarError as error:
        raise DiskError(f"this tar cannot be a disk: {error}") from None
    return disk


class _Reader:
    """Puts members into a disk, one after the other."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.inos: dict[int, bytes] = {}
        self.origins: dict[bytes, DiskNode] = {}
        """Nodes of the host folder by their path there, found before anything moves."""
        self.next_ino = 0

    def take(self, member: Member) -> None:
        """One member."""
        if member.kind == tar.GLOBAL:
            number = member.pax.get(PREFIX + "next_ino")
            if number is not None:
                self.next_ino = tar.decimal(number)
            if not 0 <= self.next_ino < HOST_INO:
                raise TarError(f"the next inode number cannot be {self.next_ino}")
            return
        names = self._names(member.name)
        if not names:
            self._attributes(self.disk.root, member)
            return
        parent = self._folder(names[:-1], member.name)
        entries = parent.entries()
        if PREFIX + "whiteout" in member.pax:
            self._remove(parent, names[-1])
            return
        if member.kind == tar.HARD_LINK:
            node = self._find(self._names(member.link), member.name)
            if stat.S_ISDIR(node.mode):
                raise TarError(f"{member.name!r} is a hard link to a directory")
            self._remove(parent, names[-1])
            entries[names[-1]] = node
            node.nlink += 1
            return
        self._place(parent, names[-1], member)

    def finish(self) -> None:
        """All members are there: the numbers go on behind the largest."""
        limit = max((ino for ino in self.inos if ino < HOST_INO), default=0) + 1
        self.disk.next_ino = max(self.disk.next_ino, self.next_ino, limit)

    @staticmethod
    def _names(path: bytes) -> list[bytes]:
        names = [name for name in path.split(b"/") if name not in (b"", b".")]
        if any(name == b".." or len(name) > NAME_MAX or b"\0" in name for name in names):
            raise TarError(f"{path[:80]!r} is no path inside of the disk")
        return names

    def _find(self, names: list[bytes], path: bytes) -> DiskNode:
        node = self.disk.root
        for name in names:
            inner = node.entries().get(name) if stat.S_ISDIR(node.mode) else None
            if inner is None:
                raise TarError(f"{path[:80]!r} needs {name!r}, which is not there")
            node = inner
        return node

    def _folder(self, names: list[bytes], path: bytes) -> DiskNode:
        """The directory of a member; other programs leave out directories that we make."""
        node = self.disk.root
        for name in names:
            inner = node.entries().get(name)
            if inner is None:
                inner = node.entries()[name] = DiskNode(0, stat.S_IFDIR | 0o755)
                self._give_number(inner, path)
                node.nlink += 1
            if not stat.S_ISDIR(inner.mode):
                raise TarError(f"{path[:80]!r} lies in {name!r}, which is no directory")
            node = inner
        return node

    def _remove(self, parent: DiskNode, name: bytes) -> None:
        node = parent.entries().pop(name, None)
        if node is not None:
            node.nlink -= 1
            parent.nlink -= stat.S_ISDIR(node.mode)

    def _place(self, parent: DiskNode, name: bytes, member: Member) -> None:
        mode = _MODES[member.kind] | (member.mode & 0o7777)
        if member.pax.get(PREFIX + "type") == b"socket":
            mode = stat.S_IFSOCK | (member.mode & 0o7777)
        origin = member.pax.get(PREFIX + "lower")
        here = parent.entries().get(name)
        if origin is not None:
            node = self._lower(origin, mode)
        elif here is not None and stat.S_ISDIR(here.mode) and stat.S_ISDIR(mode):
            node = here
        else:
            node = DiskNode(0, mode)
        if node is not here:
            self._remove(parent, name)
            parent.entries()[name] = node
            parent.nlink += stat.S_ISDIR(mode)
        node.mode = mode
        self._attributes(node, member)

    def _lower(self, path: bytes, mode: int) -> DiskNode:
        node = self.origins.get(path)
        if node is None:
            if self.disk.folder is None:
                raise TarError(f"{path[:80]!r} of a host folder is needed, but there is none")
            names = self._names(path)
            found = self.disk.list_lower(b"/".join(names[:-1])).get(names[-1]) if names else None
            if found is None:
                raise TarError(f"{path[:80]!r} is no longer in the host folder")
            node = self.origins[path] = found
        if stat.S_IFMT(node.mode) != stat.S_IFMT(mode):
            raise TarError(f"{path[:80]!r} of the host folder has another type")
        return node

    def _attributes(self, node: DiskNode, member: Member) -> None:
        pax = member.pax
        self._number(node, member)
        node.mode = stat.S_IFMT(node.mode) | (member.mode & 0o7777)
        node.uid, node.gid = member.uid, member.gid
        mtime = pax.get("mtime", b"%d" % member.mtime_s)
        node.mtime_ns = tar.time_ns(mtime)
        node.atime_ns = tar.time_ns(pax.get("atime", mtime))
        node.ctime_ns = tar.time_ns(pax.get("ctime", mtime))
        if member.kind == tar.SYMLINK:
            node.target = member.link
        if member.kind in (tar.CHARACTER, tar.BLOCK_DEVICE):
            node.rdev = makedev(*member.device)
        if stat.S_ISDIR(node.mode):
            return
        if PREFIX + "keep" not in pax:
            node.resize(0)
            _store_extents(node, member)
            self.disk.used_bytes += len(member.content)
        default = len(member.link) if member.kind == tar.SYMLINK else len(member.content)
        size = tar.decimal(pax.get(PREFIX + "size", b"%d" % default))
        if not node.size <= size <= MAX_FILE_BYTES:
            raise TarError(f"{member.name[:80]!r} says that it has {size} bytes")
        node.size = size

    def _number(self, node: DiskNode, member: Member) -> None:
        text = member.pax.get(PREFIX + "ino")
        if text is None:
            if not node.ino:
                self._give_number(node, member.name)
            return
        ino = tar.decimal(text)
        low, high = (HOST_INO, 1 << 32) if node.lower else (1, HOST_INO)
        if node is self.disk.root:
            low, high = ROOT_INO, ROOT_INO + 1
        if not low <= ino < high or self.inos.get(ino, member.name) != member.name:
            raise TarError(f"{member.name[:80]!r} has the inode number {ino} of another file")
        self.inos[ino] = member.name
        node.ino = ino

    def _give_number(self, node: DiskNode, path: bytes) -> None:
        ino = max(self.disk.next_ino, self.next_ino)
        while ino in self.inos:
            ino += 1
        self.disk.next_ino = ino + 1
        self.inos[ino] = path
        node.ino = ino


def _store_extents(node: DiskNode, member: Member) -> None:
    text = member.pax.get(PREFIX + "extents")
    if text is None:
        node.store(0, member.content)
        return
    done = 0
    for pair in text.split(b","):
        offset, colon, count = pair.partition(b":")
        start, length = tar.decimal(offset), tar.decimal(count)
        if not colon or start + length > MAX_FILE_BYTES or done + length > len(member.content):
            raise TarError(f"{member.name[:80]!r} has data where there is no file")
        node.store(start, member.content[done : done + length])
        done += length
