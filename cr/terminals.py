"""Checkpoint and restart of terminals: ptys and the console.

Both ends of a pty are written together, the master first, wherever either is met first. A master
is more than its file: reading its TTY record makes the pair, and opens the master aside; the FILE
record of the master takes that open file when it comes. If it never comes (a subtree whose
terminal emulator is outside), the master is closed when the restart ends, and the line hangs up.

Image grammar:

    tty  =  TTY  [ TTY_LDISC  [ BUFFER bytes ] ]  [ TTY_EXTRA ]     ; no LDISC: it hung up

Mirrors:  linux-cr drivers/tty/tty_io.c, pty.c -- checkpoint_tty, restore_tty.
Deviates: TTY_EXTRA is ours: who owns the name in /dev/pts, a session whose leader has let go,
          echoes on their way. Without it (pure) they are lost, as there. The original refused
          consoles (ENOSYS), as a pure image does.
"""

from __future__ import annotations

import stat

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import terminals as image
from cr.image import types as t
from cr.image.mounts import TtyInstance
from kernel_model.abi.errno import EBUSY, ENOSYS
from kernel_model.abi.fcntl import O_RDWR
from kernel_model.abi.termios import Termios
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.tty.devpts import MOST_PTYS, DevPts
from kernel_model.tty.file import TtyFile
from kernel_model.tty.n_tty import FLIP_BYTES
from kernel_model.tty.output import BUFFER_BYTES
from kernel_model.tty.terminal import Kind, Tty, WindowSize
from kernel_model.vfs.mounts import Mount, Path, top_of
from kernel_model.vfs.path import Walk

_DRIVER_CONSOLE, _DRIVER_PTY = 2, 4
_SUBTYPES = {Kind.CONSOLE: 0, Kind.MASTER: 1, Kind.SLAVE: 2}
_KINDS = {(_DRIVER_CONSOLE, 0): Kind.CONSOLE} | {
    (_DRIVER_PTY, _SUBTYPES[kind]): kind for kind in (Kind.MASTER, Kind.SLAVE)
}
_OTHER_CLOSED, _EXCLUSIVE, _LDISC, _PTY_LOCK, _HUPPED = 1 << 2, 1 << 3, 1 << 9, 1 << 16, 1 << 18
_IN_FLUX = 1 << 7 | 1 << 10 | 1 << 19 | 1 << 20 | 1 << 21
_HARMLESS = 1 | 1 << 5 | 1 << 6 | _LDISC | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 17
_KNOWN = _OTHER_CLOSED | _EXCLUSIVE | _PTY_LOCK | _HUPPED | _HARMLESS
_MAX_PID = 1 << 22
_PTY_MAJOR = 136


# ---- checkpoint


def checkpoint_tty(ctx: Checkpoint, tty: Tty) -> int:
    """The number of a terminal; both ends of a pty are written if they are new to the image."""
    if tty.kind is Kind.CONSOLE:
        if ctx.pure:
            ctx.refuse(ENOSYS, "the console is a terminal, and the image is to be pure")
        return ctx.write_object(t.OBJ_TTY, tty, _checkpoint_end)
    assert tty.link is not None
    master, slave = (tty, tty.link) if tty.kind is Kind.MASTER else (tty.link, tty)
    numbers = {end: ctx.write_object(t.OBJ_TTY, end, _checkpoint_end) for end in (master, slave)}
    return numbers[tty]


def _checkpoint_end(ctx: Checkpoint, tty: Tty) -> None:
    link, file = 0, 0
    if tty.kind is Kind.SLAVE:
        assert tty.link is not None
        link, _ = ctx.objs.intern(tty.link)
    elif tty.kind is Kind.MASTER and tty.files:
        file = ctx.objs.promise(tty.files[0])
    flags = _LDISC
    for bit, is_set in (
        (_OTHER_CLOSED, tty.other_closed),
        (_EXCLUSIVE, tty.exclusive),
        (_PTY_LOCK, tty.locked),
        (_HUPPED, tty.hung_up),
    ):
        flags |= bit if is_set else 0
    machine = not ctx.pure and ctx.caller is None
    if machine and tty.kind is Kind.MASTER and tty.devpts is not ctx.kernel.vfs.devpts:
        ctx.image.write(t.HDR_TTY_INSTANCE, TtyInstance(dev=tty.devpts.dev))
    settings, window = tty.termios, tty.window
    record = image.Tty(
        driver_type=_DRIVER_PTY if tty.is_pty else _DRIVER_CONSOLE,
        driver_subtype=_SUBTYPES[tty.kind],
        link_objref=link,
        file_objref=file,
        index=tty.index,
        ldisc=0,
        flags=flags,
        termios=image.Termios(
            c_iflag=settings.iflag,
            c_oflag=settings.oflag,
            c_cflag=settings.cflag,
            c_lflag=settings.lflag,
            c_ispeed=settings.ispeed,
            c_ospeed=settings.ospeed,
            c_line=settings.line,
            c_cc=settings.cc,
        ),
        winsize=image.Winsize(
            ws_row=window.rows,
            ws_col=window.columns,
            ws_xpixel=window.x_pixels,
            ws_ypixel=window.y_pixels,
        ),
    )
    ctx.image.write(t.HDR_TTY, record)
    if not tty.hung_up:
        _checkpoint_ldisc(ctx, tty)
    if not ctx.pure:
        _checkpoint_extra(ctx, tty)


def _checkpoint_ldisc(ctx: Checkpoint, tty: Tty) -> None:
    ldisc = tty.ldisc
    ends = bytearray(t.N_TTY_BUFFER_BYTES // 8)
    for mark in ldisc.marks:
        ends[mark // 8] |= 1 << mark % 8
    record = image.LdiscNTty(
        column=ldisc.column,
        datalen=len(ldisc.buffer),
        canon_column=ldisc.canon_column,
        canon_datalen=ldisc.canon,
        canon_data=len(ldisc.marks),
        minimum_to_wake=1,
        stopped=int(tty.stopped),
        hw_stopped=0,
        flow_stopped=int(tty.flow_stopped),
        packet=int(tty.packet),
        ctrl_status=tty.packet_status,
        lnext=int(ldisc.lnext),
        erasing=int(ldisc.erasing),
        raw=int(ldisc.raw),
        real_raw=int(ldisc.raw and not tty.termios.iflag & tty.bits.BRKINT),
        icanon=int(ldisc.canonical),
        closing=0,
        read_flags=bytes(ends),
    )
    ctx.image.write(t.HDR_TTY_LDISC, record)
    if ldisc.buffer:
        ctx.image.write_blob(t.HDR_BUFFER, bytes(ldisc.buffer))


def _checkpoint_extra(ctx: Checkpoint, tty: Tty) -> None:
    ldisc, node = tty.ldisc, tty.node
    common = {
        "session": ctx.pid_ns.number_of(tty.session),
        "pgrp": ctx.pid_ns.number_of(tty.pgrp),
        "arrived_ns": ldisc.arrived_ns,
        "echo_bytes": len(ldisc.echoes),
        "flip_bytes": len(ldisc.flip),
        "device": int(not tty.is_pty),
    }
    if node is None and not any(common.values()):
        return
    of_node = dict.fromkeys("mode uid gid nlink atime_ns mtime_ns ctime_ns".split(), 0)
    if node is not None:
        of_node = {name: getattr(node, name) for name in of_node}
    content = bytes(ldisc.echoes + ldisc.flip)
    ctx.image.write(t.HDR_TTY_EXTRA, ours.TtyExtra(content=content, **common, **of_node))


# ---- restart


def restore_tty(ctx: Restart) -> Tty:
    """Make a terminal: a master makes its pair, a slave is the other end of its master."""
    devpts = _restore_instance(ctx)
    record = ctx.image.read(t.HDR_TTY, image.Tty)
    kind = _KINDS.get((record.driver_type, record.driver_subtype))
    if kind is None or record.ldisc:
        ctx.refuse("only ptys with N_TTY are terminals here", errno=ENOSYS.errno)
    if record.flags & _IN_FLUX or record.flags & ~_KNOWN:
        ctx.refuse(f"terminal flags {record.flags:#x}", errno=EBUSY.errno)
    if kind is Kind.CONSOLE:
        tty = _restore_console(ctx)
    elif kind is Kind.MASTER:
        tty = _restore_master(ctx, record, devpts)
    else:
        tty = _restore_slave(ctx, record)
    _restore_settings(tty, record)
    if not record.flags & _HUPPED:
        _restore_ldisc(ctx, tty)
    if ctx.image.peek() == t.HDR_TTY_EXTRA:
        _restore_extra(ctx, tty)
    return tty


def _restore_instance(ctx: Restart) -> DevPts | None:
    """Of which devpts a pty is; None: of the one that /dev/ptmx belongs to."""
    if ctx.image.peek() != t.HDR_TTY_INSTANCE:
        return None
    dev = ctx.image.read(t.HDR_TTY_INSTANCE, TtyInstance).dev
    fs = ctx.mounts.by_dev.get(dev)
    if not isinstance(fs, DevPts):
        ctx.refuse(f"file system {dev} is no devpts")
    return fs


def _restore_console(ctx: Restart) -> Tty:
    console = ctx.kernel.console
    if console.tty is not None:
        ctx.refuse("the console is in use", errno=EBUSY.errno)
    tty = console.new_terminal(ctx.kernel)
    ctx.at_end.append(lambda: None if ctx.committed else console.detach())
    return tty


def _restore_master(ctx: Restart, record: image.Tty, devpts: DevPts | None) -> Tty:
    if record.index >= MOST_PTYS or record.link_objref:
        ctx.refuse(f"pty {record.index}, or a master of a master")
    kernel, cred = ctx.kernel, ctx.opener.cred
    # Looked up first: a pair that is made must be let go of at the end.
    place = _ptmx(ctx, devpts) if record.file_objref else None
    if devpts is None:
        instance = place.inode.fs if place is not None else None
        devpts = instance if isinstance(instance, DevPts) else kernel.vfs.devpts
    tty: Tty = ctx.attempt(lambda: devpts.new_pair(kernel, cred.fsuid, cred.fsgid, record.index))
    assert tty.link is not None
    tty.link.locked = False
    if place is not None:
        ctx.masters[tty] = TtyFile(tty, place.inode, place, O_RDWR)
    else:
        devpts.remove(tty.link)
    ctx.at_end.append(lambda: _let_go(ctx, tty))
    return tty


def _ptmx(ctx: Restart, devpts: DevPts | None) -> Path:
    if devpts is None:
        usual: Path = ctx.attempt(lambda: Walk(ctx.opener).resolve(b"/dev/ptmx"))
        return usual
    # Its FILE record says through which mount it was opened.
    top = top_of(devpts)
    ptmx = top.child(b"ptmx")
    assert ptmx is not None
    return Path(Mount(0, devpts, top, b"devpts"), ptmx)


def _let_go(ctx: Restart, tty: Tty) -> None:
    """The end: a master that nobody took is closed; a pair without users is gone."""
    file = ctx.masters.pop(tty, None)
    if file is not None:
        file.drop()
    elif tty.link is not None and not tty.files and not tty.link.files:
        tty.devpts.free(tty)


def _restore_slave(ctx: Restart, record: image.Tty) -> Tty:
    master = ctx.objs.fetch(ctx, record.link_objref, t.OBJ_TTY, Tty)
    tty = master.link
    if master.kind is not Kind.MASTER or tty is None or tty.index != record.index:
        ctx.refuse(f"object {record.link_objref} is not the master of pty {record.index}")
    if record.file_objref:
        ctx.refuse("a slave has no file of its own")
    if bool(record.flags & _HUPPED) != (not master.files):
        ctx.refuse("a slave hangs up when its master is closed, and only then")
    return tty


def _restore_settings(tty: Tty, record: image.Tty) -> None:
    flags, given, window = record.flags, record.termios, record.winsize
    tty.other_closed = bool(flags & _OTHER_CLOSED)
    tty.exclusive = bool(flags & _EXCLUSIVE)
    tty.locked = bool(flags & _PTY_LOCK)
    tty.hung_up = bool(flags & _HUPPED)
    tty.termios = Termios(
        iflag=given.c_iflag,
        oflag=given.c_oflag,
        cflag=given.c_cflag,
        lflag=given.c_lflag,
        line=given.c_line,
        cc=given.c_cc,
        ispeed=given.c_ispeed,
        ospeed=given.c_ospeed,
    )
    tty.window = WindowSize(window.ws_row, window.ws_col, window.ws_xpixel, window.ws_ypixel)


def _restore_ldisc(ctx: Restart, tty: Tty) -> None:
    record = ctx.image.read(t.HDR_TTY_LDISC, image.LdiscNTty)
    content = b""
    if record.datalen:
        content = bytes(ctx.image.read_exact(t.HDR_BUFFER, record.datalen))
    marks = [k for k in range(BUFFER_BYTES) if record.read_flags[k // 8] >> k % 8 & 1]
    canon = marks[-1] + 1 if marks else 0
    ldisc = tty.ldisc
    if canon > len(content) or (record.canon_datalen, record.canon_data) != (canon, len(marks)):
        ctx.refuse("the lines of a terminal and its bytes do not agree")
    if record.icanon != int(ldisc.canonical) or (marks and not ldisc.canonical):
        ctx.refuse("a terminal without canonical mode has no lines")
    booleans = (record.stopped, record.flow_stopped, record.packet, record.lnext, record.erasing)
    if max(booleans) > 1 or record.hw_stopped or record.closing:
        ctx.refuse("the state of a terminal that cannot be")
    if record.flow_stopped and not record.stopped:
        ctx.refuse("a terminal that was stopped, and is not")
    if record.packet and tty.kind is not Kind.MASTER:
        ctx.refuse("packet mode is for masters")
    ldisc.buffer += content
    ldisc.marks, ldisc.canon = marks, canon
    ldisc.column, ldisc.canon_column = record.column, record.canon_column
    ldisc.lnext, ldisc.erasing = bool(record.lnext), bool(record.erasing)
    tty.stopped, tty.flow_stopped = bool(record.stopped), bool(record.flow_stopped)
    tty.packet, tty.packet_status = bool(record.packet), record.ctrl_status


def _restore_extra(ctx: Restart, tty: Tty) -> None:
    record = ctx.image.read(t.HDR_TTY_EXTRA, ours.TtyExtra)
    if record.device != int(not tty.is_pty):
        ctx.refuse("a pty is not the console")
    if record.echo_bytes > BUFFER_BYTES or record.flip_bytes > FLIP_BYTES:
        ctx.refuse("more bytes than a terminal holds")
    if max(record.session, record.pgrp) > _MAX_PID or record.arrived_ns > KTIME_MAX_NS:
        ctx.refuse("a session that cannot be, or a time after the end of time")
    tty.session, tty.pgrp = record.session, record.pgrp
    if record.arrived_ns:
        tty.ldisc.arrived_ns = ctx.clock_time(record.arrived_ns)
    tty.ldisc.echoes += record.content[: record.echo_bytes]
    tty.ldisc.flip += record.content[record.echo_bytes :]
    node = tty.node
    if node is None:
        return
    if not stat.S_ISCHR(record.mode) or record.mode & ~0o177777:
        ctx.refuse(f"a terminal of mode {record.mode:#o}")
    if bool(record.nlink) != bool(node.nlink):
        ctx.refuse("the name of a slave is there as long as its master is open")
    node.mode, node.uid, node.gid = record.mode, record.uid, record.gid
    node.atime_ns, node.mtime_ns = record.atime_ns, record.mtime_ns
    node.ctime_ns = record.ctime_ns
