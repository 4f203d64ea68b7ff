"""Names in memory (dentries), mounts, and `Path`: a place in the tree of all mounts.

A dentry is one name in one directory; a path is a dentry seen through a mount. A mount hides a
directory: `Mount.covered` remembers which, so that `..` finds the way up. All mounts of a file
system share its dentries, so that a bind mount is nothing but a second mount with another root.
Tasks see a `MountNamespace`: a tree of mounts that no other namespace has a mount of.

A mount that was taken away while somebody was in it (MNT_DETACH) is in no namespace any more, but
goes on to work for him.

Mirrors:  Linux struct dentry, struct vfsmount, struct path, struct mnt_namespace; the copying,
          moving and taking away of fs/namespace.c (copy_tree, attach_recursive_mnt, umount_tree).
Deviates: a mount's number is never used twice (Linux takes the lowest free one).
Not modelled: propagation: every mount is private.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from kernel_model.abi.errno import EBUSY, EINVAL, ENOTDIR
from kernel_model.abi.mount import MS_RDONLY
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.inode import Inode


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

    def cover(self) -> None:
        """One more mount lies here: every walk must find this very dentry."""
        self.covered_by += 1
        inner = self
        while inner.parent is not None:
            inner.parent.children.setdefault(inner.name, inner)
            inner = inner.parent

    def uncover(self) -> None:
        """One mount less; names that come and go by themselves are looked up again."""
        self.covered_by -= 1
        inner = self
        while inner.parent is not None and not inner.covered_by and not inner.children:
            if inner.parent.inode.names_change and inner.parent.children.get(inner.name) is inner:
                del inner.parent.children[inner.name]
            inner = inner.parent

    def holds(self, inner: Dentry | None) -> bool:
        """Whether `inner` is this name, or lies below it in the same file system."""
        while inner is not None:
            if inner is self:
                return True
            inner = inner.parent
        return False


def top_of(fs: FileSystem) -> Dentry:
    """The root directory of a file system, for all its mounts."""
    top = fs.top
    if top is None:
        top = fs.top = Dentry(None, b"", fs.root)
    return top


class Mount:
    """A file system, or a part of it, seen at one place."""

    __slots__ = (
        "children", "covered", "device", "expiring", "flags", "fs", "namespace", "number", "root",
    )  # fmt: skip

    def __init__(
        self, number: int, fs: FileSystem, root: Dentry, device: bytes, flags: int = 0
    ) -> None:
        self.number = number
        """As /proc/PID/mountinfo shows it."""
        self.fs = fs
        self.root = root
        self.device = device
        self.flags = flags
        """MS_*, of those in abi.mount.KEPT."""
        self.expiring = False
        """MNT_EXPIRE has marked it: if nobody touches it, the next one takes it away."""
        self.namespace: MountNamespace | None = None
        """None: it was detached."""
        self.covered: Path | None = None
        """The directory that this mount hides; None for the root mount."""
        self.children: dict[Dentry, Mount] = {}

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed through it."""
        return bool(self.flags & MS_RDONLY) or self.fs.read_only

    def walk(self) -> Iterator[Mount]:
        """This mount and all on it."""
        to_come = [self]  # not by recursion: mounts may lie on each other without end
        while to_come:
            mount = to_come.pop()
            yield mount
            to_come += reversed(mount.children.values())

    def is_above(self, other: Mount) -> bool:
        """Whether `other` is this mount or lies on it."""
        while other is not self:
            if other.covered is None:
                return False
            other = other.covered.mount
        return True


class Path(NamedTuple):
    """A file by name: what open file descriptions and the current directory refer to."""

    mount: Mount
    dentry: Dentry

    @property
    def inode(self) -> Inode:
        """The file itself."""
        return self.dentry.inode

    def topmost(self) -> Path:
        """What a walk finds here: the root of the last mount on this place."""
        mount, dentry = self
        while dentry.covered_by and (inner := mount.children.get(dentry)) is not None:
            mount, dentry = inner, inner.root
        return Path(mount, dentry)


class MountNumbers:
    """Where mounts get their numbers from; one for a kernel."""

    def __init__(self) -> None:
        self.next_number = 1

    def take(self) -> int:
        """A number that no mount had before."""
        self.next_number += 1
        return self.next_number - 1


class MountNamespace:
    """A tree of mounts."""

    def __init__(self, numbers: MountNumbers, root_mount: Mount) -> None:
        self.numbers = numbers
        self.root_mount = root_mount
        self.mounts: list[Mount] = []
        """In the order of their mounting, as /proc shows them."""
        self.holders = 0
        """What keeps it alive besides tasks."""
        self._add(root_mount)

    def adopt(self, mounts: list[Mount]) -> None:
        """For restart: all mounts, in the order of their mounting."""
        self.mounts.clear()
        for mount in mounts:
            self._add(mount)

    def _add(self, mount: Mount) -> None:
        mount.namespace = self
        self.mounts.append(mount)

    @property
    def root(self) -> Path:
        """What a walk begins with that has no other root."""
        return Path(self.root_mount, self.root_mount.root)

    def new_mount(self, fs: FileSystem, device: bytes, flags: int, root: Dentry | None) -> Mount:
        """A mount that lies nowhere yet."""
        return Mount(self.numbers.take(), fs, root or top_of(fs), device, flags)

    def mount(
        self, fs: FileSystem, place: Path, device: bytes = b"none", *, flags: int = 0
    ) -> Mount:
        """Hide the directory `place` behind a file system."""
        mount = self.new_mount(fs, device, flags, None)
        self.attach(mount, place)
        return mount

    def attach(self, tree: Mount, place: Path) -> None:
        """Lay a mount, and all that is on it, over `place`. Raises ENOTDIR."""
        if place.inode.is_dir != tree.root.inode.is_dir:
            raise ENOTDIR("a directory covers a directory, a file covers a file")
        lay_over(tree, place)
        for mount in tree.walk():
            self._add(mount)

    def move(self, mount: Mount, place: Path) -> None:
        """Lay a mount of this namespace over another place."""
        if place.inode.is_dir != mount.root.inode.is_dir:
            raise EINVAL("a directory covers a directory, a file covers a file")
        take_off(mount)
        lay_over(mount, place)

    def copy_tree(self, mount: Mount, root: Dentry, *, deep: bool) -> Mount:
        """A second mount of what is below `root`; `deep`: with the mounts on it."""
        fresh = self.new_mount(mount.fs, mount.device, mount.flags, root)
        if deep:
            for place, inner in mount.children.items():
                if root.holds(place):
                    self._copy_onto(inner, Path(fresh, place))
        return fresh

    def _copy_onto(self, mount: Mount, place: Path) -> None:
        lay_over(self.copy_tree(mount, mount.root, deep=True), place)

    def copy(self) -> tuple[MountNamespace, Callable[[Path], Path]]:
        """CLONE_NEWNS: the same mounts once more, and where a place is found among them."""
        places: dict[Mount, Mount] = {}
        fresh = MountNamespace(self.numbers, self._twin(self.root_mount, places))
        for mount in list(self.root_mount.walk())[1:]:
            assert mount.covered is not None
            twin = self._twin(mount, places)
            lay_over(twin, Path(places[mount.covered.mount], mount.covered.dentry))
            fresh._add(twin)
        return fresh, lambda path: Path(places.get(path.mount, path.mount), path.dentry)

    def _twin(self, mount: Mount, places: dict[Mount, Mount]) -> Mount:
        places[mount] = self.new_mount(mount.fs, mount.device, mount.flags, mount.root)
        return places[mount]

    def detach(self, mount: Mount) -> None:
        """Take a mount away with all that lies on it; each goes on alone for who is in it."""
        for each in list(mount.walk()):
            if each.covered is not None:
                take_off(each)
            each.namespace = None
            self.mounts.remove(each)

    def unmount(self, mount: Mount) -> None:
        """Take away a mount that nothing lies on."""
        if mount.covered is None:
            raise EINVAL("the root mount stays")
        if mount.children:
            raise EBUSY("something is mounted on this mount")
        self.detach(mount)

    def dissolve(self) -> None:
        """The last task is gone."""
        self.detach(self.root_mount)

    def __iter__(self) -> Iterator[Mount]:
        return iter(self.mounts)


def lay_over(mount: Mount, place: Path) -> None:
    """Connect a mount with the place that it hides."""
    mount.covered = place
    place.mount.children[place.dentry] = mount
    place.dentry.cover()


def take_off(mount: Mount) -> None:
    """The opposite of `lay_over`."""
    assert mount.covered is not None
    place, mount.covered = mount.covered, None
    del place.mount.children[place.dentry]
    place.dentry.uncover()
