"""Checkpoint and restart of inodes that no name leads to: those of pipes and sockets.

A guest sees them: fstat tells number, owner, rights and times, /proc/PID/fd shows the number, and
fchmod and fchown change what they change of a file. linux-cr makes them anew.

Image grammar:

    behind FILE pipe (its first end met), FILE socket    [ NAMELESS ]
    with MACHINE                                         [ NAMELESS_NUMBERS ]

Mirrors:  nothing.
Deviates: a kernel that runs already has given those numbers to others, and gives new ones.
"""

from __future__ import annotations

import stat

from cr.context import Checkpoint, Restart
from cr.image import types as t
from cr.image.nameless import Nameless, NamelessNumbers
from kernel_model.kernel import Kernel
from kernel_model.net.sockfs import SockFs
from kernel_model.pipe import PipeFs
from kernel_model.vfs.inode import Inode

_FRESH = NamelessNumbers(next_pipe=1, next_socket=1)


def checkpoint_nameless(ctx: Checkpoint, inode: Inode) -> None:
    """Write what fstat tells; a pure image has no place for it."""
    if ctx.pure:
        return
    node = inode.node
    record = Nameless(
        ino=node.ino,
        atime_ns=node.atime_ns,
        mtime_ns=node.mtime_ns,
        ctime_ns=node.ctime_ns,
        mode=node.mode,
        uid=node.uid,
        gid=node.gid,
    )
    ctx.image.write(t.HDR_NAMELESS, record)


def restore_nameless(ctx: Restart, fs: PipeFs | SockFs) -> Inode:
    """A new inode, as the image has it; without a record it is the restarter's."""
    inode = fs.new_inode(ctx.opener.cred.fsuid, ctx.opener.cred.fsgid)
    if ctx.image.peek() != t.HDR_NAMELESS:
        return inode
    record = ctx.image.read(t.HDR_NAMELESS, Nameless)
    node = inode.node
    if stat.S_IFMT(record.mode) != stat.S_IFMT(node.mode) or record.mode >> 16:
        ctx.refuse(f"a pipe or socket of mode {record.mode:#o}")
    node.mode, node.uid, node.gid = record.mode, record.uid, record.gid
    node.atime_ns, node.mtime_ns = record.atime_ns, record.mtime_ns
    node.ctime_ns = record.ctime_ns
    if ctx.alone:
        if (fs.dev, record.ino) in ctx.nameless:
            ctx.refuse(f"inode {record.ino} is there twice")
        ctx.nameless.add((fs.dev, record.ino))
        fs.next_ino = max(node.ino, record.ino + 1)
        node.ino = record.ino
    return inode


def checkpoint_nameless_numbers(ctx: Checkpoint) -> None:
    """Write which numbers come next, if any was ever given."""
    vfs = ctx.kernel.vfs
    record = NamelessNumbers(next_pipe=vfs.pipefs.next_ino, next_socket=vfs.sockfs.next_ino)
    if record != _FRESH:
        ctx.image.write(t.HDR_NAMELESS_NUMBERS, record)


def restore_nameless_numbers(ctx: Restart) -> NamelessNumbers:
    """Which numbers come next; they are not given before all inodes have come."""
    if ctx.image.peek() != t.HDR_NAMELESS_NUMBERS:
        return _FRESH
    return ctx.image.read(t.HDR_NAMELESS_NUMBERS, NamelessNumbers)


def give_numbers(kernel: Kernel, record: NamelessNumbers) -> None:
    """Commit: the kernel goes on counting where the image's had come to."""
    vfs = kernel.vfs
    vfs.pipefs.next_ino = max(vfs.pipefs.next_ino, record.next_pipe)
    vfs.sockfs.next_ino = max(vfs.sockfs.next_ino, record.next_socket)
