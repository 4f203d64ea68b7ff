"""The record SOCKET: what every socket has, whatever its family.

Times are in jiffies, of which a second has 250; "for ever" is the longest time.

Mirrors:  linux-cr net/checkpoint.c -- sock_cptrst.
"""

from __future__ import annotations

from cr.context import Restart
from cr.image import sockets as image
from kernel_model.abi import socket as abi
from kernel_model.abi.errno import by_number
from kernel_model.abi.socket import CONNECTED
from kernel_model.net.socket import (
    FOR_EVER_JIFFIES,
    JIFFY_NS,
    LEAST_RCVBUF,
    LEAST_SNDBUF,
    LINGER_FOR_EVER,
    Socket,
)
from kernel_model.net.tcp import TcpSocket
from kernel_model.net.unix_stream import ConnectedUnix
from kernel_model.vfs.mounts import Path

_SS_UNCONNECTED, _SS_CONNECTING, _SS_CONNECTED = 1, 2, 3
_PASSCRED = 1 << 3
_FLAGS = {"oobinline": 1 << 2, "keepalive": 1 << 3, "linger": 1 << 4, "broadcast": 1 << 6}
_FLAGS |= {"debug": 1 << 10, "dontroute": 1 << 13}
_DEAD = 1 << 0
_ALL_FLAGS = _DEAD | sum(_FLAGS.values())
_CONNECTED_STATES = (abi.TCP_ESTABLISHED, abi.TCP_FIN_WAIT2, abi.TCP_CLOSE_WAIT, abi.TCP_LAST_ACK)
_MOST_BUFFER = (1 << 30) - 1
"""Half of what SO_RCVBUFFORCE can set."""


class ParkedSocket:
    """A socket that was made; what it is linked with is known when the image was read."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.unix: image.SocketUnix | None = None
        """Its own record, if it is a UNIX socket."""
        self.pending: tuple[int, ...] = ()
        self.place: Path | None = None
        """Where its name is taken at the end."""
        self.hashed = False
        """Its port is taken at the end."""
        self.abstract = False
        """Its abstract name is taken at the end."""

    def forget(self) -> None:
        """The image is refused: this connection never was, so nobody hears of its end."""
        if isinstance(self.socket, TcpSocket) and self.socket.state in CONNECTED:
            self.socket.state, self.socket.peer = abi.TCP_CLOSE, None

    def drop(self) -> None:
        """The object table lets go: who has no file and waits for no accept is closed."""
        socket = self.socket
        if socket.dead or socket.file is not None:
            return
        if not isinstance(socket, ConnectedUnix | TcpSocket) or socket.listener is None:
            socket.release()


def checkpoint_common(socket: Socket, *, has_buffers: bool) -> image.Socket:
    """The record of a socket."""
    options = socket.options
    flags = sum(bit for name, bit in _FLAGS.items() if getattr(options, name))
    return image.Socket(
        has_buffers=has_buffers,
        socket_flags=_PASSCRED if options.passcred else 0,
        socket_state=_socket_state(socket),
        sock_common=image.SockCommon(
            bound_dev_if=0, reuse=int(options.reuse), family=socket.family, state=socket.state
        ),
        sock=image.Sock(
            rcvlowat=options.rcvlowat,
            flags=flags | (_DEAD if socket.dead else 0),
            rcvtimeo=_jiffies(options.rcvtimeo_ns),
            sndtimeo=_jiffies(options.sndtimeo_ns),
            err=socket.error,
            err_soft=0,
            priority=options.priority & 0xFFFFFFFF,
            rcvbuf=options.rcvbuf // 2,
            sndbuf=options.sndbuf // 2,
            type=socket.type,
            backlog=socket.backlog,
            protocol=socket.protocol,
            state=socket.state,
            shutdown=socket.shut,
            userlocks=options.userlocks,
            no_check=int(options.no_check),
            linger_onoff=int(options.linger),
            linger_seconds=options.linger_seconds,
        ),
    )


def _socket_state(socket: Socket) -> int:
    if socket.connecting:
        return _SS_CONNECTING
    return _SS_CONNECTED if socket.state in _CONNECTED_STATES else _SS_UNCONNECTED


def _jiffies(timeout_ns: int) -> int:
    return timeout_ns // JIFFY_NS if timeout_ns else FOR_EVER_JIFFIES


def fill_common(ctx: Restart, socket: Socket, record: image.Socket) -> None:
    """Give a new socket what the record says. Everything is checked."""
    sock, options = record.sock, socket.options
    _check(ctx, record)
    options.passcred = bool(record.socket_flags)
    for name, bit in _FLAGS.items():
        setattr(options, name, bool(sock.flags & bit))
    options.reuse = bool(record.sock_common.reuse)
    options.no_check = bool(sock.no_check)
    options.priority = sock.priority - (sock.priority >> 31 << 32)
    options.rcvlowat = sock.rcvlowat
    options.rcvtimeo_ns = _timeout_ns(sock.rcvtimeo)
    options.sndtimeo_ns = _timeout_ns(sock.sndtimeo)
    # As setsockopt keeps them: with less, a stream would go byte by byte.
    options.rcvbuf = max(2 * sock.rcvbuf, LEAST_RCVBUF)
    options.sndbuf = max(2 * sock.sndbuf, LEAST_SNDBUF)
    options.userlocks = sock.userlocks
    options.linger_seconds = sock.linger_seconds
    socket.dead = bool(sock.flags & _DEAD)
    socket.state, socket.shut, socket.error = sock.state, sock.shutdown, sock.err
    socket.backlog = sock.backlog
    socket.connecting = record.socket_state == _SS_CONNECTING
    if socket.dead and (record.has_buffers or socket.state != abi.TCP_CLOSE):
        ctx.refuse("a closed socket with messages or a state")


def _timeout_ns(jiffies: int) -> int:
    return 0 if jiffies == FOR_EVER_JIFFIES else max(jiffies * JIFFY_NS, 1)


def _check(ctx: Restart, record: image.Socket) -> None:
    sock = record.sock
    if record.sock_common.state != sock.state or not 1 <= sock.state <= abi.TCP_CLOSING:
        ctx.refuse(f"state {sock.state} of a socket")
    if record.socket_state not in (_SS_UNCONNECTED, _SS_CONNECTING, _SS_CONNECTED):
        ctx.refuse(f"socket state {record.socket_state}")
    if record.has_buffers > 1 or record.socket_flags & ~_PASSCRED or sock.flags & ~_ALL_FLAGS:
        ctx.refuse("unknown flags of a socket")
    if bool(sock.flags & _FLAGS["linger"]) != bool(sock.linger_onoff):
        ctx.refuse("the flag and the option SO_LINGER do not agree")
    if not 0 < sock.rcvbuf <= _MOST_BUFFER or not 0 < sock.sndbuf <= _MOST_BUFFER:
        ctx.refuse("a socket with buffers of absurd size")
    if not 0 <= sock.backlog <= abi.SOMAXCONN:
        ctx.refuse(f"a backlog of {sock.backlog}")
    if sock.shutdown > abi.SHUTDOWN_MASK or sock.userlocks > 3 or record.sock_common.bound_dev_if:
        ctx.refuse("a socket with unknown locks, or bound to a device")
    if not 0 < sock.rcvlowat < 1 << 31 or sock.err_soft:
        ctx.refuse(f"a low-water mark of {sock.rcvlowat}")
    if sock.linger_seconds < 0 and sock.linger_seconds != LINGER_FOR_EVER:
        ctx.refuse(f"SO_LINGER of {sock.linger_seconds} seconds")
    for jiffies in (sock.rcvtimeo, sock.sndtimeo):
        if jiffies < 0:
            ctx.refuse(f"a timeout of {jiffies} jiffies")
    if sock.err and sock.err not in by_number():
        ctx.refuse(f"there is no error {sock.err}")
