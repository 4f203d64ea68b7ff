"""UNIX datagram sockets.

A socket takes few datagrams that nobody has read; further senders wait for room at the receiver.

Mirrors:  Linux net/unix/af_unix.c (unix_dgram_*).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    ECONNREFUSED,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    EPERM,
    EPIPE,
)
from kernel_model.net.message import Message, Outgoing, Received
from kernel_model.net.socket import OUT_EVENTS
from kernel_model.net.unix import UnixSocket
from kernel_model.net.unix_stream import receive_packet
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

MOST_UNREAD = 10
"""net.unix.max_dgram_qlen: one more is taken."""
_DATAGRAM_ROOM = 32


class UnixDatagram(UnixSocket):
    """SOCK_DGRAM."""

    type = abi.SOCK_DGRAM
    peer: UnixDatagram | None

    def __init__(self, net: NetNamespace, protocol: int = 0) -> None:
        super().__init__(net, protocol)
        self.room = WaitQueue(OUT_EVENTS)
        """Those who wait to send to it."""
        self.clients: list[UnixDatagram] = []
        """Those who are connected to it."""
        self.backlog = MOST_UNREAD

    def set_peer(self, other: UnixDatagram | None) -> None:
        """Send to `other` from now on."""
        if self.peer is not None:
            self.peer.clients.remove(self)
        self.peer = other
        if other is not None:
            other.clients.append(self)
        self.state = abi.TCP_ESTABLISHED if other is not None else abi.TCP_CLOSE

    def connect(self, task: Task, address: bytes, *, dont_wait: bool) -> None:
        """Choose whom to send to and to receive from; AF_UNSPEC: nobody."""
        if len(address) < 2:
            raise EINVAL("an address without a family")
        family = int.from_bytes(address[:2], task.abi.byte_order)
        other: UnixDatagram | None = None
        if family != abi.AF_UNSPEC:
            self._name_of(task, address)
            if self.options.passcred:
                self.autobind()
            found = self.find(task, address)
            assert isinstance(found, UnixDatagram)
            other = found
            _may_send(self, other)
        if self.peer is not None and self.peer is not other:
            self._lose_strangers()
        self.set_peer(other)
        self.writable.wake_all()

    def _lose_strangers(self) -> None:
        """What the old peer has sent is lost, and the old peer hears of it."""
        old = self.peer
        assert old is not None
        if self.queue:
            self.drop_queue()
            self.room.wake_all()
            if not old.dead and old.peer is self:
                old.error = 104
                old.wake_everybody()

    def join(self, other: UnixDatagram) -> None:
        """socketpair."""
        self.set_peer(other)
        other.set_peer(self)

    @property
    def is_full(self) -> bool:
        """Whether senders have to wait."""
        return len(self.queue) > self.backlog

    def remove(self, message: Message, freed: int = -1) -> None:
        """A datagram was read: there is room for another."""
        super().remove(message, freed)
        if not self.is_full:
            self.room.wake_all()
            for client in self.clients:
                client.writable.wake_all()

    @property
    def longest(self) -> float:
        """What fits into SO_SNDBUF."""
        return self.options.sndbuf - _DATAGRAM_ROOM

    def send_some(self, task: Task, out: Outgoing, start: int) -> int:
        """One datagram, whole."""
        self.check_flags(out.flags)
        other = self.peer
        if out.address:
            self._name_of(task, out.address)
        elif other is None:
            raise ENOTCONN("there is nobody to send to")
        if self.options.passcred:
            self.autobind()
        if len(out.data) > self.longest:
            raise EMSGSIZE(f"a datagram of {len(out.data)} bytes")
        self.raise_error()
        if not self.has_room:
            raise self.wait_for_room(task, self.writable, dont_wait=out.dont_wait)
        if self.shut & abi.SEND_SHUTDOWN:
            raise EPIPE("the socket does not send any more")
        if out.address:
            found = self.find(task, out.address)
            assert isinstance(found, UnixDatagram)
            other = found
        assert other is not None
        _may_send(self, other)
        if other.dead:
            if self.peer is other:
                self._lose_strangers()
                self.set_peer(None)
                self.wake_everybody()
            raise ECONNREFUSED("the receiver is gone")
        if other.shut & abi.RCV_SHUTDOWN:
            raise EPIPE("the receiver does not receive any more")
        if other.peer is not self and other.is_full:
            raise self.wait_for_room(task, other.room, other.changed, dont_wait=out.dont_wait)
        self.post(other, out, task, out.data, first=True)
        return len(out.data)

    def recv(self, task: Task, count: int, flags: int) -> Received:
        """One datagram; what does not fit is lost."""
        self.check_flags(flags)
        self.raise_error()
        if not self.queue:
            dont_wait = bool(flags & abi.MSG_DONTWAIT)
            if self.shut & abi.RCV_SHUTDOWN and not dont_wait:
                return Received(ends=True)
            raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)
        return receive_packet(self, task, count, flags)

    def shutdown(self, task: Task, how: int) -> None:
        """Close directions of this end; nobody else is told."""
        self.shut |= how + 1
        self.wake_everybody()
        self.room.wake_all()

    def release(self) -> None:
        """Closed."""
        super().release()
        self.forget_name()
        self.shut = abi.SHUTDOWN_MASK
        self.set_peer(None)
        self.drop_queue()
        self.wake_everybody()
        self.room.wake_all()
        for client in self.clients:
            client.wake_everybody()

    def poll(self) -> int:
        """Writable with room here and at the receiver."""
        mask = super().poll()
        full = self.peer is not None and self.peer.peer is not self and self.peer.is_full
        if self.is_writable and not full:
            mask |= OUT_EVENTS
        return mask


def _may_send(sender: UnixDatagram, other: UnixDatagram) -> None:
    if other.peer is not None and other.peer is not sender:
        raise EPERM("the receiver is connected to another socket")
