"""Checkpoint and restart of mounts, mount namespaces, and of files that no name leads to.

Image grammar: see cr.image.mounts.

The image of a whole machine has all mounts of all namespaces, and what is in file systems that are
kept in memory; not if everything is as a boot mounts it. Device numbers name file systems. Where
the name of a file does not lead to it from the first root directory, FILE_PLACE says through which
mount it is seen.

At restart the restored mounts are in place at once, because files are opened through them; if the
image is refused the boot's are put back.

Mirrors:  nothing; linux-cr refuses tasks in another mount namespace than the root's (EPERM), and so
          do images that are pure or from sys_checkpoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from cr.context import Checkpoint, Restart
from cr.file_systems import checkpoint_fs, put_back, restore_fs, settings_of
from cr.image import mounts as image
from cr.image import types as t
from kernel_model.abi.errno import EBADF, EPERM
from kernel_model.abi.mount import KEPT
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.memfs import MemFs
from kernel_model.vfs.mounts import (
    Dentry,
    Mount,
    MountNamespace,
    MountNumbers,
    Path,
    lay_over,
    take_off,
    top_of,
)
from kernel_model.vfs.path import is_reachable, path_of, shown_path
from kernel_model.vfs.procfs import ProcFs
from kernel_model.vfs.vfs import FIRST_EXTRA_DEV, MountState, places_in_use

_PIECE_BYTES = 1 << 20
_MAX_NUMBER = 1 << 30
_ANYBODY = 0xFFFFFFFF


# ---- checkpoint


def checkpoint_mounts(ctx: Checkpoint) -> None:
    """With a whole machine: write all that is mounted, if that is not what a boot mounts."""
    vfs = ctx.kernel.vfs
    if ctx.caller is not None or vfs.is_as_booted():
        return
    namespaced = [mount for namespace in vfs.namespaces for mount in namespace]
    detached = {path.mount for path in places_in_use(ctx.kernel) if path.mount.namespace is None}
    # Who lies on whom: the lower one comes first.
    mounts = [mount for one in vfs.namespaces for mount in one.root_mount.walk()]
    assert len(mounts) == len(namespaced)
    mounts += sorted(detached, key=lambda mount: mount.number)
    changed = [fs for fs in vfs.file_systems() if not vfs.fs_is_as_booted(fs)]
    record = image.Mounts(
        nr_file_systems=len(changed),
        nr_mounts=len(mounts),
        nr_namespaces=len(vfs.namespaces),
        next_mount=vfs.namespace.numbers.next_number,
        next_dev=vfs.next_dev,
    )
    ctx.image.write(t.HDR_MOUNTS, record)
    for fs in changed:
        checkpoint_fs(ctx, fs)
    for mount in mounts:
        _checkpoint_mount(ctx, mount)


def _still_in_fs(ctx: Checkpoint, dentry: Dentry) -> bytes:
    above: Dentry | None = dentry
    while above is not None:
        if above.unlinked:
            ctx.refuse(EBADF, "what a bind mount shows was removed")
        above = above.parent
    return _path_in_fs(dentry)


def _checkpoint_mount(ctx: Checkpoint, mount: Mount) -> None:
    above, place = 0, b""
    if isinstance(mount.fs, ProcFs) and mount.root.parent is not None:
        ctx.refuse(EBADF, "a bind mount of what is in /proc")
    if mount.covered is not None:
        above, place = mount.covered.mount.number, _still_in_fs(ctx, mount.covered.dentry)
        if isinstance(mount.covered.mount.fs, ProcFs) and place != b"/":
            ctx.refuse(EBADF, "a mount on what is in /proc")
    root, namespace = _still_in_fs(ctx, mount.root), mount.namespace
    record = image.Mount(
        number=mount.number,
        above=above,
        namespace=ctx.kernel.vfs.namespaces.index(namespace) + 1 if namespace is not None else 0,
        dev=mount.fs.dev,
        flags=mount.flags,
        expiring=int(mount.expiring),
        order=namespace.mounts.index(mount) if namespace is not None else 0,
        device_bytes=len(mount.device),
        root_bytes=len(root),
        content=mount.device + root + place,
    )
    ctx.image.write(t.HDR_MOUNT, record)


def checkpoint_ns_mounts(ctx: Checkpoint, namespace: MountNamespace) -> None:
    """Behind an NS: write which mounts its tasks see, if not those of the first process."""
    if ctx.caller is not None or ctx.pure:
        if namespace is not ctx.mnt:
            ctx.refuse(EPERM, "a task is in another mount namespace than the root of the tree")
        return
    vfs = ctx.kernel.vfs
    if namespace is not vfs.namespace:
        record = image.NsMounts(namespace=vfs.namespaces.index(namespace) + 1)
        ctx.image.write(t.HDR_NS_MOUNTS, record)


def checkpoint_place(ctx: Checkpoint, path: Path) -> None:
    """Behind the name of a file: write where it is, if the name does not lead there."""
    if path.dentry.unlinked:
        if path.mount is ctx.root.mount or ctx.pure:
            return
    elif is_reachable(path, ctx.root):
        return
    if ctx.pure or ctx.caller is not None:
        ctx.refuse(EBADF, "a file is hidden by a mount, or lies in another mount namespace")
    record = image.FilePlace(mount=path.mount.number, path=_path_in_fs(path.dentry))
    ctx.image.write(t.HDR_FILE_PLACE, record)


def _path_in_fs(dentry: Dentry) -> bytes:
    names = []
    while dentry.parent is not None:
        names.append(dentry.name)
        dentry = dentry.parent
    return b"/" + b"/".join(reversed(names))


def name_of(ctx: Checkpoint, path: Path) -> bytes:
    """The name of a file from the container's root; of one that is elsewhere, what it shows."""
    if is_reachable(path, ctx.root):
        return path_of(path, ctx.root)
    return shown_path(path, ctx.root)


# ---- restart


class RestoredMounts:
    """What the image says is mounted: mounts by number, file systems by device number."""

    def __init__(self, file_systems: Iterable[FileSystem], mounts: Iterable[Mount]) -> None:
        self.by_dev = {fs.dev: fs for fs in file_systems}
        self.by_number = {mount.number: mount for mount in mounts}
        self.namespaces: list[MountNamespace] = []
        self.inits: list[tuple[ProcFs, int]] = []
        """proc file systems of other pid namespaces, and the first process of each."""


def restore_mounts(ctx: Restart) -> None:
    """Mount what the image says, in the place of what the boot has mounted."""
    vfs = ctx.kernel.vfs
    ctx.mounts = RestoredMounts(vfs.file_systems(), vfs.namespace)
    ctx.mounts.namespaces = list(vfs.namespaces)
    if ctx.image.peek() != t.HDR_MOUNTS:
        return
    record = ctx.image.read(t.HDR_MOUNTS, image.Mounts)
    if max(record.next_mount, record.next_dev) > _MAX_NUMBER or record.next_dev < FIRST_EXTRA_DEV:
        ctx.refuse("numbers of mounts that cannot be")
    before = vfs.mount_state()
    fresh = ctx.mounts = RestoredMounts(vfs.file_systems(), ())

    def put_all_back() -> None:
        for fs in fresh.by_dev.values():
            if fs not in before.file_systems and isinstance(fs, MemFs):
                fs.end()
        vfs.set_mount_state(before)
        for fs, was in zip(before.file_systems, settings):
            put_back(fs, was)
        ctx.kernel.nsproxy = replace(ctx.kernel.nsproxy, mnt=before.namespaces[0])

    settings = [settings_of(fs) for fs in before.file_systems]
    ctx.undo.append(put_all_back)
    ctx.at_end.append(lambda: _end(before.namespaces if ctx.committed else fresh.namespaces))
    for _ in range(record.nr_file_systems):
        restore_fs(ctx, record.next_dev)
    laid: list[Mount] = []
    try:
        orders = [_restore_mount(ctx, laid) for _ in range(record.nr_mounts)]
        _make_namespaces(ctx, record, laid, orders)
    except BaseException:
        for mount in reversed(laid):
            if mount.covered is not None:
                take_off(mount)
        raise
    fresh.namespaces[0].numbers.next_number = record.next_mount
    file_systems = [fs for _, fs in sorted(fresh.by_dev.items())]
    vfs.set_mount_state(MountState(fresh.namespaces, file_systems, record.next_dev))
    ctx.kernel.nsproxy = replace(ctx.kernel.nsproxy, mnt=vfs.namespace)
    ctx.opener.nsproxy = replace(ctx.opener.nsproxy, mnt=vfs.namespace)
    ctx.opener.fs = vfs.first_fs()


def _end(namespaces: list[MountNamespace]) -> None:
    for namespace in namespaces:
        namespace.dissolve()


def _restore_mount(ctx: Restart, laid: list[Mount]) -> tuple[int, int]:
    record = ctx.image.read(t.HDR_MOUNT, image.Mount)
    fs = ctx.mounts.by_dev.get(record.dev)
    if fs is None:
        ctx.refuse(f"there is no file system {record.dev}")
    if record.number in ctx.mounts.by_number or record.number > _MAX_NUMBER:
        ctx.refuse(f"mount {record.number} is there twice")
    if record.flags & ~KEPT:
        ctx.refuse(f"mount flags {record.flags:#x}")
    root = _found(ctx, top_of(fs), record.root)
    mount = Mount(record.number, fs, root, record.device, record.flags)
    mount.expiring = bool(record.expiring)
    if record.above:
        above = ctx.mounts.by_number.get(record.above)
        if above is None or not record.namespace:
            ctx.refuse(f"mount {record.number} lies on one that is not there before it")
        place = Path(above, _found(ctx, top_of(above.fs), record.place))
        if not above.root.holds(place.dentry) or place.dentry in above.children:
            ctx.refuse(f"mount {record.number} lies where nobody can see it")
        if place.inode.is_dir != root.inode.is_dir:
            ctx.refuse("a directory covers a directory, a file covers a file")
        lay_over(mount, place)
    laid.append(mount)
    ctx.mounts.by_number[record.number] = mount
    return record.namespace, record.order


def _found(ctx: Restart, top: Dentry, path: bytes) -> Dentry:
    """A name in a file system; nothing that is mounted on it is looked at."""
    dentry = top
    for name in path.split(b"/"):
        if not name:
            continue
        inner = dentry.child(name) if dentry.inode.is_dir and name not in (b".", b"..") else None
        if inner is None:
            ctx.refuse(f"{path!r} is not in its file system")
        dentry = inner
    return dentry


def _make_namespaces(
    ctx: Restart, record: image.Mounts, laid: list[Mount], orders: list[tuple[int, int]]
) -> None:
    numbers = MountNumbers()
    by_namespace = defaultdict(list)
    for mount, (which, order) in zip(laid, orders):
        by_namespace[which].append((order, mount))
    for which in range(1, record.nr_namespaces + 1):
        mine = sorted(by_namespace[which], key=lambda pair: pair[0])
        roots = [mount for _, mount in mine if mount.covered is None]
        if len(roots) != 1 or [order for order, _ in mine] != list(range(len(mine))):
            ctx.refuse(f"mount namespace {which} is no tree")
        if not roots[0].root.inode.is_dir:
            ctx.refuse("a root that is no directory")
        namespace = MountNamespace(numbers, roots[0])
        namespace.adopt([mount for _, mount in mine])
        if set(namespace.root_mount.walk()) != set(namespace.mounts):
            ctx.refuse(f"mount namespace {which} is no tree")
        ctx.mounts.namespaces.append(namespace)
    if any(one > record.nr_namespaces for one, _ in orders):
        ctx.refuse("a mount in a namespace that is not there")
    if max((mount.number for mount in laid), default=0) >= record.next_mount:
        ctx.refuse("the next mount gets a number that is taken")


def restore_ns_mounts(ctx: Restart) -> MountNamespace:
    """Behind an NS: the mounts that its tasks see."""
    if ctx.image.peek() != t.HDR_NS_MOUNTS:
        return ctx.opener.nsproxy.mnt
    record = ctx.image.read(t.HDR_NS_MOUNTS, image.NsMounts)
    if not 0 < record.namespace <= len(ctx.mounts.namespaces):
        ctx.refuse(f"there is no mount namespace {record.namespace}")
    return ctx.mounts.namespaces[record.namespace - 1]


def restore_place(ctx: Restart) -> image.FilePlace | None:
    """Behind the name of a file: where it is, if the name does not lead there."""
    if ctx.image.peek() != t.HDR_FILE_PLACE:
        return None
    record = ctx.image.read(t.HDR_FILE_PLACE, image.FilePlace)
    if record.mount not in ctx.mounts.by_number:
        ctx.refuse(f"there is no mount {record.mount}")
    return record


def place_at(ctx: Restart, record: image.FilePlace) -> Path:
    """The file that FILE_PLACE is about."""
    mount = ctx.mounts.by_number[record.mount]
    return Path(mount, _found(ctx, top_of(mount.fs), record.path))


def find_pid_namespaces(ctx: Restart) -> None:
    """Commit: proc file systems show the tasks of their pid namespaces. Nothing here can fail."""
    for fs, init in ctx.mounts.inits:
        task = ctx.kernel.tasks.get(init)
        if task is not None and task.pid_ns.init is task:
            fs.pid_ns = task.pid_ns
