"""Checkpoint and restart of files that no name leads to any more.

A file without a name is held by those who have it open; a directory also by those whose working
directory or root it is, or who are in one below it that was removed before. Its attributes and
bytes follow its last name in records of ours, the bytes once for each inode. The last name says
where the way up leads; where that is gone too, the directory above follows in the same manner.

Image grammar:

    unlinked  =  UNLINKED  { UNLINKED_DATA }  [ FILE_SEALS ]  [ above ]
    above     =  UNLINKED  [ above ]                     ; once for each directory

Mirrors:  nothing: the original refused unlinked files (EBADF); so do we in pure images.
Deviates: a file that is no directory forgets in which directory it was, if that is gone too.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import partial

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from cr.image.mounts import FilePlace
from cr.image.watches import FileSeals
from kernel_model.abi.errno import EBADF, ENOENT
from kernel_model.vfs.disk import DiskNode
from kernel_model.vfs.inode import MAX_FILE_BYTES, Inode
from kernel_model.vfs.mounts import Dentry, Mount, Path, top_of

_EXTENT_BYTES = 1 << 20
_KINDS = frozenset({stat.S_IFREG, stat.S_IFDIR, stat.S_IFIFO})
"""What can go on without a name; directories are empty then."""
_MARK = b" (deleted)"


def is_removed(path: Path) -> bool:
    """Whether the name is gone, or a directory above it is."""
    dentry: Dentry | None = path.dentry
    while dentry is not None and not dentry.unlinked:
        dentry = dentry.parent
    return dentry is not None


def checkpoint_unlinked(ctx: Checkpoint, path: Path) -> None:
    """Behind its last name: write what is left of a file."""
    if ctx.pure:
        ctx.refuse(EBADF, "a file or directory in use was unlinked, and the image is to be pure")
    if stat.S_IFMT(path.inode.node.mode) not in _KINDS:
        ctx.refuse(EBADF, "an open device was unlinked")
    first = _checkpoint_inode(ctx, path.inode)
    above = path.dentry.parent
    while path.inode.is_dir and first and above is not None and above.unlinked:
        first = _checkpoint_inode(ctx, above.inode)
        above = above.parent


def _checkpoint_inode(ctx: Checkpoint, inode: Inode) -> bool:
    """Whether it is new to the image."""
    node = inode.node
    objref, first = ctx.objs.intern(inode)
    size = node.size
    inode.sync()
    extents = list(_extents(node)) if first and stat.S_ISREG(node.mode) else []
    record = ours.Unlinked(
        objref=objref,
        mode=node.mode,
        uid=node.uid,
        gid=node.gid,
        rdev=node.rdev,
        size=size,
        atime_ns=node.atime_ns,
        mtime_ns=node.mtime_ns,
        ctime_ns=node.ctime_ns,
        ino=node.ino,
        nr_extents=len(extents),
    )
    ctx.image.write(t.HDR_UNLINKED, record)
    for offset, content in extents:
        ctx.image.write(t.HDR_UNLINKED_DATA, ours.UnlinkedData(offset=offset, content=content))
    if first and inode.seals is not None:
        ctx.image.write(t.HDR_FILE_SEALS, FileSeals(seals=inode.seals))
    return first


def _extents(node: DiskNode) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of what a file keeps, in records of sensible size."""
    for offset, data in node.extents():
        for start in range(0, len(data), _EXTENT_BYTES):
            yield offset + start, data[start : start + _EXTENT_BYTES]


def restore_unlinked(ctx: Restart, name: bytes, elsewhere: FilePlace | None) -> Path:
    """Behind its last name: make a file again, or find the one that was made already."""
    chain = [_read_unlinked(ctx)]
    size, content, seals = chain[0].size, [], None
    for _ in range(chain[0].nr_extents):
        content.append(ctx.image.read(t.HDR_UNLINKED_DATA, ours.UnlinkedData))
        if content[-1].offset + len(content[-1].content) > size:
            ctx.refuse("data behind the end of an unlinked file")
    if ctx.image.peek() == t.HDR_FILE_SEALS:
        seals = ctx.image.read(t.HDR_FILE_SEALS, FileSeals).seals
    while ctx.image.peek() == t.HDR_UNLINKED:
        chain.append(_read_unlinked(ctx))
        if not all(stat.S_ISDIR(each.mode) for each in chain):
            ctx.refuse("only a directory is followed by the directory above it")
    if not ctx.objs.known(chain[0].objref):
        _make(ctx, chain, name.removesuffix(_MARK), elsewhere)
    place = ctx.objs.fetch(ctx, chain[0].objref, t.OBJ_INODE, Path)
    for extent in content:
        ctx.attempt(partial(_store, place.inode, extent))
    if seals is not None:
        place.inode.seals = seals
    node = place.inode.node
    node.mtime_ns, node.ctime_ns = chain[0].mtime_ns, chain[0].ctime_ns
    # The same file may be seen through the mounts of several namespaces.
    mount = _mount_of(ctx, elsewhere)
    if mount.fs is not place.mount.fs:
        ctx.refuse("an unlinked file is in two file systems")
    return Path(mount, place.dentry)


def _mount_of(ctx: Restart, elsewhere: FilePlace | None) -> Mount:
    return ctx.mounts.by_number[elsewhere.mount] if elsewhere else ctx.opener.fs.root.mount


def _read_unlinked(ctx: Restart) -> ours.Unlinked:
    unlinked = ctx.image.read(t.HDR_UNLINKED, ours.Unlinked)
    if stat.S_IFMT(unlinked.mode) not in _KINDS or unlinked.size > MAX_FILE_BYTES:
        ctx.refuse("only a file of sensible size, a directory or a FIFO can be without a name")
    if not stat.S_ISREG(unlinked.mode) and (unlinked.size or unlinked.nr_extents):
        ctx.refuse("a directory or a FIFO without a name holds no data")
    return unlinked


def _make(
    ctx: Restart, chain: list[ours.Unlinked], name: bytes, elsewhere: FilePlace | None
) -> None:
    """Make a file and the directories above it, as far as they are not there."""
    mount, start, path = _mount_of(ctx, elsewhere), ctx.opener.fs.root.dentry, name
    if elsewhere is not None:
        start, path = top_of(mount.fs), elsewhere.path
    names = [each for each in path.split(b"/") if each]
    if len(names) < len(chain):
        ctx.refuse(f"{path!r} does not name as many directories as were removed")
    above = _living(start, names[: -len(chain)])
    if above is None:
        if stat.S_ISDIR(chain[0].mode):
            ctx.refuse(f"the directory above {path!r} is not there", errno=ENOENT.errno)
        above, names = mount.root, [path.lstrip(b"/")]
    for unlinked, last in zip(reversed(chain), names[-len(chain) :]):
        if not ctx.objs.known(unlinked.objref):
            ctx.attempt(partial(_make_one, ctx, unlinked, mount, above, last))
        above = ctx.objs.fetch(ctx, unlinked.objref, t.OBJ_INODE, Path).dentry


def _living(dentry: Dentry, names: list[bytes]) -> Dentry | None:
    """A directory by its names; nothing that is mounted on the way is looked at."""
    inner: Dentry | None = dentry
    for name in names:
        if inner is None or not inner.inode.is_dir or name in (b".", b".."):
            return None
        inner = inner.child(name)
    return inner if inner is not None and inner.inode.is_dir else None


def _make_one(
    ctx: Restart, unlinked: ours.Unlinked, mount: Mount, above: Dentry, name: bytes
) -> None:
    place = ctx.kernel.vfs.nameless(unlinked.mode, unlinked.ino, name, mount, above)
    node = place.inode.node
    node.uid, node.gid = unlinked.uid, unlinked.gid
    node.atime_ns, node.mtime_ns = unlinked.atime_ns, unlinked.mtime_ns
    node.ctime_ns = unlinked.ctime_ns
    if stat.S_ISREG(unlinked.mode):
        node.resize(unlinked.size)
    ctx.objs.insert(ctx, unlinked.objref, t.OBJ_INODE, place, place.inode.forget_if_unused)


def _store(inode: Inode, extent: ours.UnlinkedData) -> None:
    inode.fs.reserve(inode.node.growth(extent.offset, len(extent.content)))
    inode.node.store(extent.offset, extent.content)
