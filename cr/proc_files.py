"""Checkpoint and restart of open files of /proc: texts, and the namespaces of /proc/PID/ns.

Image grammar:

    file  =  FILE generic  FILE_NAME  [ FILE_PLACE ]  PROC_FILE
          |  [ OBJREF ns ]  FILE namespace  FILE_NAME  [ FILE_PLACE ]  PROC_FILE

The text of such a file was made when it was opened, of a task that a restarting kernel does not
have yet, or has no more: the image holds it. So the name is for people; it is never looked up. An
open directory below /proc/PID is found again when the tasks are there.

Mirrors:  nothing: linux-cr opened such files by their names, when the tasks were there already.
"""

from __future__ import annotations

import stat

from cr.context import Checkpoint, Restart
from cr.image import mounts as image
from cr.image import types as t
from cr.image.files import File, FileNamespace
from cr.ipc import checkpoint_ipc
from cr.mounts import name_of
from cr.namespaces import checkpoint_uts
from cr.network import checkpoint_reference
from kernel_model.abi.errno import EBADF
from kernel_model.abi.fcntl import O_ACCMODE, O_PATH
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.net.namespace import NetNamespace
from kernel_model.nsproxy import UtsNamespace
from kernel_model.vfs.mounts import Dentry, Path, top_of
from kernel_model.vfs.ns_file import Namespace, NamespaceFile
from kernel_model.vfs.openfile import DirectoryFile, OpenFile, PathFile
from kernel_model.vfs.proc_nodes import NumberFile, ProcInode, TextFile
from kernel_model.vfs.procfs import ProcFs

_CLASSES = {
    t.OBJ_UTS_NS: UtsNamespace,
    t.OBJ_IPC_NS: IpcNamespace,
    t.OBJ_NET_NS: NetNamespace,
}


def checkpoint_proc(ctx: Checkpoint, file: OpenFile) -> None:
    """Behind FILE generic: write the name, and the text."""
    _checkpoint(ctx, file, file.text if isinstance(file, TextFile) else b"")


def is_of_task(file: OpenFile) -> bool:
    """Whether a file is in /proc/PID, which is there when the task is."""
    if not isinstance(file.inode.fs, ProcFs) or file.path is None or isinstance(file, NumberFile):
        return False
    return isinstance(file, TextFile) or file.path.dentry.parent is not None


def is_place_of_task(place: Path) -> bool:
    """Whether a directory is /proc/PID or lies below."""
    names = _names(place.dentry)
    return isinstance(place.inode.fs, ProcFs) and bool(names) and names[0].isdigit()


def _names(dentry: Dentry) -> list[bytes]:
    """The way from the top of its file system."""
    names = []
    while dentry.parent is not None:
        names.append(dentry.name)
        dentry = dentry.parent
    return names[::-1]


def _checkpoint(ctx: Checkpoint, file: OpenFile, text: bytes) -> None:
    assert file.path is not None
    mount, node = file.path.mount, file.inode.node
    if stat.S_ISLNK(node.mode):
        ctx.refuse(EBADF, "a link in /proc that is open itself (O_PATH)")
    ctx.image.write_string(t.HDR_FILE_NAME, name_of(ctx, file.path))
    if ctx.pure:
        return
    path = b"/".join(_names(file.path.dentry))
    record = image.ProcFile(
        mount=mount.number,
        mode=node.mode,
        uid=node.uid,
        gid=node.gid,
        path_bytes=len(path),
        content=path + text,
    )
    ctx.image.write(t.HDR_PROC_FILE, record)


def checkpoint_namespace_file(ctx: Checkpoint, file: NamespaceFile, common: dict[str, int]) -> None:
    """Write an open namespace; the namespace first, if it is new to the image."""
    if ctx.pure:
        ctx.refuse(EBADF, "an open namespace (/proc/PID/ns), and the image is to be pure")
    namespace = file.namespace
    if isinstance(namespace, UtsNamespace):
        objtype = t.OBJ_UTS_NS
        objref = ctx.write_object(objtype, namespace, checkpoint_uts)
    elif isinstance(namespace, IpcNamespace):
        objtype = t.OBJ_IPC_NS
        objref = ctx.write_object(objtype, namespace, checkpoint_ipc)
    else:
        objtype, objref = t.OBJ_NET_NS, checkpoint_reference(ctx, namespace)
    record = FileNamespace(f_type=t.FILE_NAMESPACE, objtype=objtype, ns_objref=objref, **common)
    ctx.image.write(t.HDR_FILE, record)
    _checkpoint(ctx, file, b"")


def restore_text(ctx: Restart, record: File) -> OpenFile:
    """Open a text again, as it was; or a directory, of a task that comes at the commit."""
    place, text = _restore(ctx, record)
    only_a_place = bool(record.f_flags & O_PATH)
    if not place.inode.is_dir:
        if only_a_place:
            return PathFile(place.inode, place, record.f_flags)
        assert isinstance(place.inode, ProcInode)
        return TextFile(place.inode, place, record.f_flags, text)
    kind: type[OpenFile] = PathFile if only_a_place else DirectoryFile
    file = kind(place.inode, place, record.f_flags)
    ctx.late_directories.append(file)
    return file


def find_directories(ctx: Restart) -> None:
    """Commit: the tasks are there, and their directories too. Nothing here can fail."""
    for file in ctx.late_directories:
        assert file.path is not None
        mount = file.path.mount
        found: Dentry | None = top_of(mount.fs)
        for name in _names(file.path.dentry):
            found = found.child(name) if found is not None and found.inode.is_dir else None
        if found is not None and found.inode.is_dir:
            now, then = found.inode.node, file.inode.node
            now.uid, now.gid = then.uid, then.gid  # its owner's when it was opened
            found.inode.opens, file.inode = file.inode.opens, found.inode
            file.path = Path(mount, found)


def _restore(ctx: Restart, record: File) -> tuple[Path, bytes]:
    said = ctx.image.read(t.HDR_PROC_FILE, image.ProcFile)
    mount = ctx.mounts.by_number.get(said.mount)
    if mount is None or not isinstance(mount.fs, ProcFs):
        ctx.refuse(f"mount {said.mount} is not of proc")
    path, text = said.content[: said.path_bytes], said.content[said.path_bytes :]
    regular = stat.S_ISREG(said.mode) and not said.mode & ~0o107777
    directory = stat.S_ISDIR(said.mode) and not said.mode & ~0o47777
    if not (regular or directory):
        ctx.refuse("a file of /proc of another type")
    if directory and record.f_flags & O_ACCMODE:
        ctx.refuse("a directory of /proc that is written")
    dentry = mount.fs.past(top_of(mount.fs), path, said.mode, said.uid, said.gid)
    return Path(mount, dentry), text


def restore_namespace_file(ctx: Restart, record: FileNamespace) -> OpenFile:
    """Open a namespace again."""
    ctx.image.read_string(t.HDR_FILE_NAME, t.PATH_LIMIT)
    own = ctx.opener.nsproxy
    namespace: Namespace = own.net
    if record.ns_objref:
        cls = _CLASSES[record.objtype]
        namespace = ctx.objs.fetch(ctx, record.ns_objref, record.objtype, cls)
    elif record.objtype != t.OBJ_NET_NS:
        ctx.refuse("only the restarter's network is named by 0")
    place, _ = _restore(ctx, record)
    if place.inode.is_dir or record.f_flags & O_ACCMODE:
        ctx.refuse("a namespace that is a directory, or is written")
    return NamespaceFile(ctx.kernel, namespace, place.inode, place, record.f_flags)
