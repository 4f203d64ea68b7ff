"""Checkpoint and restart of internet sockets: the part of them that is not every socket's.

The two ends of a connection do not name each other: they are found by their addresses when the
image was read, as packets find them. An end whose other end is not in the image stays connected,
and is reset when it sends. With RESTART_CONN_RESET all connections are closed.

Image grammar:

    inet  =  { OBJREF pending }  SOCKET_INET  [ SOCKET_EXTRA ]  [ INET_OPTIONS ]

Mirrors:  linux-cr net/ipv4/checkpoint.c -- inet_checkpoint, inet_restore, inet_defer_restore.
Deviates: IPv6 is complete. The model has no sequence numbers, windows and congestion: their
          fields are zero, and ignored but for the checks that the original made.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from cr.context import Checkpoint, Restart
from cr.image import network as ours
from cr.image import sockets as image
from cr.image import types as t
from cr.socket_record import ParkedSocket, fill_common
from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EADDRINUSE
from kernel_model.abi.socket import CONNECTED
from kernel_model.net.inet import (
    ANY4,
    MAPPED,
    SETTINGS,
    Endpoint,
    InetSocket,
    as_kept,
    is_any,
    sockaddr,
)
from kernel_model.net.message import Message
from kernel_model.net.socket import Socket
from kernel_model.net.tcp import TcpSocket
from kernel_model.net.udp import UdpSocket

_PORT_LOCKED, _FIN_RECEIVED = 1, 2
_NODELAY, _CORK, _TTL = (abi.IPPROTO_TCP, 1), (abi.IPPROTO_TCP, 3), (abi.IPPROTO_IP, 2)
_NAGLE_OFF, _NAGLE_CORK = 1, 2
_CLASSES: dict[tuple[int, int], type[TcpSocket] | type[UdpSocket]] = {
    (abi.SOCK_STREAM, abi.IPPROTO_TCP): TcpSocket,
    (abi.SOCK_DGRAM, abi.IPPROTO_UDP): UdpSocket,
}
_TCP_STATES = (*CONNECTED, abi.TCP_SYN_SENT, abi.TCP_CLOSE, abi.TCP_LISTEN)
_ENDS = {
    (abi.TCP_ESTABLISHED, abi.TCP_ESTABLISHED),
    (abi.TCP_FIN_WAIT2, abi.TCP_CLOSE_WAIT),
    (abi.TCP_CLOSE_WAIT, abi.TCP_FIN_WAIT2),
}
_NOWHERE = Endpoint(ANY4, 0)


# ---- checkpoint


def checkpoint_inet(
    ctx: Checkpoint, socket: InetSocket, checkpoint: Callable[[Checkpoint, Socket], None]
) -> None:
    """Write what an internet socket has of its own, and who waits to be accepted."""
    pending = [ctx.write_object(t.OBJ_SOCK, each, checkpoint) for each in socket.pending]
    remote = socket.remote or _NOWHERE
    local = socket.local
    order = ctx.image.order
    own_name, other_name = (
        sockaddr(abi.AF_INET, order, each) if each.port else b"" for each in (local, remote)
    )
    nodelay, cork = socket.settings.get(_NODELAY, 0), socket.settings.get(_CORK, 0)
    six = socket.family == abi.AF_INET6
    fields: dict[str, Any] = dict.fromkeys(_TCP_FIELDS, 0)
    fields["nonagle"] = nodelay * _NAGLE_OFF | cork * _NAGLE_CORK
    record = image.SocketInet(
        daddr=_be32(ctx, remote.host),
        rcv_saddr=_be32(ctx, local.host),
        saddr=_be32(ctx, local.host),
        dport=_be16(ctx, remote.port),
        num=local.port if socket in socket.net.bound else 0,
        sport=_be16(ctx, local.port),
        uc_ttl=socket.settings.get(_TTL, -1),
        cmsg_flags=0,
        icsk_ack=image.AckState(**dict.fromkeys(_ACK_FIELDS, 0)),
        tcp=image.TcpState(**fields),
        inet6_saddr=local.host if six else bytes(16),
        inet6_rcv_saddr=local.host if six else bytes(16),
        inet6_daddr=remote.host if six and socket.remote else bytes(16),
        laddr_len=len(own_name),
        raddr_len=len(other_name),
        laddr=own_name.ljust(16, b"\0"),
        raddr=other_name.ljust(16, b"\0"),
    )
    ctx.image.write(t.HDR_SOCKET_INET, record)
    if not ctx.pure:
        _checkpoint_ours(ctx, socket, pending)


_ACK_FIELDS = tuple(image.AckState.__annotations__)
_TCP_FIELDS = tuple(name for name in image.TcpState.__annotations__ if name != "pad")


def _checkpoint_ours(ctx: Checkpoint, socket: InetSocket, pending: list[int]) -> None:
    if pending:
        ctx.image.write(t.HDR_SOCKET_EXTRA, ours.SocketExtra(peer_pid=0, pending=tuple(pending)))
    flags = _PORT_LOCKED if socket.port_locked else 0
    if isinstance(socket, TcpSocket) and socket.fin_received:
        flags |= _FIN_RECEIVED
    if flags or socket.settings:
        options = tuple(
            ours.InetOption(level=level, name=name, value=value)
            for (level, name), value in sorted(socket.settings.items())
        )
        ctx.image.write(t.HDR_INET_OPTIONS, ours.InetOptions(flags=flags, options=options))


def _order(ctx: Checkpoint | Restart) -> str:
    return "<" if ctx.image.order == "<" else ">"


def _be32(ctx: Checkpoint, host: bytes) -> int:
    """An address as the kernel has it in a word; 0 if it is one of IPv6."""
    four = host[12:] if host.startswith(MAPPED) else bytes(4)
    number: int = struct.unpack(_order(ctx) + "I", four)[0]
    return number


def _be16(ctx: Checkpoint, port: int) -> int:
    number: int = struct.unpack(_order(ctx) + "H", port.to_bytes(2, "big"))[0]
    return number


def control_block(ctx: Checkpoint, socket: InetSocket, message: Message) -> bytes:
    """Where a datagram has come from (the headers that the original saved say it)."""
    if message.source is None:
        return b""
    return sockaddr(abi.AF_INET6, ctx.image.order, message.source)


# ---- restart


def restore_inet(ctx: Restart, record: image.Socket) -> ParkedSocket:
    """Make an internet socket."""
    cls = _CLASSES.get((record.sock.type, record.sock.protocol))
    if cls is None:
        ctx.refuse(f"internet sockets of type {record.sock.type}, protocol {record.sock.protocol}")
    socket = cls(ctx.net, record.sock_common.family)
    fill_common(ctx, socket, record)
    inet = ctx.image.read(t.HDR_SOCKET_INET, image.SocketInet)
    _check(ctx, socket, inet)
    socket.local = _endpoint(ctx, socket, inet.rcv_saddr, inet.inet6_rcv_saddr, inet.sport)
    remote = _endpoint(ctx, socket, inet.daddr, inet.inet6_daddr, inet.dport)
    to_port_0 = isinstance(socket, UdpSocket) and not is_any(remote.host)
    if remote.port or to_port_0:
        socket.remote = remote
    parked = ParkedSocket(socket)
    parked.hashed = bool(inet.num)
    if ctx.image.peek() == t.HDR_SOCKET_EXTRA:
        parked.pending = ctx.image.read(t.HDR_SOCKET_EXTRA, ours.SocketExtra).pending
    if ctx.image.peek() == t.HDR_INET_OPTIONS:
        _fill_options(ctx, socket, ctx.image.read(t.HDR_INET_OPTIONS, ours.InetOptions))
    else:
        _fill_from_record(socket, inet)
    if not ctx.has_machine:
        socket.port_locked = bool(socket.local.port)
    return parked


def _check(ctx: Restart, socket: InetSocket, record: image.SocketInet) -> None:
    if socket.state not in _TCP_STATES:
        ctx.refuse(f"state {socket.state} of an internet socket")
    if isinstance(socket, UdpSocket) and socket.state not in (abi.TCP_CLOSE, abi.TCP_ESTABLISHED):
        ctx.refuse(f"state {socket.state} of a UDP socket")
    ack, tcp = record.icsk_ack, record.tcp
    if ack.pending > 15 or ack.pingpong > 1 or ack.blocked > 1:
        ctx.refuse("unknown state of delayed acknowledgments")
    if tcp.urg_data or tcp.nonagle > 7 or tcp.ecn_flags > 7:
        ctx.refuse("urgent data, or unknown flags of TCP")
    if record.cmsg_flags or not -1 <= record.uc_ttl <= 255:
        ctx.refuse("control messages, or a time to live, of an internet socket")
    if record.num and (socket.dead or _be16_of(ctx, record.sport) != record.num):
        ctx.refuse("the port of a socket is there twice, and not equal")
    if 0 < record.num < 1024 and not ctx.opener.cred.cap("CAP_NET_BIND_SERVICE"):
        ctx.refuse(f"port {record.num} needs CAP_NET_BIND_SERVICE")


def _be16_of(ctx: Restart, number: int) -> int:
    return int.from_bytes(struct.pack(_order(ctx) + "H", number), "big")


def _endpoint(ctx: Restart, socket: InetSocket, four: int, six: bytes, port: int) -> Endpoint:
    host = bytes(six)
    if socket.family == abi.AF_INET:
        host = MAPPED + struct.pack(_order(ctx) + "I", four)
    return Endpoint(host, _be16_of(ctx, port))


def _fill_from_record(socket: InetSocket, record: image.SocketInet) -> None:
    if record.uc_ttl > 0 and record.uc_ttl != SETTINGS[_TTL][0]:
        socket.settings[_TTL] = record.uc_ttl
    if isinstance(socket, TcpSocket):
        if record.tcp.nonagle & _NAGLE_OFF:
            socket.settings[_NODELAY] = 1
        if record.tcp.nonagle & _NAGLE_CORK:
            socket.settings[_CORK] = 1
        socket.fin_received = socket.state == abi.TCP_CLOSE_WAIT


def _fill_options(ctx: Restart, socket: InetSocket, record: ours.InetOptions) -> None:
    socket.port_locked = bool(record.flags & _PORT_LOCKED)
    if record.flags & _FIN_RECEIVED:
        if not isinstance(socket, TcpSocket):
            ctx.refuse("only TCP has a FIN")
        socket.fin_received = True
    for option in record.options:
        key = (option.level, option.name)
        if not socket.knows(*key) or key in socket.settings:
            ctx.refuse(f"option {option.name} of level {option.level}")
        default, least, most = SETTINGS[key]
        possible = least <= option.value <= most and as_kept(key, option.value) == option.value
        if not possible or option.value == default:
            ctx.refuse(f"option {option.name} of level {option.level} cannot be {option.value}")
        socket.settings[key] = option.value


def fill_message(
    ctx: Restart, socket: InetSocket, message: Message, record: image.SocketBuffer
) -> None:
    """Where a datagram has come from."""
    if isinstance(socket, UdpSocket):
        host, port = bytes(record.cb[8:24]), int.from_bytes(record.cb[2:4], "big")
        if socket.family == abi.AF_INET and not host.startswith(MAPPED):
            ctx.refuse("a datagram of IPv6 in a socket of IPv4")
        message.source = Endpoint(host, port)
    elif socket.queue:
        ctx.refuse("the bytes of a TCP socket are one message")


def link_all(ctx: Restart) -> None:
    """The image was read: find the two ends of connections."""
    parked = [each for each in ctx.sockets if isinstance(each.socket, InetSocket)]
    for each in parked:
        for number in each.pending:
            child = ctx.objs.fetch(ctx, number, t.OBJ_SOCK, ParkedSocket)
            _link_pending(ctx, each.socket, child.socket)
    ends: dict[tuple[object, Endpoint, Endpoint], TcpSocket] = {}
    for each in parked:
        socket = each.socket
        assert isinstance(socket, InetSocket)
        _check_state(ctx, socket)
        if each.hashed and _in_use(socket):
            ctx.refuse(f"port {socket.local.port} is in use", errno=EADDRINUSE.errno)
        if isinstance(socket, TcpSocket) and socket.state in CONNECTED and socket.remote:
            key = (socket.net, socket.local, socket.remote)
            if key in ends:
                ctx.refuse("two connections with the same addresses")
            ends[key] = socket
    for (net, local, remote), socket in ends.items():
        other = ends.get((net, remote, local))
        if other is None:
            continue
        if (socket.state, other.state) not in _ENDS:
            ctx.refuse("the two ends of a connection do not agree about its state")
        socket.peer = other
    _find_senders(ctx)
    if ctx.flags & t.RESTART_CONN_RESET:
        for each in parked:
            if each.socket.state != abi.TCP_LISTEN:
                _reset(each.socket)


def _link_pending(ctx: Restart, socket: Socket, child: Socket) -> None:
    if (
        not isinstance(socket, TcpSocket)
        or not isinstance(child, TcpSocket)
        or socket.state != abi.TCP_LISTEN
        or child.file is not None
        or child.listener is not None
        or child.dead
        or socket.dead
        or child is socket
    ):
        ctx.refuse("a connection that cannot wait to be accepted")
    child.listener = socket
    socket.pending.append(child)


def _check_state(ctx: Restart, socket: InetSocket) -> None:
    if socket.dead and socket.file is not None:
        ctx.refuse("a closed socket is open")
    needs_remote = socket.state in (*CONNECTED, abi.TCP_SYN_SENT)
    if isinstance(socket, UdpSocket):
        needs_remote = socket.state == abi.TCP_ESTABLISHED
    if needs_remote and (socket.remote is None or not socket.local.port):
        ctx.refuse("a connection without addresses")
    if socket.state == abi.TCP_LISTEN and not socket.local.port:
        ctx.refuse("a socket listens at no port")
    if isinstance(socket, TcpSocket):
        closed_in = socket.state == abi.TCP_CLOSE_WAIT
        if closed_in and not (socket.fin_received and socket.shut & abi.RCV_SHUTDOWN):
            ctx.refuse("CLOSE_WAIT without a FIN")
        if socket.connecting and socket.state == abi.TCP_LISTEN:
            ctx.refuse("a socket that listens and connects")
        if socket.state == abi.TCP_SYN_SENT and not socket.connecting:
            ctx.refuse("SYN_SENT, but it does not connect")


def _in_use(socket: InetSocket) -> bool:
    """Whether somebody outside of the image has the port."""
    return any(
        other.type == socket.type and other.local == socket.local and other.remote == socket.remote
        for other in socket.net.bound
    )


def _find_senders(ctx: Restart) -> None:
    """What TCP has received was sent by the other end; it takes the sender's room."""
    ends = [each.socket for each in ctx.sockets if isinstance(each.socket, TcpSocket)]
    for socket in ends:
        for message in socket.queue:
            if message.sender is not None:
                ctx.refuse("bytes of TCP that name their sender")
            wanted = (socket.net, socket.remote, socket.local)
            found = [each for each in ends if (each.net, each.local, each.remote) == wanted]
            sender = socket.peer or next((each for each in found if not each.dead), None)
            if sender is not None:
                message.sender = sender
                sender.used += message.cost


def _reset(socket: Socket) -> None:
    socket.state, socket.connecting = abi.TCP_CLOSE, False
    if isinstance(socket, TcpSocket):
        socket.peer = None
    if isinstance(socket, InetSocket):
        socket.remote = None


def attach_all(ctx: Restart) -> None:
    """Commit: take the ports. Nothing here can fail."""
    for each in ctx.sockets:
        socket = each.socket
        if isinstance(socket, InetSocket) and each.hashed:
            socket.net.bound.append(socket)
