"""The part of the dump that shows what is mounted, and what is in memory file systems.

Mirrors: nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kernel_model.tty.devpts import DevPts
from kernel_model.vfs.disk import DiskNode
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.memfs import MemFs
from kernel_model.vfs.mounts import Dentry, Mount, Path
from kernel_model.vfs.procfs import ProcFs
from kernel_model.vfs.vfs import ROOT_DEV, places_in_use

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel

Tree = Callable[[DiskNode], Iterator[str]]


def dump_mounts(kernel: Kernel, tree: Tree) -> Iterator[str]:
    """All mounts and file systems, if they are not those of the boot."""
    vfs = kernel.vfs
    if vfs.is_as_booted():
        return
    yield f"mounts: next {vfs.namespace.numbers.next_number} device {vfs.next_dev}"
    for number, namespace in enumerate(vfs.namespaces, start=1):
        for mount in namespace:
            yield f"  {number}: {_mount(mount)}"
    detached = {path.mount for path in places_in_use(kernel) if path.mount.namespace is None}
    for mount in sorted(detached, key=lambda mount: mount.number):
        yield f"  -: {_mount(mount)}"
    for fs in vfs.file_systems():
        if not vfs.fs_is_as_booted(fs):
            yield from _file_system(fs, tree)


def _name(dentry: Dentry) -> bytes:
    names = []
    while dentry.parent is not None:
        names.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(names))


def _mount(mount: Mount) -> str:
    where = ""
    if mount.covered is not None:
        above: Path = mount.covered
        where = f" on {above.mount.number} at {_name(above.dentry)!r}"
    marked = " expiring" if mount.expiring else ""
    what = f"{_name(mount.root)!r} of {mount.fs.dev} {mount.device!r} flags {mount.flags:x}"
    return f"{mount.number}{where} shows {what}{marked}"


def _file_system(fs: FileSystem, tree: Tree) -> Iterator[str]:
    yield f"file system {fs.dev} {fs.type_name!r} {fs.options()!r} read only {fs.read_only}"
    if isinstance(fs, ProcFs):
        init = fs.pid_ns.init if fs.pid_ns is not None else None
        yield f"  of {init.pid if init is not None and not init.exited else 0}"
    elif isinstance(fs, DevPts):
        yield f"  {sorted(fs.slaves)}"
    elif isinstance(fs, MemFs) and fs.dev != ROOT_DEV:
        yield f"  {fs.disk.used_bytes} bytes, next {fs.disk.next_ino}"
        yield from (f"  {line}" for line in tree(fs.disk.root))
