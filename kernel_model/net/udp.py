"""UDP over the loopback device.

A datagram for which there is no room, or no receiver, is lost; a connected sender hears of the
latter with its next call.

Mirrors:  Linux net/ipv4/udp.c, net/core/datagram.c.
Not modelled: multicast, broadcast, UDP_CORK, error queues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EACCES,
    ECONNREFUSED,
    EDESTADDRREQ,
    EINVAL,
    EMSGSIZE,
    ENOTCONN,
    EOPNOTSUPP,
    EPIPE,
)
from kernel_model.net.inet import ANY4, MAPPED, Endpoint, InetSocket, is_any, sockaddr
from kernel_model.net.message import Message, Outgoing, Received
from kernel_model.net.socket import OUT_EVENTS

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

_LARGEST = 65507
_BROADCAST = MAPPED + b"\xff\xff\xff\xff"


class UdpSocket(InetSocket):
    """A UDP socket."""

    type = abi.SOCK_DGRAM

    def __init__(self, net: NetNamespace, family: int, protocol: int = abi.IPPROTO_UDP) -> None:
        super().__init__(net, family, abi.IPPROTO_UDP)

    def excludes(self, other: InetSocket) -> bool:
        """With SO_REUSEADDR on both sides all share a port."""
        return False

    def connect(self, task: Task, address: bytes, *, dont_wait: bool) -> None:
        """Choose whom to send to and to receive from."""
        if self.is_unspecified(task, address):
            self.remote, self.state = None, abi.TCP_CLOSE
            if not self.port_locked:
                self.give_back()
                self.local = Endpoint(self.any, 0)
            return
        target = self.reachable(self.parse(task, address))
        self.autobind()
        self.local = self.source_for(target)
        self.remote, self.state = target, abi.TCP_ESTABLISHED

    @property
    def longest(self) -> float:
        """What the length in the header can say."""
        return 0xFFFF

    def send_some(self, task: Task, out: Outgoing, start: int) -> int:
        """One datagram; whatever is wrong with it, the socket has a port after it."""
        self.autobind()
        if len(out.data) > 0xFFFF:
            raise EMSGSIZE(f"a datagram of {len(out.data)} bytes")
        if out.flags & abi.MSG_OOB:
            raise EOPNOTSUPP("UDP has no urgent data")
        target = self.remote
        if out.address is not None:
            target = self.parse(task, self.specified(task, out.address))
            if not target.port:
                raise EINVAL("a datagram to port 0")
            if target.host == _BROADCAST and not self.options.broadcast:
                raise EACCES("broadcast needs SO_BROADCAST")
            target = self.reachable(target)
        elif target is None:
            raise EDESTADDRREQ("there is nobody to send to")
        self.raise_error()
        if self.shut & abi.SEND_SHUTDOWN:
            raise EPIPE("the socket does not send any more")
        if len(out.data) > _LARGEST:
            raise EMSGSIZE(f"a datagram of {len(out.data)} bytes")
        source = self.source_for(target)
        receiver = _find(self.net, target, source)
        if receiver is not None:
            receiver.deliver(out.data, source)
        elif self.remote == target:
            self.error = ECONNREFUSED.errno
            self.wake_everybody()
        return len(out.data)

    def deliver(self, data: bytes, source: Endpoint) -> None:
        """A datagram has come; it is lost if there is no room."""
        message = Message(bytearray(data), source=source)
        taken = sum(each.cost for each in self.queue)
        if taken + message.cost <= self.options.rcvbuf:
            self.queue.append(message)
            self.arrived()

    def recv(self, task: Task, count: int, flags: int) -> Received:
        """One datagram; what does not fit is lost."""
        self.raise_error()
        if not self.queue:
            dont_wait = bool(flags & abi.MSG_DONTWAIT)
            if self.shut & abi.RCV_SHUTDOWN and not dont_wait:
                return Received(ends=True)
            raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)
        message = self.queue[0]
        received = Received(bytes(message.data[:count]), ends=True)
        received.address = sockaddr(self.family, task.abi.order, message.source)
        if count < len(message.data):
            received.flags |= abi.MSG_TRUNC
        if flags & abi.MSG_TRUNC:
            received.result = len(message.data)
        if not flags & abi.MSG_PEEK:
            self.remove(message)
        return received

    def shutdown(self, task: Task, how: int) -> None:
        """Close directions of this end."""
        unconnected = self.state == abi.TCP_CLOSE
        self.shut |= how + 1
        self.wake_everybody()
        if unconnected:
            raise ENOTCONN("the socket is not connected")

    def release(self) -> None:
        """Closed."""
        super().release()
        self.give_back()
        self.drop_queue()
        self.state, self.shut = abi.TCP_CLOSE, abi.SHUTDOWN_MASK
        self.wake_everybody()

    def poll(self) -> int:
        """Nearly always writable."""
        return super().poll() | (OUT_EVENTS if self.is_writable else 0)


def _find(net: NetNamespace, target: Endpoint, source: Endpoint) -> UdpSocket | None:
    """The receiver of a datagram: the one whose addresses say most about it."""
    best: UdpSocket | None = None
    best_score = -1
    four = target.host.startswith(MAPPED)
    for other in net.bound:
        if not isinstance(other, UdpSocket) or other.local.port != target.port:
            continue
        if other.remote is not None and other.remote != source:
            continue
        host = other.local.host
        if host != target.host and not is_any(host):
            continue
        if is_any(host) and ((host == ANY4 and not four) or (other.v6only and four)):
            continue
        score = 2 * (host == target.host) + 2 * (other.remote is not None) + (host == ANY4)
        if score > best_score:
            best, best_score = other, score
    return best
