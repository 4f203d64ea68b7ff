"""TCP over the loopback device: connections between sockets of one network namespace.

Segments arrive at once, so the states in which one side waits for the other's acknowledgment are
never seen. What is left of a closed connection is an entry of the namespace (TIME_WAIT).

Mirrors:  Linux net/ipv4/tcp.c, tcp_input.c (tcp_fin, tcp_reset), inet_connection_sock.c.
Deviates: nothing is lost or resent: a connection that finds the listener's queue full is made
          when accept() has made room. A connection without its other end (it is not in the image)
          is reset at the first byte sent.
Not modelled: urgent data, windows, keepalive probes, TCP_INFO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EADDRINUSE,
    EAFNOSUPPORT,
    EAGAIN,
    EALREADY,
    ECONNABORTED,
    ECONNREFUSED,
    ECONNRESET,
    EINPROGRESS,
    EINVAL,
    EISCONN,
    ENOTCONN,
    EOPNOTSUPP,
    EPIPE,
)
from kernel_model.abi.fcntl import POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM
from kernel_model.net.inet import ANY4, MAPPED, Endpoint, InetSocket, is_any
from kernel_model.net.message import Message, Outgoing, Received
from kernel_model.net.socket import Socket, error_of
from kernel_model.vfs.owner import POLL_OUT

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

SEND_BYTES, RECEIVE_BYTES = 87040, 131072
_SIOCATMARK = 0x8905


class TcpSocket(InetSocket):
    """A TCP socket."""

    type = abi.SOCK_STREAM
    stream = True

    def __init__(self, net: NetNamespace, family: int, protocol: int = abi.IPPROTO_TCP) -> None:
        super().__init__(net, family, abi.IPPROTO_TCP)
        self.options.sndbuf, self.options.rcvbuf = SEND_BYTES, RECEIVE_BYTES
        self.peer: TcpSocket | None = None
        """The other end, unless it is closed."""
        self.listener: TcpSocket | None = None
        """Where it waits to be accepted."""
        self.fin_received = False
        """The other end sends nothing any more."""

    # ---- making connections

    def conflicts(self, wanted: Endpoint) -> bool:
        """Closed connections keep their port for a while."""
        if super().conflicts(wanted):
            return True
        now_ns = self.net.clock.now_ns()
        return any(
            entry.local_port == wanted.port
            and not (entry.reuse and self.options.reuse)
            and self.overlaps(wanted.host, entry.local, False)
            for entry in self.net.all_time_wait(now_ns)
        )

    def listen(self, task: Task, backlog: int) -> None:
        """Let others connect."""
        if self.state not in (abi.TCP_CLOSE, abi.TCP_LISTEN) or self.remote is not None:
            raise EINVAL("the socket is connected")
        self.autobind()
        listening = any(
            other is not self
            and isinstance(other, TcpSocket)
            and other.state == abi.TCP_LISTEN
            and other.local.port == self.local.port
            and self.overlaps(self.local.host, other.local.host, other.v6only)
            for other in self.net.bound
        )
        if listening:
            raise EADDRINUSE("another socket listens at this port")
        self.state, self.shut, self.backlog = abi.TCP_LISTEN, 0, backlog
        self._admit()

    def connect(self, task: Task, address: bytes, *, dont_wait: bool) -> None:
        """Connect; tells the result of an earlier call that did not wait."""
        if self.is_unspecified(task, address):
            self._disconnect()
            return
        if self.connecting:
            if self.state == abi.TCP_SYN_SENT and dont_wait:
                raise EALREADY("the connection is being made")
            self._finish_connect(task, dont_wait=dont_wait)
            return
        if self.state != abi.TCP_CLOSE or self.remote is not None:
            raise EISCONN("the socket is connected, or was, or listens")
        target = self.parse(task, address)
        if self.family != abi.AF_INET and target.host.startswith(MAPPED) and self.v6only:
            raise EAFNOSUPPORT("an IPv4 address, but IPV6_V6ONLY is set")
        target = self.reachable(target)
        self.autobind()
        self.local, self.remote = self.source_for(target), target
        self.shut, self.error, self.fin_received = 0, 0, False
        self.state, self.connecting = abi.TCP_SYN_SENT, True
        self._try_connect()
        if dont_wait:
            raise EINPROGRESS("the connection is being made")
        self._finish_connect(task, dont_wait=False)

    def _finish_connect(self, task: Task, *, dont_wait: bool) -> None:
        if self.state == abi.TCP_SYN_SENT:
            try:
                raise self.wait(task, self.options.sndtimeo_ns, dont_wait=dont_wait)
            except EAGAIN:
                raise EINPROGRESS("the time of SO_SNDTIMEO is over") from None
        self.connecting = False
        if self.state == abi.TCP_CLOSE:
            number, self.error = self.error or ECONNABORTED.errno, 0
            self._disconnect()
            raise error_of(number)

    def _disconnect(self) -> None:
        self._reset_peer()
        if self.state in (*abi.CONNECTED, abi.TCP_SYN_SENT):
            self.error = ECONNRESET.errno
        self.state, self.connecting, self.shut = abi.TCP_CLOSE, False, 0
        self.remote, self.fin_received = None, False
        self.drop_queue()
        self._leave_port()
        self.wake_everybody()

    def _leave_port(self) -> None:
        if not self.port_locked:
            self.give_back()
            self.local = Endpoint(self.any, 0)

    def _try_connect(self) -> None:
        """Knock: connected, refused, or still waiting because there is no room."""
        assert self.remote is not None
        listener = find_listener(self.net, self.remote)
        if listener is None:
            self._closed_by(ECONNREFUSED.errno)
        elif len(listener.pending) <= listener.backlog:
            listener.make_child(self)

    def make_child(self, client: TcpSocket) -> None:
        """A connection has come."""
        assert client.remote is not None
        child = TcpSocket(self.net, self.family)
        child.options = type(self.options)(**vars(self.options))
        child.settings = dict(self.settings)
        child.local, child.remote = client.remote, client.local
        child.state = client.state = abi.TCP_ESTABLISHED
        child.peer, client.peer = client, child
        child.listener = self
        child.take_port(child.local)
        self.pending.append(child)
        self.arrived()
        client.wake_everybody()
        client.tell(POLL_OUT)

    def _admit(self) -> None:
        """There may be room for connections that wait."""
        for other in list(self.net.bound):
            if isinstance(other, TcpSocket) and other.state == abi.TCP_SYN_SENT:
                assert other.remote is not None
                if find_listener(self.net, other.remote) in (self, None):
                    other._try_connect()

    def accept(self, task: Task, *, dont_wait: bool) -> Socket:
        """The connection that waits longest."""
        if self.state != abi.TCP_LISTEN:
            raise EINVAL("the socket does not listen")
        if not self.pending:
            raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)
        child = self.pending.pop(0)
        assert isinstance(child, TcpSocket)
        child.listener = None
        self._admit()
        return child

    def peer_name(self, task: Task) -> bytes:
        """Of a connection that was just accepted and is reset already: ENOTCONN too."""
        return super().peer_name(task)

    # ---- ending them

    def _closed_by(self, error: int) -> None:
        """The connection is over."""
        self.error, self.state, self.shut = error, abi.TCP_CLOSE, abi.SHUTDOWN_MASK
        self.peer = None
        if not self.port_locked:
            self.give_back()
        self.wake_everybody()

    def _reset_peer(self) -> None:
        """RST."""
        other, self.peer = self.peer, None
        if other is not None:
            other.get_reset()

    def get_reset(self) -> None:
        """The other end knows nothing of this connection."""
        self._closed_by((EPIPE if self.state == abi.TCP_CLOSE_WAIT else ECONNRESET).errno)

    def _send_fin(self) -> None:
        """This end sends nothing any more."""
        other = self.peer
        if self.state == abi.TCP_ESTABLISHED:
            if other is None:
                self.get_reset()
                return
            self.state = abi.TCP_FIN_WAIT2
            other.state = abi.TCP_CLOSE_WAIT
        elif self.state == abi.TCP_CLOSE_WAIT:
            self._last_fin(other)
        if other is not None:
            other.fin_received = True
            other.shut |= abi.RCV_SHUTDOWN
            other.heard_of_end()

    def _last_fin(self, other: TcpSocket | None) -> None:
        """Both ends are closed now: the one that began waits."""
        assert self.remote is not None
        if other is not None:
            other.remember()
            other.state, other.shut, other.peer = abi.TCP_CLOSE, abi.SHUTDOWN_MASK, None
            if not other.port_locked:
                other.give_back()
        else:
            self.net.prolong_time_wait(self.remote, self.local)
        self.state, self.shut, self.peer = abi.TCP_CLOSE, abi.SHUTDOWN_MASK, None
        if not self.port_locked:
            self.give_back()

    def remember(self) -> None:
        """TIME_WAIT, or a closed FIN_WAIT2."""
        assert self.remote is not None
        if self in self.net.bound:
            self.net.enter_time_wait(self.local, self.remote, reuse=self.options.reuse)

    def shutdown(self, task: Task, how: int) -> None:
        """Close one direction or both."""
        mode = how + 1
        if self.state in (abi.TCP_LISTEN, abi.TCP_SYN_SENT):
            if self.state == abi.TCP_SYN_SENT or mode & abi.RCV_SHUTDOWN:
                self._stop_listening()
                self.state, self.connecting, self.remote = abi.TCP_CLOSE, False, None
                self.wake_everybody()
            return
        unconnected = self.state == abi.TCP_CLOSE
        self.shut |= mode
        if not unconnected:
            self.connecting = False  # nobody asks any more how it went
        if mode & abi.SEND_SHUTDOWN and self.state in abi.CONNECTED:
            self._send_fin()
        self.wake_everybody()
        if unconnected:
            raise ENOTCONN("the socket is not connected")

    def _stop_listening(self) -> None:
        for child in self.pending:
            child.release()
        self.pending.clear()
        if self.state == abi.TCP_LISTEN:
            self.state = abi.TCP_CLOSE
            self._admit()

    def release(self) -> None:
        """Closed: with a FIN, or with a RST if something was not read."""
        super().release()
        self._stop_listening()
        hard = self.queue or (self.options.linger and not self.options.linger_seconds)
        if hard or self.listener is not None:
            self._reset_peer()
        elif self.state in abi.CONNECTED:
            self._send_fin()
            if self.state == abi.TCP_FIN_WAIT2:
                self.remember()
            if self.peer is not None:
                self.peer.peer = None
        self.peer = None
        self.drop_queue()
        self.give_back()
        self.state, self.shut = abi.TCP_CLOSE, abi.SHUTDOWN_MASK
        self.connecting = False
        self.wake_everybody()

    # ---- bytes

    def send_some(self, task: Task, out: Outgoing, start: int) -> int:
        """Put a run of bytes at the other end."""
        if out.flags & abi.MSG_OOB and self.state in abi.CONNECTED:
            raise EOPNOTSUPP("urgent data is not modelled")
        if self.state == abi.TCP_SYN_SENT:
            raise self.wait_for_room(task, self.writable, dont_wait=out.dont_wait)
        if self.error or self.state not in abi.CONNECTED or self.shut & abi.SEND_SHUTDOWN:
            self.raise_error()
            raise EPIPE("the connection is closed, or was never made")
        left = len(out.data) - start
        if not left:
            return 0
        other = self.peer
        if other is None:
            self.get_reset()
            return left
        if other.state == abi.TCP_FIN_WAIT2 and other.shut & abi.RCV_SHUTDOWN:
            self._reset_peer()  # nobody can ever read it
            self.get_reset()
            return left
        room = self.options.sndbuf - self.used
        if room <= 0:
            raise self.wait_for_room(task, self.writable, dont_wait=out.dont_wait)
        data = out.data[start : start + room]
        last = other.queue[-1] if other.queue else None
        if last is not None:
            last.data += data
            self.used += len(data)
            other.arrived()
        else:
            self.put(other, Message(bytearray(data)))
        return len(data)

    def recv(self, task: Task, count: int, flags: int) -> Received:
        """Bytes that have come."""
        if self.state == abi.TCP_LISTEN:
            raise ENOTCONN("a socket that listens has no bytes")
        if flags & abi.MSG_OOB:
            raise EINVAL("urgent data is not modelled")
        if self.queue:
            first = self.queue[0]
            if flags & abi.MSG_PEEK:
                data = bytes(first.data[:count])
            else:
                data = self.take(first, count)
            if flags & abi.MSG_TRUNC:  # counted, and thrown away unread
                return Received(ends=True, result=len(data))
            return Received(data)
        if self.fin_received:
            return Received(ends=True)
        self.raise_error()
        if self.shut & abi.RCV_SHUTDOWN and self.state != abi.TCP_LISTEN:
            return Received(ends=True)
        if self.state in (abi.TCP_CLOSE, abi.TCP_LISTEN):
            raise ENOTCONN("the socket is not connected")
        dont_wait = bool(flags & abi.MSG_DONTWAIT)
        raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)

    def unread(self) -> int:
        """FIONREAD. Raises EINVAL on a socket that listens."""
        if self.state == abi.TCP_LISTEN:
            raise EINVAL("a socket that listens has no bytes")
        return super().unread()

    def unsent(self) -> int:
        """SIOCOUTQ: nothing, for what is sent has come at once."""
        if self.state == abi.TCP_LISTEN:
            raise EINVAL("a socket that listens has no bytes")
        return 0

    def ioctl(self, task: Task, request: int, arg: int) -> int | None:
        """SIOCATMARK: never, for there is no urgent data."""
        if request == _SIOCATMARK:
            task.user.write_int(arg, 0)
            return 0
        return super().ioctl(task, request, arg)

    def poll(self) -> int:
        """A listening socket is readable when a connection waits."""
        if self.state == abi.TCP_LISTEN:
            return POLLIN | POLLRDNORM if self.pending else 0
        mask = super().poll()
        if not self.shut & abi.RCV_SHUTDOWN and super().unread() < self.options.rcvlowat:
            mask &= ~(POLLIN | POLLRDNORM)
        if self.state == abi.TCP_CLOSE:
            mask |= POLLHUP
        if self.state != abi.TCP_SYN_SENT:
            if self.is_writable or self.shut & abi.SEND_SHUTDOWN:
                mask |= POLLOUT | POLLWRNORM
        return mask


def find_listener(net: NetNamespace, target: Endpoint) -> TcpSocket | None:
    """Who listens at an address: first of all one that has just this address."""
    best: TcpSocket | None = None
    for other in net.bound:
        if not isinstance(other, TcpSocket) or other.state != abi.TCP_LISTEN:
            continue
        if other.local.port != target.port:
            continue
        if other.local.host == target.host:
            return other
        four = target.host.startswith(MAPPED)
        if is_any(other.local.host):
            if (other.local.host == ANY4 and not four) or (other.v6only and four):
                continue
            best = best or other
    return best
