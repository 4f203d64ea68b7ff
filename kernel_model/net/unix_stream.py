"""Connected UNIX sockets: streams, and packets in sequence.

connect() makes the new socket of the listening side at once, and leaves it in the listener's
`pending` list until accept() takes it; data may be sent to it before.

Mirrors:  Linux net/unix/af_unix.c (unix_stream_*, unix_seqpacket_*, unix_accept).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    ECONNREFUSED,
    ECONNRESET,
    EINVAL,
    EISCONN,
    EMSGSIZE,
    ENOTCONN,
    EOPNOTSUPP,
    EPIPE,
)
from kernel_model.abi.fcntl import POLLHUP, POLLIN, POLLRDNORM
from kernel_model.net.message import Message, Outgoing, Received
from kernel_model.net.socket import OUT_EVENTS, Socket
from kernel_model.net.unix import UnixSocket

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

_LARGEST_PART = 32768
_DATAGRAM_ROOM = 32
U = TypeVar("U", bound="ConnectedUnix")


class ConnectedUnix(UnixSocket):
    """What streams and packets in sequence have in common: connections."""

    peer: ConnectedUnix | None

    def __init__(self, net: NetNamespace, protocol: int = 0) -> None:
        super().__init__(net, protocol)
        self.listener: ConnectedUnix | None = None
        """Where it waits to be accepted."""

    def join(self, other: ConnectedUnix) -> None:
        """Connect two sockets with each other."""
        self.peer, other.peer = other, self
        self.state = other.state = abi.TCP_ESTABLISHED

    def listen(self, task: Task, backlog: int) -> None:
        """Let others connect."""
        if self.name is None or self.state not in (abi.TCP_CLOSE, abi.TCP_LISTEN):
            raise EINVAL("a socket that listens has a name and no peer")
        if backlog > self.backlog:
            self.changed.wake_all()
        self.backlog = backlog
        self.state = abi.TCP_LISTEN
        self.peercred = self.peer_cred(task)

    def connect(self, task: Task, address: bytes, *, dont_wait: bool) -> None:
        """Connect to a socket that listens; wait while too many others wait to be accepted."""
        self._name_of(task, address)
        if self.options.passcred:
            self.autobind()
        other = self.find(task, address)
        assert isinstance(other, ConnectedUnix)
        if other.state != abi.TCP_LISTEN or other.shut & abi.RCV_SHUTDOWN:
            raise ECONNREFUSED("nobody listens at this name")
        if len(other.pending) > other.backlog:
            timeout_ns = self.options.sndtimeo_ns
            raise other.wait(task, timeout_ns, other.changed, dont_wait=dont_wait)
        if self.state == abi.TCP_ESTABLISHED:
            raise EISCONN("the socket is connected")
        if self.state != abi.TCP_CLOSE:
            raise EINVAL("the socket listens")
        child = type(self)(self.net)
        child.name = other.name
        child.options.passcred = other.options.passcred
        child.options.sndbuf = other.options.sndbuf
        child.peercred = self.peer_cred(task)
        self.peercred = other.peercred
        self.join(child)
        child.listener = other
        other.pending.append(child)
        other.arrived()
        self.changed.wake_all()

    def accept(self, task: Task, *, dont_wait: bool) -> Socket:
        """The connection that waits longest."""
        if self.state != abi.TCP_LISTEN:
            raise EINVAL("the socket does not listen")
        if not self.pending:
            if self.shut & abi.RCV_SHUTDOWN and not dont_wait:
                raise EINVAL("the socket was shut down")
            raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)
        child = self.pending.pop(0)
        assert isinstance(child, ConnectedUnix)
        child.listener = None
        self.changed.wake_all()
        return child

    def shutdown(self, task: Task, how: int) -> None:
        """Close one direction or both; the other end sees the opposite closed."""
        mode = how + 1
        self.shut |= mode
        self.wake_everybody()
        other = self.peer
        if other is not None and not other.dead:
            other.shut |= (mode & 1) << 1 | mode >> 1
            other.heard_of_end()

    def release(self) -> None:
        """Closed: the other end hears of it, and whether anything was left unread."""
        super().release()
        self.forget_name()
        self.shut = abi.SHUTDOWN_MASK
        other, self.peer = self.peer, None
        if other is not None and not other.dead:
            other.shut = abi.SHUTDOWN_MASK
            if self.queue or self.listener is not None:
                other.error = ECONNRESET.errno
            other.heard_of_end()
        self.drop_queue()
        for child in self.pending:
            child.release()
        self.pending.clear()
        self.state = abi.TCP_CLOSE
        self.wake_everybody()

    def unread(self) -> int:
        """FIONREAD: the bytes of all messages, of packets too."""
        if self.state == abi.TCP_LISTEN:
            raise EINVAL("a socket that listens has no bytes")
        return sum(len(message.data) for message in self.queue)

    def poll(self) -> int:
        """Readable with connections to accept; hung up without one; writable with room."""
        mask = super().poll()
        if self.pending:
            mask |= POLLIN | POLLRDNORM
        if self.state == abi.TCP_CLOSE:
            mask |= POLLHUP
        if self.is_writable and self.state != abi.TCP_LISTEN:
            mask |= OUT_EVENTS
        return mask

    def _target(self, task: Task) -> ConnectedUnix:
        other = self.peer
        if other is None:
            raise ENOTCONN("there is no other end")
        if self.shut & abi.SEND_SHUTDOWN or other.dead or other.shut & abi.RCV_SHUTDOWN:
            raise EPIPE("nobody reads at the other end")
        return other


class UnixStream(ConnectedUnix):
    """SOCK_STREAM."""

    type = abi.SOCK_STREAM
    stream = True
    peer: ConnectedUnix | None

    @property
    def part_bytes(self) -> int:
        """Half of the buffer, and no more than one allocation."""
        return min(self.options.sndbuf // 2 - 64, _LARGEST_PART)

    def send_some(self, task: Task, out: Outgoing, start: int) -> int:
        """Put a run of bytes at the other end."""
        self.check_flags(out.flags)
        if out.address:
            if self.state == abi.TCP_ESTABLISHED:
                raise EISCONN("a connected stream takes no address")
            raise EOPNOTSUPP("a stream takes no address")
        other = self._target(task)
        left = len(out.data) - start
        if not left:
            return 0
        if not self.has_room:
            raise self.wait_for_room(task, self.writable, dont_wait=out.dont_wait)
        count = min(left, self.part_bytes)
        data = out.data[start : start + count]
        self.post(other, out, task, data, first=not start)
        return count

    def recv(self, task: Task, count: int, flags: int) -> Received:
        """Bytes that were sent by one sender; files end a run."""
        self.check_flags(flags)
        if self.state != abi.TCP_ESTABLISHED:
            raise EINVAL("the socket is not connected")
        received = Received()
        if not self.queue:
            self.raise_error()
            if self.shut & abi.RCV_SHUTDOWN:
                received.ends = True
                return received
            dont_wait = bool(flags & abi.MSG_DONTWAIT)
            raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)
        first = self.queue[0]
        received.cred = first.cred
        received.address = sender_of(first, task)
        parts: list[bytes] = []
        left = count
        for message in list(self.queue):
            if not left or message.cred != received.cred:
                break
            files = bool(message.files)
            self.landed_files(message, received, peek=bool(flags & abi.MSG_PEEK))
            if flags & abi.MSG_PEEK:
                parts.append(bytes(message.data[:left]))
            else:
                parts.append(self.take(message, left))
            left -= len(parts[-1])
            if files:
                received.ends = True
                break
        received.data = b"".join(parts)
        return received


class UnixSeqpacket(ConnectedUnix):
    """SOCK_SEQPACKET: messages keep their bounds."""

    type = abi.SOCK_SEQPACKET

    @property
    def longest(self) -> float:
        """What fits into SO_SNDBUF."""
        return self.options.sndbuf - _DATAGRAM_ROOM

    def check_sends(self) -> None:
        """Nothing of a message is looked at without a connection, or with an error to tell."""
        self.raise_error()
        if self.state != abi.TCP_ESTABLISHED:
            raise ENOTCONN("the socket is not connected")

    def send_some(self, task: Task, out: Outgoing, start: int) -> int:
        """One packet, whole."""
        self.check_sends()
        self.check_flags(out.flags)
        if self.options.passcred:
            self.autobind()
        if len(out.data) > self.longest:
            raise EMSGSIZE(f"a packet of {len(out.data)} bytes")
        other = self._target(task)
        if not self.has_room:
            raise self.wait_for_room(task, self.writable, dont_wait=out.dont_wait)
        self.post(other, out, task, out.data, first=True)
        return len(out.data)

    def recv(self, task: Task, count: int, flags: int) -> Received:
        """One packet; what does not fit is lost."""
        self.check_flags(flags)
        if self.state != abi.TCP_ESTABLISHED:
            raise ENOTCONN("the socket is not connected")
        self.raise_error()
        if not self.queue:
            if self.shut & abi.RCV_SHUTDOWN:
                return Received(ends=True)
            dont_wait = bool(flags & abi.MSG_DONTWAIT)
            raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)
        return receive_packet(self, task, count, flags)


def sender_of(message: Message, task: Task) -> bytes | None:
    """The name of who sent a message; None if it has none."""
    sender = message.sender
    if isinstance(sender, UnixSocket) and sender.name is not None:
        return sender.sockaddr(task)
    return None


def receive_packet(socket: UnixSocket, task: Task, count: int, flags: int) -> Received:
    """The first message of the queue, cut to `count` bytes."""
    message = socket.queue[0]
    length = len(message.data)
    received = Received(bytes(message.data[:count]), cred=message.cred, ends=True)
    received.address = sender_of(message, task)
    if count < length:
        received.flags |= abi.MSG_TRUNC
    if flags & abi.MSG_TRUNC:
        received.result = length
    socket.landed_files(message, received, peek=bool(flags & abi.MSG_PEEK))
    if not flags & abi.MSG_PEEK:
        socket.remove(message)
    return received
