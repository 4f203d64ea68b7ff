"""Names in memory (dentries), mounts, and `Path`: a place in the tree of all mounts.

A dentry is one name in one directory; a path is a dentry seen through a mount. A mount hides a
directory: `Mount.covered` remembers which, so that `..` finds the way up. A kernel has one
`MountNamespace` for each set of mounts that tasks may see.

Mirrors: Linux struct dentry, struct vfsmount, struct path, struct mnt_namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kernel_model.abi.errno import EBUSY, EINVAL, ENOTDIR
from kernel_model.vfs.inode import FileSystem, Inode


class Dentry:
    """One name of an inode. `parent` is None for the root of a file system."""

    __slots__ = ("children", "covered_by", "inode", "name", "parent", "unlinked")

    def __init__(self, parent: Dentry | None, name: bytes, inode: Inode) -> None:
        self.parent = parent
        self.name = name
        self.inode = inode
        self.children: dict[bytes, Dentry] = {}
        """Names that somebody has looked up already."""
        self.unlinked = False
        self.covered_by = 0
        """How many mounts lie on this name, in all namespaces."""

    def child(self, name: bytes) -> Dentry | None:
        """The dentry of a name in this directory."""
        dentry = self.children.get(name)
        if dentry is None:
            inode = self.inode.lookup(name)
            if inode is None:
                return None
            dentry = Dentry(self, name, inode)
            if not self.inode.names_change:
                self.children[name] = dentry
        return dentry

    def drop(self, name: bytes) -> None:
        """The name was unlinked."""
        dentry = self.children.pop(name, None)
        if dentry is not None:
            dentry.unlinked = True

    def move(self, name: bytes, target: Dentry, new_name: bytes) -> None:
        """The name was moved to the directory `target`, over what was there."""
        target.drop(new_name)
        dentry = self.children.pop(name)
        dentry.parent, dentry.name = target, new_name
        target.children[new_name] = dentry


class Mount:
    """A file system seen at one place."""

    __slots__ = ("children", "covered", "device", "fs", "read_only", "root")

    def __init__(self, fs: FileSystem, root: Dentry, device: bytes, read_only: bool) -> None:
        self.fs = fs
        self.root = root
        self.device = device
        self.read_only = read_only
        self.covered: Path | None = None
        """The directory that this mount hides; None for the root mount."""
        self.children: dict[Dentry, Mount] = {}

    def walk(self) -> Iterator[Mount]:
        """This mount and all on it, in the order in which they were mounted."""
        yield self
        for mount in self.children.values():
            yield from mount.walk()


class Path(NamedTuple):
    """A file by name: what open file descriptions and the current directory refer to."""

    mount: Mount
    dentry: Dentry

    @property
    def inode(self) -> Inode:
        """The file itself."""
        return self.dentry.inode


class MountNamespace:
    """A tree of mounts."""

    def __init__(self, fs: FileSystem, device: bytes = b"rootfs") -> None:
        self.root_mount = Mount(fs, Dentry(None, b"", fs.root), device, read_only=False)

    @property
    def root(self) -> Path:
        """The root directory of the root mount."""
        return Path(self.root_mount, self.root_mount.root)

    def mount(
        self, fs: FileSystem, place: Path, device: bytes = b"none", *, read_only: bool = False
    ) -> Mount:
        """Hide the directory `place` behind a file system."""
        if not place.inode.is_dir:
            raise ENOTDIR("a file system is mounted on a directory")
        mount = Mount(fs, Dentry(None, b"", fs.root), device, read_only)
        mount.covered = place
        place.mount.children[place.dentry] = mount
        place.dentry.covered_by += 1
        return mount

    def unmount(self, mount: Mount) -> None:
        """Uncover the directory that `mount` hides."""
        if mount.covered is None:
            raise EINVAL("the root mount stays")
        if mount.children:
            raise EBUSY("something is mounted on this mount")
        del mount.covered.mount.children[mount.covered.dentry]
        mount.covered.dentry.covered_by -= 1
        mount.covered = None

    def __iter__(self) -> Iterator[Mount]:
        return self.root_mount.walk()
