"""The part of the dump that shows files: open ones of every kind, and what is on a disk.

Mirrors: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from kernel_model.dnotify import DirectoryMark
from kernel_model.epoll import EpollFile
from kernel_model.eventfd import EventFile
from kernel_model.inotify import InotifyFile
from kernel_model.net.dump import Names, dump_socket
from kernel_model.net.sockfs import SocketFile
from kernel_model.pidfd import PidFile
from kernel_model.signalfd import SignalFile
from kernel_model.timerfd import TimerFile
from kernel_model.tty.file import TtyFile
from kernel_model.tty.terminal import Tty
from kernel_model.vfs.disk import DiskNode
from kernel_model.vfs.mounts import Dentry, Path
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.path import shown_path
from kernel_model.vfs.proc_nodes import TextFile


def show_file(file: OpenFile, names: Names) -> Iterator[str]:
    """An open file, in full where it is first met."""
    name, first = names.of("file", file)
    yield f"    {name}"
    if not first:
        return
    shown = b"-"
    if file.path is not None:
        shown = b"(unlinked)" if file.path.dentry.unlinked else _path(file)
    if file.path is not None:
        yield f"      through mount {file.path.mount.number}"
    yield (
        f"      {type(file).__name__} {shown!r} flags {file.flags:o} at {file.position}"
        f" {file.owner} signal {file.async_signo} descriptor {file.async_fd}"
    )
    if file.path is None and names.whole:
        yield f"      {show_node(file.inode.node)}"
    yield from _asked_for(file)
    yield from _kind(file, names)
    yield from _behind(file, names)


def show_node(node: DiskNode) -> str:
    """What fstat tells of a file without a name."""
    times = f"{node.atime_ns} {node.mtime_ns} {node.ctime_ns}"
    return f"ino {node.ino} mode {node.mode:o} owner {node.uid} {node.gid} times {times}"


def _asked_for(file: OpenFile) -> Iterator[str]:
    """Locks, leases, marks, seals."""
    if file.inode.locks is not None and file in file.inode.locks.whole:
        yield f"      flock {file.inode.locks.whole[file]}"
    if file.inode.locks is not None and file in file.inode.locks.leases:
        lease = file.inode.locks.leases[file]
        yield f"      lease {lease.kind} to {lease.target} until {lease.break_at_ns}"
    for mark in file.inode.marks or ():
        if isinstance(mark, DirectoryMark) and mark.file is file:
            yield f"      tells of {mark.mask:x} by {mark.fd}"
    if file.inode.seals is not None:
        yield f"      seals {file.inode.seals:x}"


def _kind(file: OpenFile, names: Names) -> Iterator[str]:
    """What only its kind of file has."""
    if isinstance(file, EventFile):
        yield f"      count {file.count} semaphore {file.semaphore}"
    elif isinstance(file, TimerFile):
        yield (
            f"      due {file.due_ns} every {file.interval_ns} clock {file.clock_id}"
            f" ticks {file.ticks} expired {file.expired}"
        )
    elif isinstance(file, TtyFile):
        yield f"      hung up {file.hung_up}"
        yield from show_tty(file.tty, names)
    elif isinstance(file, InotifyFile):
        yield f"      last watch {file.last_wd}"
        for wd, watch in file.watching.items():
            yield f"      watch {wd} for {watch.mask:x} of inode {watch.inode.node.ino}"
        yield f"      {list(file.events)}"
    elif isinstance(file, PidFile):
        yield f"      process {file.number}"
    elif isinstance(file, TextFile):
        yield f"      {file.text!r}"
    elif isinstance(file, SignalFile):
        yield f"      signals {file.mask:x}"
    elif isinstance(file, EpollFile):
        yield from _epoll(file, names)
    elif isinstance(file, SocketFile):
        yield from _indented(dump_socket(file.socket, names))


def _behind(file: OpenFile, names: Names) -> Iterator[str]:
    """The pipe, or the inode that no name leads to any more."""
    pipe = file.inode.pipe
    if pipe is not None:
        pipe_name, new = names.of("pipe", pipe)
        ends = f"{pipe.readers} readers {pipe.writers} writers"
        yield f"      {pipe_name} {ends} capacity {pipe.capacity}"
        if new:
            yield f"        {bytes(pipe.buffer)!r}"
    if file.path is not None and not isinstance(file, TtyFile):
        yield from show_removed(file.path.dentry, names)


def show_removed(dentry: Dentry | None, names: Names) -> Iterator[str]:
    """What is left of a file that no name leads to, and of the removed directories above it."""
    while dentry is not None and dentry.unlinked:
        inode = dentry.inode
        name, new = names.of("inode", inode)
        node = inode.node
        yield (
            f"      {name} ino {node.ino} mode {node.mode:o} size {node.size}"
            f" owner {node.uid} {node.gid}"
        )
        if new:
            inode.sync()
            yield f"        {node.digest()} mtime {node.mtime_ns} ctime {node.ctime_ns}"
        if not inode.is_dir:
            return
        dentry = dentry.parent


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"      {line}" for line in lines)


def show_tty(tty: Tty, names: Names) -> Iterator[str]:
    """A terminal, and its other end."""
    name, first = names.of("tty", tty)
    yield f"      {name}"
    if not first:
        return
    ldisc, node = tty.ldisc, tty.node
    yield f"        {tty.kind.value} {tty.index} session {tty.session} group {tty.pgrp}"
    yield f"        {tty.termios} {tuple(tty.window)} files {len(tty.files)}"
    yield (
        f"        stopped {tty.stopped} {tty.flow_stopped} packet {tty.packet} {tty.packet_status}"
        f" exclusive {tty.exclusive} locked {tty.locked} closed {tty.other_closed} {tty.hung_up}"
    )
    # What has hung up is never read again.
    if not tty.hung_up:
        yield f"        {bytes(ldisc.buffer)!r} lines {ldisc.marks} {ldisc.canon}"
        yield f"        columns {ldisc.column} {ldisc.canon_column} {ldisc.lnext} {ldisc.erasing}"
    yield f"        waits {bytes(ldisc.flip)!r} {bytes(ldisc.echoes)!r} since {ldisc.arrived_ns}"
    if node is not None:
        yield f"        {node.mode:o} {node.uid}:{node.gid} links {node.nlink} {node.mtime_ns}"
    if tty.link is not None:
        yield from show_tty(tty.link, names)


def _epoll(file: EpollFile, names: Names) -> Iterator[str]:
    watches = list(file.watching.values())
    for watch in watches:
        name, _ = names.of("watched", watch.file)
        yield f"      {name} by {watch.fd} for {watch.events:x} data {watch.data:x}"
    yield f"      ready {[watches.index(watch) for watch in file.ready]}"


def _path(file: OpenFile) -> bytes:
    assert file.path is not None
    return shown_path(file.path, _top(file))


def _top(file: OpenFile) -> Path:
    assert file.path is not None
    mount = file.path.mount
    while mount.covered is not None:
        mount = mount.covered.mount
    return Path(mount, mount.root)


def show_tree(root: DiskNode) -> Iterator[str]:
    """All files below a directory."""
    pending = [(b"/", root)]
    while pending:
        path, node = pending.pop()
        yield (
            f"{path!r} ino {node.ino} mode {node.mode:o} links {node.nlink} {node.uid}:{node.gid}"
            f" size {node.size} mtime {node.mtime_ns} ctime {node.ctime_ns} {node.target!r}"
        )
        if node.mode & 0o170000 == 0o100000 and node.content_changed:
            yield f"  {node.digest()}"
        elif node.mode & 0o170000 == 0o040000 and node.listed:
            for name, child in sorted(node.entries().items(), reverse=True):
                pending.append((path.rstrip(b"/") + b"/" + name, child))
