"""Netlink sockets of the family NETLINK_ROUTE: questions about devices and addresses.

A request is answered within the call that sends it; the answers wait at the socket.

Mirrors:  Linux net/netlink/af_netlink.c, net/core/rtnetlink.c, as far as libcs and `ip link set`
          ask.
Not modelled: other families, routes, rules, neighbours; groups can be joined, and hear nothing.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EADDRINUSE,
    ECONNREFUSED,
    EINVAL,
    ENODEV,
    EOPNOTSUPP,
    EPERM,
    LinuxError,
)
from kernel_model.net import devices
from kernel_model.net.message import Message, Outgoing, Received
from kernel_model.net.socket import OUT_EVENTS, Socket

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

NETLINK_ROUTE = 0
RTM_NEWLINK, RTM_GETLINK, RTM_SETLINK, RTM_NEWADDR, RTM_GETADDR = 16, 18, 19, 20, 22
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP = 1, 2, 4, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
_HEAD_BYTES = 16
_FIRST_AUTOMATIC = 0xFFFFEFFF
IFLA_ADDRESS, IFLA_BROADCAST, IFLA_IFNAME, IFLA_MTU, IFLA_QDISC = 1, 2, 3, 4, 6
IFLA_TXQLEN, IFLA_OPERSTATE, IFLA_LINKMODE = 13, 16, 17
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL = 1, 2, 3
_IFA_PERMANENT, _SCOPE_HOST = 0x80, 254
_ADDRESSES = (
    (abi.AF_INET, 8, bytes([127, 0, 0, 1])),
    (abi.AF_INET6, 128, bytes(15) + b"\1"),
)


def _aligned(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // 4) * 4, b"\0")


class NetlinkSocket(Socket):
    """A netlink socket; `port` is its address, 0 until it has one."""

    family = abi.AF_NETLINK

    def __init__(self, net: NetNamespace, kind: int, protocol: int = NETLINK_ROUTE) -> None:
        super().__init__(net, protocol)
        self.type = kind
        self.port = 0
        self.groups = 0

    def _address(self, task: Task, address: bytes) -> tuple[int, int]:
        if len(address) < 12:
            raise EINVAL("a netlink address has 12 bytes")
        family, port, groups = struct.unpack(task.abi.order + "H2xII", address[:12])
        if family != abi.AF_NETLINK:
            raise EINVAL(f"family {family}")
        return port, groups

    def take_port(self, port: int) -> None:
        """Be found by a number. Raises EADDRINUSE."""
        if port in self.net.netlink:
            raise EADDRINUSE(f"netlink port {port} is taken")
        self.net.netlink[port] = self
        self.port = port

    def autobind(self, task: Task) -> None:
        """The number of the process, or one that nobody has."""
        port = task.vtgid
        if port in self.net.netlink:
            port = _FIRST_AUTOMATIC
            while port in self.net.netlink:
                port -= 1
        self.take_port(port)

    def bind(self, task: Task, address: bytes) -> None:
        """Take a number; 0: any."""
        port, groups = self._address(task, address)
        if self.port and port != self.port:
            raise EINVAL("the socket has another number")
        if not self.port:
            if port:
                self.take_port(port)
            else:
                self.autobind(task)
        self.groups = groups

    def connect(self, task: Task, address: bytes, *, dont_wait: bool) -> None:
        """Only the kernel can be talked to."""
        port, _ = self._address(task, address)
        if port:
            raise ECONNREFUSED("nobody but the kernel answers")
        if not self.port:
            self.autobind(task)

    def own_name(self, task: Task) -> bytes:
        """struct sockaddr_nl."""
        return struct.pack(task.abi.order + "H2xII", abi.AF_NETLINK, self.port, self.groups)

    def peer_name(self, task: Task) -> bytes:
        """The kernel."""
        return struct.pack(task.abi.order + "H2xII", abi.AF_NETLINK, 0, 0)

    def send_some(self, task: Task, out: Outgoing, start: int) -> int:
        """Requests; each is answered at once."""
        if out.address is not None and self._address(task, out.address)[0]:
            raise ECONNREFUSED("nobody but the kernel answers")
        if not self.port:
            self.autobind(task)
        data, order = out.data, task.abi.order
        while len(data) >= _HEAD_BYTES:
            length, kind, flags, sequence, _ = struct.unpack(order + "IHHII", data[:_HEAD_BYTES])
            if not _HEAD_BYTES <= length <= len(data):
                break
            if flags & NLM_F_REQUEST and kind >= RTM_NEWLINK:
                self._serve(task, kind, flags, sequence, data[:length])
            data = data[-(-length // 4) * 4 :]
        return len(out.data)

    def _serve(self, task: Task, kind: int, flags: int, sequence: int, request: bytes) -> None:
        number, answered = 0, False
        try:
            answered = self._answer(task, kind, flags, sequence, request[_HEAD_BYTES:])
        except LinuxError as error:
            number = error.errno
        if number or (flags & NLM_F_ACK and not answered):
            body = struct.pack(task.abi.order + "i", -number)
            body += request if number else request[:_HEAD_BYTES]
            self._put(self._message(task, NLMSG_ERROR, 0, sequence, body))

    def _answer(self, task: Task, kind: int, flags: int, sequence: int, body: bytes) -> bool:
        """Whether a dump has answered, so that there is nothing to acknowledge."""
        if kind in (RTM_GETLINK, RTM_GETADDR) and flags & NLM_F_DUMP == NLM_F_DUMP:
            family = body[0] if body else 0
            make = self._links if kind == RTM_GETLINK else self._addresses
            found = b"".join(make(task, NLM_F_MULTI, sequence, family))
            if found:
                self._put(found)
            done = struct.pack(task.abi.order + "i", 0)
            self._put(self._message(task, NLMSG_DONE, NLM_F_MULTI, sequence, done))
            return True
        if kind == RTM_GETLINK:
            self._find(task, body)
            self._put(b"".join(self._links(task, 0, sequence, 0)))
        elif kind in (RTM_NEWLINK, RTM_SETLINK):
            if not task.cred.cap("CAP_NET_ADMIN"):
                raise EPERM("devices need CAP_NET_ADMIN")
            wanted, change = self._find(task, body)
            if (change or 0xFFFFFFFF) & devices.IFF_UP:
                devices.set_up(task, self.net, bool(wanted & devices.IFF_UP))
        else:
            raise EOPNOTSUPP(f"netlink request {kind}")
        return False

    def _find(self, task: Task, body: bytes) -> tuple[int, int]:
        """The device that a request names: its flags, and which of them are to change."""
        order = task.abi.order
        if len(body) < 16:
            raise EINVAL("a request without a device")
        _, index, flags, change = struct.unpack(order + "B3xiII", body[:16])
        name, rest = b"", body[16:]
        while len(rest) >= 4:
            length, kind = struct.unpack(order + "HH", rest[:4])
            if not 4 <= length <= len(rest):
                break
            if kind == IFLA_IFNAME:
                name = rest[4:length].split(b"\0")[0]
            rest = rest[-(-length // 4) * 4 :]
        if index <= 0 and not name:
            raise EINVAL("neither the number nor the name of a device")
        if index != devices.LO_INDEX if index > 0 else name != devices.LO:
            raise ENODEV(f"there is no device {index} {name!r}")
        return flags, change

    def _links(self, task: Task, flags: int, sequence: int, family: int) -> list[bytes]:
        order, up = task.abi.order, self.net.loopback_up
        shown = devices.flags_of(self.net) | (devices.IFF_LOWER_UP if up else 0)
        body = struct.pack(order + "BxHiII", 0, devices.ARPHRD_LOOPBACK, devices.LO_INDEX, shown, 0)
        attributes = (
            (IFLA_IFNAME, devices.LO + b"\0"),
            (IFLA_TXQLEN, struct.pack(order + "I", 0)),
            (IFLA_OPERSTATE, bytes([0 if up else 2])),
            (IFLA_LINKMODE, b"\0"),
            (IFLA_MTU, struct.pack(order + "I", devices.LO_MTU)),
            (IFLA_QDISC, b"noqueue\0" if up else b"noop\0"),
            (IFLA_ADDRESS, bytes(6)),
            (IFLA_BROADCAST, bytes(6)),
        )
        body += b"".join(self._attribute(task, *each) for each in attributes)
        return [self._message(task, RTM_NEWLINK, flags, sequence, body)]

    def _addresses(self, task: Task, flags: int, sequence: int, family: int) -> list[bytes]:
        found: list[bytes] = []
        for each, prefix, host in _ADDRESSES if self.net.loopback_up else ():
            if family not in (0, each):
                continue
            body = struct.pack(
                task.abi.order + "BBBBI", each, prefix, _IFA_PERMANENT, _SCOPE_HOST, 1
            )
            body += self._attribute(task, IFA_ADDRESS, host)
            if each == abi.AF_INET:
                body += self._attribute(task, IFA_LOCAL, host)
                body += self._attribute(task, IFA_LABEL, devices.LO + b"\0")
            found.append(self._message(task, RTM_NEWADDR, flags, sequence, body))
        return found

    @staticmethod
    def _attribute(task: Task, kind: int, value: bytes) -> bytes:
        return _aligned(struct.pack(task.abi.order + "HH", 4 + len(value), kind) + value)

    def _message(self, task: Task, kind: int, flags: int, sequence: int, body: bytes) -> bytes:
        length = _HEAD_BYTES + len(body)
        head = struct.pack(task.abi.order + "IHHII", length, kind, flags, sequence, self.port)
        return _aligned(head + body)

    def _put(self, data: bytes) -> None:
        self.queue.append(Message(bytearray(data)))
        self.arrived()

    def recv(self, task: Task, count: int, flags: int) -> Received:
        """One answer; what does not fit is lost."""
        if not self.queue:
            dont_wait = bool(flags & abi.MSG_DONTWAIT)
            raise self.wait(task, self.options.rcvtimeo_ns, self.readable, dont_wait=dont_wait)
        message = self.queue[0]
        received = Received(bytes(message.data[:count]), ends=True)
        received.address = self.peer_name(task)
        if count < len(message.data):
            received.flags |= abi.MSG_TRUNC
        if flags & abi.MSG_TRUNC:
            received.result = len(message.data)
        if not flags & abi.MSG_PEEK:
            self.remove(message)
        return received

    def release(self) -> None:
        """Closed: the number is free."""
        super().release()
        if self.net.netlink.get(self.port) is self:
            del self.net.netlink[self.port]
        self.drop_queue()
        self.wake_everybody()

    def poll(self) -> int:
        """Always writable."""
        return super().poll() | OUT_EVENTS
