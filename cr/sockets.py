"""Checkpoint and restart of sockets: what every family has, and UNIX sockets.

A socket is an object of its own: files lead to it, and other sockets, and messages that it has
sent. Links between sockets go in circles, so restart first makes all sockets, then fills their
queues (behind the file table), and links them when the whole image was read. Names are taken last,
when nothing can fail any more.

Image grammar:

    sock-file  =  [ OBJREF sock ]  FILE socket
    sock       =  SOCKET  { OBJREF peer | OBJREF cred | OBJREF pending }
                  ( SOCKET_UNIX [ STRING cwd ] [ FILE_NAME place ]  |  SOCKET_INET
                    |  SOCKET_NETLINK )
                  [ SOCKET_EXTRA ]  [ INET_OPTIONS ]

Their queues are in `socket_queues`.

STRING is where a relative name begins; FILE_NAME, ours, is written when the two do not lead to
the place of the name (it was moved). A socket that is open nowhere in the image is closed by the
restart: the other end sees that.

Mirrors:  linux-cr net/checkpoint.c, net/unix/checkpoint.c -- sock_file_checkpoint,
          sock_write_buffers, unix_checkpoint, unix_restore, sock_read_buffers.
Deviates: connections that nobody has accepted and files on their way are saved by records of ours
          (the original said EBUSY); a name that is still on the disk is used again, not unlinked
          and made anew.
"""

from __future__ import annotations

import stat
import struct

from cr import inet, network
from cr.context import Checkpoint, Restart
from cr.creds import checkpoint_cred
from cr.image import network as ours
from cr.image import sockets as image
from cr.image import types as t
from cr.image.files import FileSocket
from cr.image.mounts import FilePlace
from cr.image.watches import SocketNetlink
from cr.mounts import name_of, place_at, restore_place
from cr.nameless import checkpoint_nameless, restore_nameless
from cr.regular import checkpoint_name
from cr.socket_record import ParkedSocket, checkpoint_common, fill_common
from emu.printable import printable
from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EADDRINUSE, EBUSY, ENOSYS, EPERM
from kernel_model.creds import Cred
from kernel_model.net.inet import InetSocket
from kernel_model.net.message import PeerCred
from kernel_model.net.netlink import NETLINK_ROUTE, NetlinkSocket
from kernel_model.net.socket import Socket
from kernel_model.net.sockfs import SocketFile
from kernel_model.net.unix import UnixSocket
from kernel_model.net.unix_datagram import UnixDatagram
from kernel_model.net.unix_stream import ConnectedUnix, UnixSeqpacket, UnixStream
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.names import make
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.path import Walk, is_reachable

_CLASSES: dict[int, type[UnixSocket]] = {
    abi.SOCK_STREAM: UnixStream,
    abi.SOCK_DGRAM: UnixDatagram,
    abi.SOCK_SEQPACKET: UnixSeqpacket,
}
_NESTING = 60


# ---- checkpoint


def checkpoint_socket_file(ctx: Checkpoint, file: SocketFile, common: dict[str, int]) -> None:
    """Write an open socket."""
    number = ctx.write_object(t.OBJ_SOCK, file.socket, checkpoint_sock)
    ctx.image.write(t.HDR_FILE, FileSocket(f_type=t.FILE_SOCKET, sock_objref=number, **common))
    checkpoint_nameless(ctx, file.inode)


def checkpoint_sock(ctx: Checkpoint, socket: Socket) -> None:
    """Write a socket, after those that it is linked with."""
    if ctx.task is not None and socket.net is not ctx.task.nsproxy.net:
        ctx.refuse(EPERM, "a socket of another network namespace")
    if socket is ctx.image_socket or (
        ctx.image_socket is not None and getattr(ctx.image_socket, "peer", None) is socket
    ):
        ctx.refuse(EBUSY, "the image is to be written to a socket that would be in it")
    has_buffers = bool(socket.queue)
    ctx.image.write(t.HDR_SOCKET, checkpoint_common(socket, has_buffers=has_buffers))
    if has_buffers:
        ctx.files_deferred.append(socket)
    if isinstance(socket, InetSocket):
        inet.checkpoint_inet(ctx, socket, checkpoint_sock)
    elif isinstance(socket, NetlinkSocket):
        if ctx.pure:
            ctx.refuse(ENOSYS, "a netlink socket, and the image is to be pure")
        record = SocketNetlink(port=socket.port, groups=socket.groups)
        ctx.image.write(t.HDR_SOCKET_NETLINK, record)
    else:
        assert isinstance(socket, UnixSocket)
        _checkpoint_unix(ctx, socket)


def _checkpoint_unix(ctx: Checkpoint, socket: UnixSocket) -> None:
    ctx.socket_depth += 1
    if ctx.socket_depth > _NESTING:
        ctx.refuse(EBUSY, f"more than {_NESTING} sockets are linked in a chain")
    peer = peercred = 0
    if socket.peer is not None:
        peer = ctx.write_object(t.OBJ_SOCK, socket.peer, checkpoint_sock)
    if socket.peercred is not None:
        peercred = ctx.write_object(t.OBJ_CRED, socket.peercred.cred, checkpoint_cred)
    if socket.pending and ctx.pure:
        ctx.refuse(EBUSY, "a connection to a UNIX socket was not accepted yet")
    pending = [ctx.write_object(t.OBJ_SOCK, each, checkpoint_sock) for each in socket.pending]
    ctx.socket_depth -= 1
    this = ctx.objs.lookup(socket)
    assert this is not None
    local, remote = _sockaddr(ctx, socket), _sockaddr(ctx, socket.peer)
    record = image.SocketUnix(
        this=this,
        peer=peer,
        peercred=peercred,
        flags=t.UNIX_LINKED if is_linked(socket) else 0,
        laddr_len=len(local),
        raddr_len=len(remote),
        laddr=local.ljust(image.SOCKADDR_UN_BYTES, b"\0"),
        raddr=remote.ljust(image.SOCKADDR_UN_BYTES, b"\0"),
    )
    ctx.image.write(t.HDR_SOCKET_UNIX, record)
    if socket.place is not None and is_linked(socket):
        _checkpoint_place(ctx, socket, socket.place)
    pid = socket.peercred.pid if socket.peercred is not None else 0
    if not ctx.pure and (pid or pending):
        ctx.image.write(t.HDR_SOCKET_EXTRA, ours.SocketExtra(peer_pid=pid, pending=tuple(pending)))


def is_linked(socket: UnixSocket) -> bool:
    """Whether others can find it by its name."""
    if socket.name is None or socket.dead:
        return False
    if socket.place is None:
        return socket.net.abstract.get((socket.type, socket.name)) is socket
    return socket.place.inode.socket is socket and not socket.place.dentry.unlinked


def _sockaddr(ctx: Checkpoint, socket: UnixSocket | None) -> bytes:
    if socket is None or socket.name is None:
        return b""
    ends = b"" if socket.name[:1] == b"\0" else b"\0"
    address = struct.pack(ctx.image.order + "H", abi.AF_UNIX) + socket.name + ends
    return address[: image.SOCKADDR_UN_BYTES]


def _checkpoint_place(ctx: Checkpoint, socket: UnixSocket, place: Path) -> None:
    whole, name = name_of(ctx, place), socket.name or b""
    reachable = is_reachable(place, ctx.root)
    if whole == name and reachable:
        return
    if reachable and name[:1] != b"/" and whole.endswith(b"/" + name):
        ctx.image.write_string(t.HDR_STRING, whole[: -len(name) - 1] or b"/")
        return
    if ctx.pure:
        ctx.refuse(EBUSY, "the name of a UNIX socket was moved")
    ctx.image.write_string(t.HDR_STRING, b"/")
    checkpoint_name(ctx, place)


# ---- restart


def restore_sock(ctx: Restart) -> ParkedSocket:
    """Make a socket, not yet linked with others."""
    record = ctx.image.read(t.HDR_SOCKET, image.Socket)
    family = record.sock_common.family
    place = len(ctx.queues_deferred)
    if family in (abi.AF_INET, abi.AF_INET6):
        parked = inet.restore_inet(ctx, record)
    elif family == abi.AF_UNIX:
        parked = _restore_unix(ctx, record)
    elif family == abi.AF_NETLINK:
        parked = _restore_netlink(ctx, record)
    else:
        ctx.refuse(f"sockets of family {family} are not modelled", errno=ENOSYS.errno)
    if record.has_buffers:
        ctx.queues_deferred.insert(place, parked)  # before those it refers to
    ctx.sockets.append(parked)
    return parked


def _restore_unix(ctx: Restart, record: image.Socket) -> ParkedSocket:
    cls = _CLASSES.get(record.sock.type)
    if cls is None or record.sock.protocol:
        ctx.refuse(f"a UNIX socket of type {record.sock.type}")
    socket = cls(ctx.net)
    fill_common(ctx, socket, record)
    parked = ParkedSocket(socket)
    unix = parked.unix = ctx.image.read(t.HDR_SOCKET_UNIX, image.SocketUnix)
    if unix.flags & ~t.UNIX_LINKED:
        ctx.refuse(f"flags {unix.flags:#x} of a UNIX socket")
    _restore_name(ctx, socket, unix)
    start = place = elsewhere = None
    if ctx.image.peek() == t.HDR_STRING:
        start = ctx.image.read_string(t.HDR_STRING, t.PATH_LIMIT)
    if ctx.image.peek() == t.HDR_FILE_NAME:
        place = ctx.image.read_string(t.HDR_FILE_NAME, t.PATH_LIMIT)
        elsewhere = restore_place(ctx)
    if unix.flags & t.UNIX_LINKED:
        _restore_place(ctx, parked, start, place, elsewhere)
    pid = 0
    if ctx.image.peek() == t.HDR_SOCKET_EXTRA:
        extra = ctx.image.read(t.HDR_SOCKET_EXTRA, ours.SocketExtra)
        pid, parked.pending = extra.peer_pid, extra.pending
    if unix.peercred:
        cred = ctx.objs.fetch(ctx, unix.peercred, t.OBJ_CRED, Cred)
        own = ctx.opener.cred
        if (cred.euid, cred.egid) != (own.euid, own.egid) and not own.cap("CAP_SETUID"):
            ctx.refuse("credentials of somebody else at the other end", errno=EPERM.errno)
        socket.peercred = PeerCred(pid, cred)
    return parked


def _restore_netlink(ctx: Restart, record: image.Socket) -> ParkedSocket:
    kind, protocol = record.sock.type, record.sock.protocol
    if kind not in (abi.SOCK_RAW, abi.SOCK_DGRAM) or protocol != NETLINK_ROUTE:
        ctx.refuse(f"a netlink socket of type {kind} and family {protocol}")
    socket = NetlinkSocket(ctx.net, kind)
    fill_common(ctx, socket, record)
    own = ctx.image.read(t.HDR_SOCKET_NETLINK, SocketNetlink)
    if own.port and not socket.dead:
        ctx.attempt(lambda: socket.take_port(own.port))
    socket.groups = own.groups
    return ParkedSocket(socket)


def _restore_name(ctx: Restart, socket: UnixSocket, unix: image.SocketUnix) -> None:
    if not unix.laddr_len:
        if unix.flags & t.UNIX_LINKED:
            ctx.refuse("a socket without a name cannot be found by it")
        return
    family = struct.unpack_from(ctx.image.order + "H", unix.laddr)[0]
    name = unix.laddr[2 : unix.laddr_len]
    if name[:1] != b"\0":
        name = name.split(b"\0")[0]
    if family != abi.AF_UNIX or not name:
        ctx.refuse("the name of a UNIX socket is no sockaddr_un")
    socket.name = name


def _restore_place(
    ctx: Restart,
    parked: ParkedSocket,
    start: bytes | None,
    whole: bytes | None,
    elsewhere: FilePlace | None,
) -> None:
    """Find where the name is to be taken: the socket on the disk, or a new one."""
    socket = parked.socket
    assert isinstance(socket, UnixSocket) and socket.name is not None
    if socket.dead:
        ctx.refuse("a closed socket cannot be found by a name")
    if socket.name[:1] == b"\0":
        key = (socket.type, socket.name)
        taken = any(_key(other.socket) == key for other in ctx.sockets if other.abstract)
        if key in ctx.net.abstract or taken:
            ctx.refuse("the abstract name of a socket is taken", errno=EADDRINUSE.errno)
        parked.abstract = True
        return
    name = whole or socket.name
    if name[:1] != b"/":
        name = (start or b"/").rstrip(b"/") + b"/" + name
    if name[:1] != b"/":
        ctx.refuse("the directory of a socket's name is no absolute path")
    if elsewhere is not None:
        place = place_at(ctx, elsewhere)
        if not stat.S_ISSOCK(place.inode.mode):
            ctx.refuse(f"{name!r} is no socket")
    else:
        place = ctx.attempt(lambda: _find_or_make(ctx, name))
    if any(other.place is not None and other.place.inode is place.inode for other in ctx.sockets):
        ctx.refuse("two sockets with the same name", errno=EADDRINUSE.errno)
    if place.inode.socket is not None:
        ctx.refuse("the name of a socket is in use", errno=EADDRINUSE.errno)
    parked.place = place


def _key(socket: Socket) -> tuple[int, bytes | None]:
    return socket.type, getattr(socket, "name", None)


def _find_or_make(ctx: Restart, name: bytes) -> Path:
    walk = Walk(ctx.opener)
    last = walk.parent_of(name)
    place = walk.child(last.parent, last.name)
    if place is not None:
        if not stat.S_ISSOCK(place.inode.mode):
            ctx.refuse(f"{printable(name)} is no socket any more", errno=EADDRINUSE.errno)
        return place
    node = last.parent.inode.node
    times = (node.mtime_ns, node.ctime_ns)
    place = make(ctx.opener, walk, last, stat.S_IFSOCK | 0o777 & ~ctx.opener.fs.umask)

    def unmake() -> None:
        last.parent.inode.unlink(last.name)
        last.parent.dentry.drop(last.name)
        node.mtime_ns, node.ctime_ns = times

    ctx.undo.append(unmake)
    return place


def restore_socket_file(ctx: Restart, record: FileSocket) -> OpenFile:
    """Open a socket."""
    parked = ctx.objs.fetch(ctx, record.sock_objref, t.OBJ_SOCK, ParkedSocket)
    socket = parked.socket
    if socket.dead or socket.file is not None:
        ctx.refuse("a socket that is closed, or open twice")
    inode = restore_nameless(ctx, ctx.kernel.vfs.sockfs)
    return SocketFile(socket, inode, record.f_flags)


def link_all(ctx: Restart) -> None:
    """The image was read: link the sockets with each other."""
    if ctx.queues_deferred:
        ctx.refuse("the queues of a socket are missing")
    for parked in ctx.sockets:
        if parked.unix is not None:
            _link(ctx, parked, parked.unix)
    for parked in ctx.sockets:
        if parked.unix is not None:
            _check_links(ctx, parked.socket)
    inet.link_all(ctx)


def _link(ctx: Restart, parked: ParkedSocket, record: image.SocketUnix) -> None:
    socket = parked.socket
    if record.peer:
        other = ctx.objs.fetch(ctx, record.peer, t.OBJ_SOCK, ParkedSocket).socket
        if type(other) is not type(socket) or socket.dead:
            ctx.refuse("the peer of a socket is of another kind")
        if isinstance(socket, UnixDatagram) and isinstance(other, UnixDatagram):
            state = socket.state
            socket.set_peer(other)
            if state != socket.state:
                ctx.refuse("the state of a datagram socket does not tell that it has a peer")
        elif isinstance(socket, ConnectedUnix) and isinstance(other, ConnectedUnix):
            socket.peer = other
    for number in parked.pending:
        child = ctx.objs.fetch(ctx, number, t.OBJ_SOCK, ParkedSocket).socket
        if (
            not isinstance(socket, ConnectedUnix)
            or not isinstance(child, ConnectedUnix)
            or type(child) is not type(socket)
            or socket.state != abi.TCP_LISTEN
            or child.state != abi.TCP_ESTABLISHED
            or child.file is not None
            or child.listener is not None
            or child.dead
            or socket.dead
        ):
            ctx.refuse("a connection that cannot wait to be accepted")
        child.listener = socket
        socket.pending.append(child)


def _check_links(ctx: Restart, socket: Socket) -> None:
    if not isinstance(socket, ConnectedUnix):
        if isinstance(socket, UnixDatagram) and socket.peer is None:
            if socket.state != abi.TCP_CLOSE:
                ctx.refuse("a datagram socket is connected to nobody")
        return
    connected = socket.state == abi.TCP_ESTABLISHED
    if connected != (socket.peer is not None):
        ctx.refuse("the state of a socket does not tell whether it has a peer")
    if socket.peer is not None and not socket.peer.dead and socket.peer.peer is not socket:
        ctx.refuse("the peer of a socket has another peer")
    if socket.peer is not None and socket.peer.dead and socket.shut != abi.SHUTDOWN_MASK:
        ctx.refuse("the peer of a socket is closed, but it does not know")
    if socket.state not in (abi.TCP_ESTABLISHED, abi.TCP_CLOSE, abi.TCP_LISTEN):
        ctx.refuse(f"state {socket.state} of a UNIX socket")
    if socket.state == abi.TCP_LISTEN and socket.name is None:
        ctx.refuse("a socket listens without a name")


def attach_all(ctx: Restart) -> None:
    """Commit: sockets take their names. Nothing here can fail."""
    for parked in ctx.sockets:
        socket = parked.socket
        if isinstance(socket, UnixSocket):
            if parked.abstract and socket.name is not None:
                socket.net.abstract[socket.type, socket.name] = socket
            elif parked.place is not None:
                socket.place = parked.place
                parked.place.inode.socket = socket
    network.attach_state(ctx)
    inet.attach_all(ctx)
