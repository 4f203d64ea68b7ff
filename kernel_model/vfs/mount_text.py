"""/proc/PID/mounts, mountinfo and mountstats: the mounts of a task's namespace.

Mirrors: Linux fs/namespace.c (show_vfsmnt, show_mountinfo, show_vfsstat): a mount that cannot be
         reached from the task's root directory is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel_model.abi.errno import ENOENT
from kernel_model.abi.mount import OPTION_NAMES
from kernel_model.vfs.mounts import Dentry, Mount, Path
from kernel_model.vfs.path import path_of

if TYPE_CHECKING:
    from kernel_model.task import Task


def _seen(task: Task) -> Iterator[tuple[Mount, bytes]]:
    """The mounts below the task's root directory, with their places as it sees them."""
    for mount in task.nsproxy.mnt:
        try:
            place = path_of(Path(mount, mount.root), task.fs.root)
        except ENOENT:
            continue
        yield mount, place


def _escaped(text: bytes) -> bytes:
    for byte in (b"\\", b" ", b"\t", b"\n"):
        text = text.replace(byte, b"\\%03o" % byte[0])
    return text


def _access(read_only: bool) -> bytes:
    return b"ro" if read_only else b"rw"


def _kept(mount: Mount) -> bytes:
    return b"".join(b"," + name for bit, name in OPTION_NAMES if mount.flags & bit)


def mounts(task: Task) -> bytes:
    """As /etc/mtab."""
    return b"".join(
        b"%s %s %s %s%s%s 0 0\n"
        % (
            _escaped(mount.device),
            _escaped(place),
            mount.fs.type_name,
            _access(mount.read_only),
            _kept(mount),
            mount.fs.options(),
        )
        for mount, place in _seen(task)
    )


def _root_in_fs(dentry: Dentry) -> bytes:
    names = []
    while dentry.parent is not None:
        names.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(names))


def mountinfo(task: Task) -> bytes:
    """The same with numbers, and with what part of a file system is seen."""
    lines = []
    for mount, place in _seen(task):
        above = mount.covered.mount.number if mount.covered is not None else mount.number
        dev = mount.fs.dev
        numbers = b"%d %d %d:%d" % (mount.number, above, dev >> 8, dev & 0xFF)
        where = b"%s %s" % (_escaped(_root_in_fs(mount.root)), _escaped(place))
        options = _access(bool(mount.flags & 1)) + _kept(mount)
        kind = b"%s %s" % (mount.fs.type_name, _escaped(mount.device))
        of_fs = _access(mount.fs.read_only) + mount.fs.options()
        lines.append(b"%s %s %s - %s %s\n" % (numbers, where, options, kind, of_fs))
    return b"".join(lines)


def mountstats(task: Task) -> bytes:
    """One sentence for each; no file system here has statistics."""
    return b"".join(
        b"device %s mounted on %s with fstype %s\n"
        % (_escaped(mount.device), _escaped(place), mount.fs.type_name)
        for mount, place in _seen(task)
    )
