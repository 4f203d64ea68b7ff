"""Internet sockets: addresses, ports, names, options. The network is the loopback device.

Addresses have 16 bytes inside the kernel: those of IPv4 are in the form ::ffff:a.b.c.d, which is
also how a socket of IPv6 shows them. All of 127.0.0.0/8 and ::1 is this machine; nothing else can
be reached.

Mirrors:  Linux net/ipv4/af_inet.c, inet_connection_sock.c (bind conflicts), ip_sockglue.c.
Deviates: ports that the kernel chooses come in order.
Not modelled: other devices, multicast, urgent data, IP options, control messages.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EACCES,
    EADDRINUSE,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EINVAL,
    ENETUNREACH,
    ENOTCONN,
)
from kernel_model.net import devices
from kernel_model.net.namespace import FIRST_PORT, LAST_PORT
from kernel_model.net.socket import Socket

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

MAPPED = bytes(10) + b"\xff\xff"
ANY4, LOOPBACK4 = MAPPED + bytes(4), MAPPED + bytes((127, 0, 0, 1))
ANY6, LOOPBACK6 = bytes(16), bytes(15) + b"\x01"
_SOCKADDR_IN_BYTES, _SOCKADDR_IN6_LEAST = 16, 24
_FIRST_FREE_PORT = 1024
IPV6_V6ONLY = (abi.IPPROTO_IPV6, 26)

SETTINGS: dict[tuple[int, int], tuple[int, int, int]] = {
    (abi.IPPROTO_TCP, 1): (0, -(1 << 31), (1 << 31) - 1),  # TCP_NODELAY
    (abi.IPPROTO_TCP, 3): (0, -(1 << 31), (1 << 31) - 1),  # TCP_CORK
    (abi.IPPROTO_TCP, 4): (7200, 1, 32767),  # TCP_KEEPIDLE
    (abi.IPPROTO_TCP, 5): (75, 1, 32767),  # TCP_KEEPINTVL
    (abi.IPPROTO_TCP, 6): (9, 1, 127),  # TCP_KEEPCNT
    (abi.IPPROTO_TCP, 7): (5, 1, 127),  # TCP_SYNCNT
    (abi.IPPROTO_IP, 1): (0, -(1 << 31), (1 << 31) - 1),  # IP_TOS
    (abi.IPPROTO_IP, 2): (64, 1, 255),  # IP_TTL
    (abi.IPPROTO_IPV6, 16): (64, 0, 255),  # IPV6_UNICAST_HOPS
    IPV6_V6ONLY: (0, -(1 << 31), (1 << 31) - 1),
}
"""Options that are numbers: what they are at first, the least and the most."""
_TRUTH = {(abi.IPPROTO_TCP, 1), (abi.IPPROTO_TCP, 3), IPV6_V6ONLY}


def as_kept(option: tuple[int, int], number: int) -> int:
    """What a socket keeps of a number that an option may be set to."""
    if option in _TRUTH:
        return int(bool(number))
    return number & 0xFF if option == (abi.IPPROTO_IP, 1) else number


class Endpoint(NamedTuple):
    """An address and a port."""

    host: bytes
    port: int


def is_any(host: bytes) -> bool:
    """Whether it stands for every address of this machine."""
    return host in (ANY4, ANY6)


def is_local(host: bytes) -> bool:
    """Whether it is an address of the loopback device."""
    return host == LOOPBACK6 or host.startswith(MAPPED + b"\x7f")


def sockaddr(family: int, order: str, endpoint: Endpoint) -> bytes:
    """struct sockaddr_in or sockaddr_in6."""
    head = struct.pack(order + "H", family) + endpoint.port.to_bytes(2, "big")
    if family == abi.AF_INET:
        return head + endpoint.host[12:] + bytes(8)
    return head + bytes(4) + endpoint.host + bytes(4)


class InetSocket(Socket):
    """An internet socket of any protocol."""

    def __init__(self, net: NetNamespace, family: int, protocol: int) -> None:
        super().__init__(net, protocol)
        self.family = family
        self.local = Endpoint(self.any, 0)
        """Port 0: it has none."""
        self.remote: Endpoint | None = None
        self.port_locked = False
        """bind() has chosen the port: it is kept until the end."""
        self.settings: dict[tuple[int, int], int] = {}
        """Options that differ from what they are at first, by level and name."""

    @property
    def any(self) -> bytes:
        """The family's address that stands for all."""
        return ANY4 if self.family == abi.AF_INET else ANY6

    @property
    def v6only(self) -> bool:
        """Whether it does not answer to IPv4."""
        return bool(self.settings.get(IPV6_V6ONLY))

    # ---- addresses

    def parse(self, task: Task, address: bytes) -> Endpoint:
        """A sockaddr of the family. Raises EINVAL, EAFNOSUPPORT."""
        least = _SOCKADDR_IN_BYTES if self.family == abi.AF_INET else _SOCKADDR_IN6_LEAST
        if len(address) < least:
            raise EINVAL(f"an address of {len(address)} bytes")
        if int.from_bytes(address[:2], task.abi.byte_order) != self.family:
            raise EAFNOSUPPORT("an address of another family")
        port = int.from_bytes(address[2:4], "big")
        host = MAPPED + address[4:8] if self.family == abi.AF_INET else address[8:24]
        return Endpoint(bytes(host), port)

    def reachable(self, endpoint: Endpoint) -> Endpoint:
        """Where a packet to this address goes. Raises ENETUNREACH."""
        host = endpoint.host
        if host == ANY4:
            host = LOOPBACK4
        elif host == ANY6:
            host = LOOPBACK6
        if not is_local(host) or not self.net.loopback_up:
            raise ENETUNREACH("only the loopback device is there")
        return Endpoint(host, endpoint.port)

    def source_for(self, target: Endpoint) -> Endpoint:
        """The address that packets to `target` come from."""
        if not is_any(self.local.host):
            return self.local
        host = LOOPBACK4 if target.host.startswith(MAPPED) else LOOPBACK6
        return Endpoint(host, self.local.port)

    def is_unspecified(self, task: Task, address: bytes) -> bool:
        """Whether connect() is asked to disconnect."""
        if len(address) < 2:
            raise EINVAL(f"an address of {len(address)} bytes")
        return int.from_bytes(address[:2], task.abi.byte_order) == abi.AF_UNSPEC

    def specified(self, task: Task, address: bytes) -> bytes:
        """The same address, with AF_INET for an AF_UNSPEC."""
        if self.family == abi.AF_INET and self.is_unspecified(task, address):
            return abi.AF_INET.to_bytes(2, task.abi.byte_order) + address[2:]
        return address

    # ---- names

    def bind(self, task: Task, address: bytes) -> None:
        """Take an address and a port; port 0: any."""
        if address[4:8] == bytes(4):  # a common mistake, which Linux allows
            address = self.specified(task, address)
        wanted = self.parse(task, address)
        local = is_local(wanted.host) and self.net.loopback_up
        if not local and wanted.host not in (self.any, ANY4):
            raise EADDRNOTAVAIL("not an address of this machine")
        if 0 < wanted.port < _FIRST_FREE_PORT and not task.cred.cap("CAP_NET_BIND_SERVICE"):
            raise EACCES(f"port {wanted.port} needs CAP_NET_BIND_SERVICE")
        if self in self.net.bound or self.state != abi.TCP_CLOSE:
            raise EINVAL("the socket has a port")
        if not wanted.port:
            wanted = Endpoint(wanted.host, self.free_port(wanted.host))
        elif self.conflicts(wanted):
            raise EADDRINUSE(f"port {wanted.port} is in use")
        else:
            self.port_locked = True
        self.take_port(wanted)

    def take_port(self, local: Endpoint) -> None:
        """Have a port from now on."""
        self.local = local
        if self not in self.net.bound:
            self.net.bound.append(self)

    def autobind(self) -> None:
        """Take any port if it has none."""
        if not self.local.port:
            self.take_port(Endpoint(self.local.host, self.free_port(self.local.host)))

    def give_back(self) -> None:
        """Have no port any more."""
        if self in self.net.bound:
            self.net.bound.remove(self)

    def free_port(self, host: bytes) -> int:
        """The next port that nobody uses."""
        net = self.net
        for _ in range(LAST_PORT - FIRST_PORT + 1):
            port = net.next_port
            net.next_port = port + 1 if port < LAST_PORT else FIRST_PORT
            if not any(each.local.port == port and each.type == self.type for each in net.bound):
                if not self.conflicts(Endpoint(host, port)):
                    return port
        raise EADDRINUSE("all ports are in use")

    def conflicts(self, wanted: Endpoint) -> bool:
        """Whether somebody else has this port at an address that overlaps."""
        for other in self.net.bound:
            if other is self or other.type != self.type or other.local.port != wanted.port:
                continue
            shared = self.options.reuse and other.options.reuse and not self.excludes(other)
            if not shared and self.overlaps(wanted.host, other.local.host, other.v6only):
                return True
        return False

    def excludes(self, other: InetSocket) -> bool:
        """Whether SO_REUSEADDR does not help against this one."""
        return other.state == abi.TCP_LISTEN

    def overlaps(self, mine: bytes, theirs: bytes, their_v6only: bool) -> bool:
        """Whether some address belongs to both."""
        return _covers(mine, theirs, self.v6only) or _covers(theirs, mine, their_v6only)

    def own_name(self, task: Task) -> bytes:
        """Address and port."""
        return sockaddr(self.family, task.abi.order, self.local)

    def peer_name(self, task: Task) -> bytes:
        """Address and port of the other end."""
        unconnected = self.state in (abi.TCP_CLOSE, abi.TCP_SYN_SENT)
        if unconnected or self.remote is None or not self.remote.port:
            raise ENOTCONN("there is no other end")
        return sockaddr(self.family, task.abi.order, self.remote)

    # ---- options

    def has_options(self, level: int) -> bool:
        """The socket's own, those of its protocol, those of IP, and for IPv6 of that too."""
        own = abi.IPPROTO_TCP if self.type == abi.SOCK_STREAM else abi.IPPROTO_UDP
        if level == abi.IPPROTO_IPV6:
            return self.family == abi.AF_INET6
        return level in (abi.SOL_SOCKET, abi.IPPROTO_IP, own)

    def knows(self, level: int, name: int) -> bool:
        """Whether there is such an option for this family and type."""
        if level == abi.IPPROTO_TCP and self.type != abi.SOCK_STREAM:
            return False
        if level == abi.IPPROTO_IPV6 and self.family != abi.AF_INET6:
            return False
        return (level, name) in SETTINGS

    def set_option(self, task: Task, level: int, name: int, value: bytes) -> bool:
        """An option that is a number."""
        if not self.knows(level, name):
            return False
        short = level == abi.IPPROTO_IP and 0 < len(value) < 4
        if len(value) < 4 and not short:
            raise EINVAL(f"an option of {len(value)} bytes")
        number = value[0] if short else struct.unpack_from(task.abi.order + "i", value)[0]
        default, least, most = SETTINGS[level, name]
        if number == -1 and (level, name) in ((abi.IPPROTO_IP, 2), (abi.IPPROTO_IPV6, 16)):
            number = default
        if not least <= number <= most:
            raise EINVAL(f"option {name} of level {level} cannot be {number}")
        number = as_kept((level, name), number)
        if (level, name) == IPV6_V6ONLY and self.local.port:
            raise EINVAL("the socket has a port")
        self.settings.pop((level, name), None)
        if number != default:
            self.settings[level, name] = number
        return True

    def get_option(self, task: Task, level: int, name: int) -> bytes | None:
        """An option that is a number."""
        if not self.knows(level, name):
            return None
        number = self.settings.get((level, name), SETTINGS[level, name][0])
        return struct.pack(task.abi.order + "i", number)

    def ioctl(self, task: Task, request: int, arg: int) -> int | None:
        """Addresses of the loopback device, and what every socket knows of it."""
        found = devices.inet_ioctl(task, self.net, request, arg)
        return found if found is not None else super().ioctl(task, request, arg)


def _covers(one: bytes, other: bytes, v6only: bool) -> bool:
    if one == other:
        return True
    four = other.startswith(MAPPED)
    return (one == ANY4 and four) or (one == ANY6 and not (four and v6only))
