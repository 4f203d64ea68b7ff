"""From a path to a file: the walk, and back from a file to its path.

A `Walk` is one resolution; it counts the symlinks that it follows. It knows three ways to end:
`resolve` wants the file, `parent_of` wants the directory and the last name (to create, remove or
rename), `child` is a single step. The root directory of the task is a wall that `..` does not
pass; every directory on the way must be searchable.

Mirrors: Linux fs/namei.c (path_lookup, follow_dotdot, do_follow_link) and d_path.
Deviates: names that do not exist are not remembered (no negative dentries).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernel_model.abi.errno import ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR
from kernel_model.abi.fcntl import MAY_EXEC, NAME_MAX, PATH_MAX, SYMLINK_LIMIT
from kernel_model.vfs.mounts import Mount, Path
from kernel_model.vfs.permission import Cred, permission

if TYPE_CHECKING:
    from kernel_model.task import Task

DOTS = (b".", b"..")


class Last(NamedTuple):
    """A directory and a name in it, which may not exist."""

    parent: Path
    name: bytes
    """Empty for the root, or one of the dots: then there is no name to make or to remove."""
    directory: bool
    """A slash follows: the name must be a directory."""

    @property
    def ordinary(self) -> bool:
        """Whether this is a name that can be made or removed."""
        return bool(self.name) and self.name not in DOTS


class Walk:
    """One path resolution on behalf of a task."""

    __slots__ = ("cred", "links", "root", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.cred: Cred = task.cred
        self.root: Path = task.fs.root
        self.links = 0

    def parent_of(self, path: bytes, start: Path | None = None) -> Last:
        """The directory that holds the last name of `path`. `start`: instead of the cwd."""
        if not path:
            raise ENOENT("an empty path")
        if len(path) >= PATH_MAX:
            raise ENAMETOOLONG(f"a path of {len(path)} bytes")
        names = path.split(b"/")
        if b"" in names:
            names = [name for name in names if name]
        here = self.root if path[:1] == b"/" else (start or self.task.fs.pwd)
        if not names:
            return Last(here, b"", directory=True)
        last = names.pop()
        for name in names:
            here = self._step(here, name)
        self._may_search(here)
        return Last(here, last, path[-1:] == b"/")

    def resolve(self, path: bytes, start: Path | None = None, *, follow: bool = True) -> Path:
        """The file that `path` names; a symlink at the end is followed if `follow`."""
        return self.finish(self.parent_of(path, start), follow=follow)

    def finish(self, last: Last, *, follow: bool = True) -> Path:
        """The file that `last` names."""
        target = self.child(last.parent, last.name)
        if target is None:
            raise ENOENT(f"no such name: {last.name!r}")
        if target.dentry.inode.is_link and (follow or last.directory):
            target = self._follow(last.parent, target)
        if last.directory and not target.dentry.inode.is_dir:
            raise ENOTDIR(f"{last.name!r} is not a directory")
        return target

    def child(self, parent: Path, name: bytes) -> Path | None:
        """One step without following symlinks; None if there is no such name."""
        mount, dentry = parent
        if not dentry.inode.is_dir:
            raise ENOTDIR(f"not a directory, so no {name!r} in it")
        if name == b"..":
            return self._up(parent)
        if name == b"." or not name:
            return parent
        found = dentry.children.get(name) or dentry.child(name)
        if found is None:
            if len(name) > NAME_MAX:
                raise ENAMETOOLONG(f"a name of {len(name)} bytes")
            return None
        while found.covered_by and (inner := mount.children.get(found)) is not None:
            mount, found = inner, inner.root
            mount.expiring = False
        return Path(mount, found)

    def link_target(self, parent: Path, link: Path) -> Last | Path:
        """Where a symlink leads: a name still to be looked up, or (in procfs) a file itself."""
        self.links += 1
        if self.links > SYMLINK_LIMIT:
            raise ELOOP("too many symbolic links")
        inode = link.dentry.inode
        jump = inode.jump(self.task)
        return jump or self.parent_of(inode.readlink(self.task), parent)

    def _follow(self, parent: Path, link: Path) -> Path:
        target = self.link_target(parent, link)
        return self.finish(target) if isinstance(target, Last) else target

    def _step(self, here: Path, name: bytes) -> Path:
        """Go on into `name`, which has to lead to something that can be searched."""
        self._may_search(here)
        found = self.child(here, name)
        if found is None:
            raise ENOENT(f"no such name: {name!r}")
        if found.dentry.inode.is_link:
            return self._follow(here, found)
        return found

    def _may_search(self, here: Path) -> None:
        inode = here.dentry.inode
        mode = inode.node.mode
        if (mode & 0o170000) != 0o040000:
            raise ENOTDIR("a file in the middle of a path")
        if mode & 0o111 != 0o111 and not inode.admits(self.task):
            permission(self.cred, inode, MAY_EXEC)

    def _up(self, here: Path) -> Path:
        while True:
            if here == self.root:
                return here
            mount, dentry = here
            if dentry.parent is not None:
                here = Path(mount, dentry.parent)
                break
            if mount.covered is None:
                return here
            here = mount.covered
        return here.topmost()


def path_of(path: Path, root: Path) -> bytes:
    """The absolute path of a file as seen from `root`.

    Raises ENOENT if the name is gone, or if the file cannot be reached from `root`.
    """
    names: list[bytes] = []
    here = path
    if path.dentry.unlinked:
        raise ENOENT("it has no name any more")
    while here != root:
        mount, dentry = here
        if dentry.unlinked:
            raise ENOENT(f"the name {dentry.name!r} was removed")
        if dentry.parent is not None:
            names.append(dentry.name)
            here = Path(mount, dentry.parent)
        elif mount.covered is not None:
            here = mount.covered
        else:
            raise ENOENT("the file lies outside of this root directory")
    return b"/" + b"/".join(reversed(names))


def is_reachable(path: Path, root: Path) -> bool:
    """Whether a walk from `root` by the path that `path_of` gives comes here: nothing hides it."""
    here = path
    below: Mount | None = None
    while True:
        mount, dentry = here
        if dentry.unlinked:
            return False
        if here == root:
            return True
        if mount.children.get(dentry) not in (None, below):
            return False
        below = None
        if dentry.parent is not None:
            here = Path(mount, dentry.parent)
        elif mount.covered is not None:
            here, below = mount.covered, mount
        else:
            return False


def shown_path(path: Path, root: Path) -> bytes:
    """The path as /proc shows it: marked when the name is gone, never an error."""
    names: list[bytes] = []
    gone = False
    here = path
    while here != root:
        mount, dentry = here
        gone |= dentry.unlinked
        if dentry.parent is not None:
            names.append(dentry.name)
            here = Path(mount, dentry.parent)
        elif mount.covered is not None:
            here = mount.covered
        else:
            break
    return b"/" + b"/".join(reversed(names)) + (b" (deleted)" if gone else b"")
