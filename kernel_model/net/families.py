"""Which sockets there are: family, type and protocol lead to a class.

Mirrors:  Linux net/socket.c (__sock_create), the create functions of the families.
Not modelled: every family but AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK; raw sockets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EAFNOSUPPORT,
    EINVAL,
    EPERM,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
    NotModelled,
)
from kernel_model.net.netlink import NETLINK_ROUTE, NetlinkSocket
from kernel_model.net.socket import Socket
from kernel_model.net.tcp import TcpSocket
from kernel_model.net.udp import UdpSocket
from kernel_model.net.unix_datagram import UnixDatagram
from kernel_model.net.unix_stream import UnixSeqpacket, UnixStream

if TYPE_CHECKING:
    from kernel_model.task import Task

_UNIX = {
    abi.SOCK_STREAM: UnixStream,
    abi.SOCK_DGRAM: UnixDatagram,
    abi.SOCK_RAW: UnixDatagram,
    abi.SOCK_SEQPACKET: UnixSeqpacket,
}
_INTERNET: dict[int, tuple[int, type[TcpSocket] | type[UdpSocket]]] = {
    abi.SOCK_STREAM: (abi.IPPROTO_TCP, TcpSocket),
    abi.SOCK_DGRAM: (abi.IPPROTO_UDP, UdpSocket),
}


def create(task: Task, family: int, kind: int, protocol: int) -> Socket:
    """A socket in the task's network namespace."""
    if not 0 <= family < abi.AF_MAX:
        raise EAFNOSUPPORT(f"address family {family}")
    if not 0 <= kind < abi.SOCK_MAX:
        raise EINVAL(f"socket type {kind}")
    net = task.nsproxy.net
    if family == abi.AF_UNIX:
        if protocol not in (0, abi.AF_UNIX):
            raise EPROTONOSUPPORT(f"UNIX sockets of protocol {protocol}")
        cls = _UNIX.get(kind)
        if cls is None:
            raise ESOCKTNOSUPPORT(f"UNIX sockets of type {kind}")
        return cls(net)
    if family in (abi.AF_INET, abi.AF_INET6):
        return _internet(task, family, kind, protocol)
    if family == abi.AF_NETLINK:
        if kind not in (abi.SOCK_RAW, abi.SOCK_DGRAM):
            raise ESOCKTNOSUPPORT(f"netlink sockets of type {kind}")
        if protocol != NETLINK_ROUTE:
            raise EPROTONOSUPPORT(f"netlink family {protocol}")
        return NetlinkSocket(net, kind)
    raise EAFNOSUPPORT(f"address family {family}")


def _internet(task: Task, family: int, kind: int, protocol: int) -> Socket:
    known = _INTERNET.get(kind)
    if known is not None:
        own, cls = known
        if protocol not in (0, own):
            raise EPROTONOSUPPORT(f"protocol {protocol} for sockets of type {kind}")
        return cls(task.nsproxy.net, family)
    if kind == abi.SOCK_RAW:
        if not task.cred.cap("CAP_NET_RAW"):
            raise EPERM("raw sockets need CAP_NET_RAW")
        if protocol:
            raise NotModelled("raw sockets")
        raise EPROTONOSUPPORT("a raw socket of no protocol")
    raise ESOCKTNOSUPPORT(f"internet sockets of type {kind}")
